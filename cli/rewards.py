"""``counterfoil rewards``: whether the cards of a campaign were drawn as was promised, with or without the installation
that gave them."""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode
from urllib.request import build_opener

import typer

from cli.progress import Progress
from cli.verify_keys import Redirects, require_proof
from engagement.rewards import proof as proofs
from engagement.rewards.proof import Judgement, NotAProof, Proof, TheDraw

app = typer.Typer(help="Check the draws of a scratch-card campaign.", no_args_is_help=True)
_PROVED, _NOT_PROVED, _CANNOT_TELL = 0, 1, 2
_MOST_BYTES: Final = 200_000_000
_SECONDS: Final = 60
_MOST_PLACES: Final = 10


@app.callback()
def _rewards() -> None:
    """Check the draws of a scratch-card campaign."""


@app.command()
def verify(
    proof: Annotated[
        list[str],
        typer.Argument(help="The proof: its address, or files, where it has several pages all of them in order."),
    ],
    seed_sha256: Annotated[str, typer.Option(help="The seed's hash, as the page showed it before the draws.")] = "",
    table_sha256: Annotated[str, typer.Option(help="The table's hash, as the page showed it before the draws.")] = "",
) -> None:
    """Draw a campaign again: status 0 if every card of the proof was drawn as was promised, 1 if not, 2 if nobody can
    tell. Cards that can still be scratched are not in it: the first line says how many these are.

    A proof is what GET /v1/campaigns/{id}/proof answers once the campaign has ended. Files need no network. Write down
    the two hashes when the campaign begins and hand them over here: then nobody can have changed them since.

    Examples:

    counterfoil rewards verify https://receipts.example.com/v1/campaigns/cmp_01…/proof

    counterfoil rewards verify proof.json --seed-sha256 9f86d0…
    """
    try:
        first, draws = _read(proof)
        _compare("seed", seed_sha256, first.seed_sha256)
        _compare("table", table_sha256, first.table_sha256)
        found = _judged(first, draws)
    except (NotAProof, OSError, ValueError) as error:
        typer.echo(f"cannot tell: {error}", err=True)
        sys.exit(_CANNOT_TELL)
    except _Differs as error:
        typer.echo(f"not proved: {error}")
        sys.exit(_NOT_PROVED)
    for line in _in_lines(found):
        typer.echo(line)
    raise typer.Exit(_PROVED if found.is_proved else _CANNOT_TELL if found.is_undecided else _NOT_PROVED)


class _Differs(Exception):
    """Its words say what is not as it was promised."""


def _compare(what: str, known: str, told: str) -> None:
    if known and known.strip().lower() != told:
        raise _Differs(f"the {what}'s hash is not the one that you know")


def _judged(first: Proof, draws: Iterator[TheDraw]) -> Judgement:
    progress = Progress("cards", first.cards)
    found = proofs.judge(first, draws, tick=progress.done)
    progress.end()
    if found.checked < first.cards:
        raise NotAProof(f"{first.cards - found.checked:,} cards are missing: name all pages of the proof")
    return found


def _in_lines(found: Judgement) -> Iterator[str]:
    yield _verdict(found)
    yield f"seed: {'is' if found.seed_matches else 'is NOT'} the one whose hash was published"
    yield f"table of prizes: {'is' if found.table_matches else 'is NOT'} the one whose hash was published"
    yield f"cards: {found.right:,} of {found.checked:,} follow from the seed"
    if found.wrong:
        yield f"not drawn so: {', '.join(found.wrong)}{' …' if found.checked - found.right > len(found.wrong) else ''}"
    if found.open:
        yield f"still to come: {found.open:,} cards that can be scratched"
    if found.not_dealt:
        yield f"places before the last one that no card has: {_places(found.not_dealt)}"
    if found.left_out:
        yield f"places said to be left out: {_places(found.left_out)}"
    if found.lost:
        yield f"of these hold prizes, and nobody can tell why they were left out: {_places(found.lost)}"
    rest = "the rest of it may be in cards still to come" if found.is_undecided and found.open else "it was not"
    for at in found.not_gone:
        yield f"prize {at + 1}: was said to be gone, and {rest}"
    if found.withdrawn:
        yield f"taken back by the merchant: {found.withdrawn:,} prizes"
    for at, stock in enumerate(found.promised):
        yield f"prize {at + 1}: given {found.given[at]:,} times, of {stock:,}"
    yield f"blanks: {found.given[len(found.promised)]:,}"
    if found.chi_square is not None:
        odd = "" if found.is_as_expected else ", which one fair campaign in a thousand is"
        yield f"frequencies: chi-square {found.chi_square:.2f}, of at most {found.expected_below:.2f}{odd}"


def _verdict(found: Judgement) -> str:
    """No more than was checked: nobody can draw a card again that is still under its foil."""
    if found.is_proved and found.open:
        all_cards = found.checked + found.open
        return f"proved: {found.checked:,} of {all_cards:,} cards; {found.open:,} not scratched yet"
    if found.is_proved:
        return "proved: every card was drawn as was promised"
    if found.is_undecided:
        return f"cannot tell{' before all cards are scratched or expired' if found.open else ''}"
    return "not proved"


def _places(places: list[int]) -> str:
    more = f" and {len(places) - _MOST_PLACES:,} more" if len(places) > _MOST_PLACES else ""
    return f"{', '.join(map(str, places[:_MOST_PLACES]))}{more}"


def _read(where: list[str]) -> tuple[Proof, Iterator[TheDraw]]:
    """The first page, and the draws of all of them."""
    pages = _fetched(where[0]) if len(where) == 1 and "://" in where[0] else map(_from_file, where)
    first = next(pages)
    return first, chain(first.draws, (draw for page in pages for draw in _of_same(first, page).draws))


def _of_same(first: Proof, page: Proof) -> Proof:
    if (page.campaign, page.seed, page.table_sha256) != (first.campaign, first.seed, first.table_sha256):
        raise NotAProof("the pages are of different proofs")
    return page


def _from_file(name: str) -> Proof:
    with Path(name).open("rb") as opened:
        return _proof(opened.read(_MOST_BYTES + 1))


def _fetched(address: str) -> Iterator[Proof]:
    cursor: str | None = ""
    while cursor is not None:
        page = _asked(address if not cursor else f"{address}?{urlencode({'cursor': cursor})}")
        yield page
        cursor = page.next_cursor


def _asked(address: str) -> Proof:
    require_proof(address)
    with build_opener(Redirects).open(address, timeout=_SECONDS) as answer:
        return _proof(answer.read(_MOST_BYTES + 1))


def _proof(body: bytes) -> Proof:
    if len(body) > _MOST_BYTES:
        raise NotAProof(f"it has more than {_MOST_BYTES:,} bytes")
    return Proof.read(body)
