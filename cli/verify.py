"""``counterfoil verify``: whether a file is a genuine receipt, with or without the installation that issued it."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn
from urllib.request import urlopen

import orjson
import typer
from sqlalchemy.exc import SQLAlchemyError

from accounts.signing_keys import all_public_keys
from cli.opened import opened
from infra.database import reading
from infra.pdf_reading import UnreadablePdf, attached
from kernel import money
from kernel.clock import iso
from receipts.jwks import read_key_set
from receipts.records import ReceiptRecord
from receipts.signed import ATTACHMENT, State
from receipts.states_view import went_back
from receipts.verified import Finding, examine, told

_GENUINE, _NOT_GENUINE, _CANNOT_TELL = 0, 1, 2
_MOST_BYTES: Final = 5_000_000
_SECONDS: Final = 10
_SAID: Final = {
    State.GENUINE: (_GENUINE, "genuine: nothing in it was changed"),
    State.DISTRUSTED: (_NOT_GENUINE, "not proved: it is signed with a key that is no longer trusted"),
    State.CHANGED: (_NOT_GENUINE, "not genuine: it is not what was signed"),
    State.FOREIGN: (_NOT_GENUINE, "not genuine: none of these keys signed it"),
    State.UNSIGNED: (_CANNOT_TELL, "cannot tell: it is not signed"),
    State.UNREADABLE: (_CANNOT_TELL, "cannot tell: it is no receipt that can be read"),
}
_ONLY_THE_DOCUMENT: Final = "The pages of a PDF can be edited without a trace. Compare them with what stands here."


def verify(
    file: Annotated[Path, typer.Argument(help="A receipt as PDF or JSON.")],
    keys: Annotated[
        str | None, typer.Option(help="A JSON Web Key Set: a file, or an address such as https://…/jwks.json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Tell whether a receipt is genuine: status 0 if it is, 1 if it is not, 2 if nobody can tell.

    With --keys nothing else is asked; without, the database of the settings is, which also knows what was refunded.

    Example: counterfoil verify receipt.pdf --keys https://receipts.example.com/.well-known/jwks.json
    """
    try:
        finding, is_pdf = _examined(file, keys)
    except (OSError, SQLAlchemyError) as error:
        # Status 1 would say that the receipt is forged.
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        _end(f"cannot tell: {reason}")
    status, said = _SAID[finding.verdict.state]
    facts = _facts(finding)
    if as_json:
        answer = {"state": finding.verdict.state.value, "kid": finding.verdict.kid, "issuer": finding.verdict.issuer}
        typer.echo(orjson.dumps(answer | facts, option=orjson.OPT_INDENT_2).decode())
    else:
        lines = [said, *(f"{name}: {value}" for name, value in facts.items())]
        typer.echo("\n".join([*lines, _ONLY_THE_DOCUMENT] if is_pdf and facts else lines))
    raise typer.Exit(status)


def _examined(file: Path, keys: str | None) -> tuple[Finding, bool]:
    """What was found, and whether the file is a PDF."""
    data = _read(file)
    is_pdf = b"%PDF-" in data[:1024]
    try:
        document = attached(data, ATTACHMENT) if is_pdf else data
    except UnreadablePdf as problem:
        _end(f"cannot tell: the PDF cannot be read. {problem}")
    if document is None:
        _end("cannot tell: the PDF carries no signed receipt")
    return _by_keys(document, keys) if keys else _by_database(document), is_pdf


def _read(file: Path) -> bytes:
    with file.open("rb") as opened_file:
        data = opened_file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        _end(f"cannot tell: {file.name} has more than {_MOST_BYTES} bytes")
    return data


def _by_keys(document: bytes, keys: str) -> Finding:
    try:
        return told(document, read_key_set(_fetched(keys)).get)
    except (ValueError, OSError) as error:
        _end(f"cannot tell: the keys cannot be read. {keys}: {error}")


def _fetched(keys: str) -> bytes:
    if not keys.startswith(("https://", "http://")):
        return Path(keys).read_bytes()
    with urlopen(keys, timeout=_SECONDS) as answer:  # noqa: S310 - the scheme is one of the web's
        fetched: bytes = answer.read(_MOST_BYTES)
    return fetched


def _by_database(document: bytes) -> Finding:
    with opened() as engine, reading(engine) as conn:
        if not all_public_keys(conn):
            _end("cannot tell: this installation signs nothing; name the issuer's keys with --keys")
        return examine(conn, document)


def _facts(finding: Finding) -> dict[str, Any]:
    said = finding.said
    if said is None:
        return {}
    facts: dict[str, Any] = {"merchant": finding.merchant} if finding.merchant else {}
    facts |= {"store": said.issuer.store, "number": said.number, "issued_at": iso(said.issued_at)}
    if "gift" in said.content.flags:
        return facts
    facts["total"] = _sum(said, said.total)
    if finding.on_file is not None:
        facts["refunded"] = _sum(said, went_back(finding.on_file) or 0)
    return facts


def _sum(record: ReceiptRecord, minor: int) -> str:
    return f"{money.plain(minor, money.exponent(record.currency))} {record.currency}"


def _end(why: str) -> NoReturn:
    typer.echo(why, err=True)
    sys.exit(_CANNOT_TELL)
