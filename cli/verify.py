"""``counterfoil verify``: whether a receipt is genuine, with or without the installation that issued it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from accounts.signing_keys import all_public_keys
from cli.opened import opened
from cli.verify_keys import trusted_keys
from infra.database import reading
from infra.pdf_reading import MOST_BYTES
from infra.settings import Settings, explain
from infra.storage import open_storage
from kernel import money
from kernel.clock import iso
from receipts.presented import Outcome, Presented, Trouble, judge_by_keys, judge_file, judge_link, token_of
from receipts.records import ReceiptRecord
from receipts.signed import State
from receipts.states_view import went_back
from receipts.verified import Finding

_GENUINE, _NOT_GENUINE, _CANNOT_TELL = 0, 1, 2
_SAID: Final = {
    State.GENUINE: (_GENUINE, "genuine: nothing in it was changed"),
    State.DISTRUSTED: (_NOT_GENUINE, "not proved: it is signed with a key that is no longer trusted"),
    State.CHANGED: (_NOT_GENUINE, "not genuine: it is not what was signed"),
    State.FOREIGN: (_NOT_GENUINE, "not genuine: none of these keys signed it"),
    State.UNSIGNED: (_CANNOT_TELL, "cannot tell: it is not signed"),
    State.UNREADABLE: (_CANNOT_TELL, "cannot tell: it is no receipt that can be read"),
}
_LINK: Final = "genuine: the link leads to a receipt that is kept here"
_ONLY_THE_DOCUMENT: Final = (
    "cannot tell: this PDF carries a genuine receipt, but its pages can be edited without a trace."
    " Rely on what stands below, and compare."
)
_OLD_KEY: Final = (
    "cannot tell: it is signed with a key that is no longer trusted, yet our own records say the same."
    " Download the receipt again."
)
_TROUBLE: Final[dict[Trouble, str]] = {
    "nothing": "there is nothing to look at",
    "too-large": "it is too large: a PDF may have 5 MB, a JSON file 1 MB",
    "no-document": "the PDF carries no signed receipt",
    "no-receipt": "there is no receipt behind this link",
}


class _CannotTell(Exception):
    """Its words say why."""


def verify(
    receipt: Annotated[str, typer.Argument(help="A receipt as PDF or JSON; or its link, or the link's token.")],
    keys: Annotated[
        str | None, typer.Option(help="A JSON Web Key Set: a file, or an address such as https://…/jwks.json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Tell whether a receipt is genuine: status 0 if it is, 1 if it is not, 2 if nobody can tell.

    With --keys nothing else is asked, and a PDF's pages cannot be told; without, the database of the settings is, which
    also knows links, what was refunded, and the PDFs that it made.

    Example: counterfoil verify receipt.json --keys https://receipts.example.com/.well-known/jwks.json
    """
    with _no_trouble_is_a_verdict():
        outcome = _by_keys(receipt, keys) if keys else _by_records(receipt)
        if outcome.trouble:
            raise _CannotTell(_TROUBLE[outcome.trouble])
        status, said = _verdict(outcome)
        answer = _as_json(outcome) if as_json else _in_lines(said, _facts(outcome.finding))
    typer.echo(answer)
    raise typer.Exit(status)


@contextmanager
def _no_trouble_is_a_verdict() -> Iterator[None]:
    """Status 1 says that a receipt is forged, so whatever else goes wrong, settings and tables too, ends with 2."""
    try:
        yield
    except (Exception, SystemExit) as error:
        typer.echo(f"cannot tell: {_reason(error)}", err=True)
        sys.exit(_CANNOT_TELL)


def _reason(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        return f"the settings are not valid: {explain(error)}"
    told = str(error.orig if isinstance(error, DBAPIError) else error)
    return told.strip().partition("\n")[0] or type(error).__name__


def _by_keys(receipt: str, keys: str) -> Outcome:
    if "://" in receipt:
        raise _CannotTell("keys tell nothing of a link. Download the receipt, or leave --keys out")
    try:
        trusted = trusted_keys(keys)
    except (OSError, ValueError) as error:
        raise _CannotTell(f"the keys cannot be read. {keys}: {error}") from None
    return judge_by_keys(_read(Path(receipt)), trusted.get)


def _by_records(receipt: str) -> Outcome:
    settings = Settings()
    base_url = settings.server.address()
    is_link = "://" in receipt or (token_of(receipt, base_url) is not None and not Path(receipt).exists())
    data = b"" if is_link else _read(Path(receipt))
    with opened() as engine:
        if is_link:
            return judge_link(engine, receipt, base_url=base_url)
        with reading(engine) as conn:
            if not all_public_keys(conn):
                raise _CannotTell("this installation signs nothing; name the issuer's keys with --keys")
        return judge_file(engine, open_storage(settings.data), data)


def _read(file: Path) -> bytes:
    """With a byte more than may be judged, so that it is not cut off unseen."""
    with file.open("rb") as opened_file:
        return opened_file.read(MOST_BYTES + 1)


def _verdict(outcome: Outcome) -> tuple[int, str]:
    """The status, and what is said."""
    if outcome.presented is Presented.LINK:
        return _GENUINE, _LINK
    if outcome.has_doubtful_pages:
        return _CANNOT_TELL, _ONLY_THE_DOCUMENT
    finding = outcome.finding
    if finding.verdict.state is State.DISTRUSTED and finding.is_proved:
        return _CANNOT_TELL, _OLD_KEY
    return _SAID[finding.verdict.state]


def _as_json(outcome: Outcome) -> str:
    verdict = outcome.finding.verdict
    head = {"state": verdict.state.value, "kid": verdict.kid, "issuer": verdict.issuer}
    head |= {"presented": outcome.presented.value}
    pages = {"is_our_file": outcome.is_our_file} if outcome.presented is Presented.PDF else {}
    return orjson.dumps(head | pages | _facts(outcome.finding), option=orjson.OPT_INDENT_2).decode()


def _in_lines(said: str, facts: dict[str, str]) -> str:
    return "\n".join([said, *(f"{name}: {value}" for name, value in facts.items())])


def _facts(finding: Finding) -> dict[str, str]:
    said = finding.said
    if said is None or not finding.is_proved:
        return {}
    facts = {"merchant": finding.merchant} if finding.merchant else {}
    facts |= {"store": said.issuer.store, "number": said.number, "issued_at": iso(said.issued_at)}
    if "gift" in said.content.flags:
        return facts
    facts["total"] = _sum(said, said.total)
    if finding.on_file is not None:
        facts["refunded"] = _sum(said, went_back(finding.on_file) or 0)
    return facts


def _sum(record: ReceiptRecord, minor: int) -> str:
    return f"{money.plain(minor, money.exponent(record.currency))} {record.currency}"
