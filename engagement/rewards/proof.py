"""Whether the cards of a campaign were drawn as was promised before it began: the sums, done again. Pure.

A proof is what ``GET /v1/campaigns/{id}/proof`` answers once the campaign has ended. Who checks it needs nothing else,
and trusts nobody, as long as the two hashes are those that the campaign's page showed when it began.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engagement import scratch
from kernel import jcs

FORMAT: Final = "counterfoil-proof/1"
_MOST: Final = 10**12
_MOST_PLACES: Final = 10**7
# Of the normal distribution, beyond which one in a thousand lies.
_ONE_IN_A_THOUSAND: Final = 3.0902
_LEAST_EXPECTED: Final = 5


class NotAProof(ValueError):
    """Its words say what is the matter."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TablePrize(_Part):
    """``face_value`` and the budget's ``amount`` are whole minor units, as in all that is hashed."""

    weight: int = Field(0, ge=0, lt=_MOST)
    stock: int = Field(ge=0, lt=_MOST)
    face_value: int = Field(0, ge=0, lt=10**15)


class TableBudget(_Part):
    """As :class:`engagement.rewards.definition.Budget`."""

    amount: int | None = None
    prizes: int | None = None


class Table(_Part):
    campaign: str
    mode: Literal["draw", "deck"]
    nothing: int = Field(ge=0, lt=_MOST)
    prizes: list[TablePrize] = Field(min_length=1, max_length=1000)
    budget: TableBudget = TableBudget()

    @property
    def weights(self) -> list[int]:
        """Of each prize in the table's order, and of a blank."""
        return [*(each.weight for each in self.prizes), self.nothing]

    @property
    def counts(self) -> list[int]:
        """How often each is in a deck."""
        return [*(each.stock for each in self.prizes), self.nothing]


class TheDraw(_Part):
    """As :class:`engagement.rewards.records.Draw`."""

    reward: str
    entry: str
    nonce: int | None = None
    gone: list[int] = Field([], max_length=1000)
    position: int | None = Field(None, ge=0)
    outcome: int = Field(ge=0)
    void: str | None = None


class Proof(_Part):
    """A page of it. ``cards`` is how many draws all its pages have, ``unscratched`` how many are still to come,
    ``left_out`` the places of a deck that are said to have been passed over, ``table`` the table with all its
    members. Of a campaign that has ``ended`` without a ``seed`` nothing can be proved."""

    campaign: str
    cards: int = Field(0, ge=0)
    unscratched: int = Field(0, ge=0)
    left_out: list[int] = Field([], max_length=_MOST_PLACES)
    seed_sha256: str
    table_sha256: str
    table: dict[str, Any]
    ended: bool = False
    seed: str | None = None
    draws: list[TheDraw] = []
    next_cursor: str | None = None

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Raises :class:`NotAProof`."""
        try:
            told = jcs.parse(body)
        except ValueError:
            raise NotAProof("it is not JSON, or says a thing twice") from None
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise NotAProof(f"it is no {FORMAT}")
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            where = "/".join(str(each) for each in error.errors()[0]["loc"])
            raise NotAProof(f"/{where} is missing or not what it should be") from None


@dataclass(slots=True)
class Judgement:
    """What was found. ``wrong`` are the ids of cards that were not drawn so, the first few of them; ``not_gone`` the
    indices of prizes that cards were drawn without though there were some left, unless the ``open`` cards, which can
    still be scratched, hold them; ``not_dealt`` the places of a deck before its last that no card has, unless these
    have them, but for those that are said to be ``left_out``: of these, ``lost`` hold prizes. ``withdrawn`` is how many
    prizes the merchant took back by hand. ``chi_square`` and ``expected_below`` say how far the draws are from the
    table: a fair table stays below in 999 of 1,000."""

    seed_matches: bool
    table_matches: bool
    checked: int = 0
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    given: Counter[int] = field(default_factory=Counter)
    promised: list[int] = field(default_factory=list)
    not_gone: list[int] = field(default_factory=list)
    open: int = 0
    may_be_gone: bool = True
    not_dealt: list[int] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    withdrawn: int = 0
    chi_square: float | None = None
    expected_below: float = 0.0

    @property
    def is_proved(self) -> bool:
        return self._is_right and not (self.not_gone or self.not_dealt or self.lost)

    @property
    def is_undecided(self) -> bool:
        """Whether cards that can still be scratched may hold all that is missing, or nobody can tell why a place with a
        prize was left out."""
        may_be_dealt = len(self.not_dealt) <= self.open
        return self._is_right and not self.is_proved and self.may_be_gone and may_be_dealt

    @property
    def _is_right(self) -> bool:
        return self.seed_matches and self.table_matches and self.checked == self.right

    @property
    def is_as_expected(self) -> bool:
        return self.chi_square is None or self.chi_square <= self.expected_below


_MOST_NAMED: Final = 10


def judge(proof: Proof, draws: Iterable[TheDraw], *, tick: Callable[[int], None] = lambda _count: None) -> Judgement:
    """``draws`` are those of all its pages; ``tick`` is told of each that was checked. Raises :class:`NotAProof` where
    the seed is not told, or the table cannot be drawn from."""
    seed, table = _seed(proof), _table(proof)
    found = Judgement(
        seed_matches=scratch.seed_digest(seed) == proof.seed_sha256,
        table_matches=scratch.table_digest(proof.table) == proof.table_sha256 and table.campaign == proof.campaign,
        promised=[each.stock for each in table.prizes],
        open=proof.unscratched,
    )
    replay = _Replay(seed, table)
    first: Counter[int] = Counter()
    said: set[int] = set()
    for draw in draws:
        found.checked += 1
        if replay.is_right(draw):
            found.right += 1
        elif len(found.wrong) < _MOST_NAMED:
            found.wrong.append(draw.reward)
        found.given[draw.outcome] += 1
        found.withdrawn += draw.void == "withdrawn" and draw.outcome < len(table.prizes)
        said.update(draw.gone)
        first[draw.gone[0] if draw.gone else draw.outcome] += 1
        tick(1)
    found.not_gone = [at for at in sorted(said) if not _is_gone(at, table, found.given)]
    found.may_be_gone = all(_is_gone(at, table, found.given, more=found.open) for at in found.not_gone)
    passed = replay.passed_over()
    found.left_out = [at for at in proof.left_out if at in passed]
    found.lost = [at for at in found.left_out if passed[at] < len(table.prizes)]
    found.not_dealt = sorted(passed.keys() - set(found.left_out))
    if table.mode == "draw":
        found.chi_square, found.expected_below = _fit([first[at] for at in range(len(table.weights))], table.weights)
    return found


def follows(proof: Proof, draw: TheDraw) -> bool:
    """Whether one card was drawn as was promised, as far as it can be told without the others. Raises
    :class:`NotAProof` as :func:`judge` does."""
    seed, table = _seed(proof), _table(proof)
    are_promised = scratch.seed_digest(seed) == proof.seed_sha256 and scratch.table_digest(proof.table) == (
        proof.table_sha256
    )
    return are_promised and table.campaign == proof.campaign and _Replay(seed, table).is_right(draw)


def _is_gone(at: int, table: Table, given: Counter[int], *, more: int = 0) -> bool:
    """Whether all of a prize were given in the end, or the budget had no room for another one; with so many ``more``
    cards, whatever is in them."""
    if at >= len(table.prizes):
        return False
    prize, budget = table.prizes[at], table.budget
    spent = sum(given[index] * each.face_value for index, each in enumerate(table.prizes))
    spent += more * max(each.face_value for each in table.prizes)
    count = sum(given[index] for index in range(len(table.prizes))) + more
    is_spent = budget.amount is not None and spent + prize.face_value > budget.amount
    return given[at] + more >= prize.stock or is_spent or (budget.prizes is not None and count >= budget.prizes)


# Of a campaign that many look at at once; the decks of a few take some megabytes.
@lru_cache(maxsize=4)
def _deck(seed: bytes, campaign: str, counts: tuple[int, ...]) -> tuple[int, ...]:
    """To shuffle 200,000 cards takes more than a second."""
    return tuple(scratch.shuffled(seed, campaign=campaign, counts=counts))


class _Replay:
    """Draws again. It remembers what was drawn: no entry draws twice, no card of a deck is there twice, and no prize is
    given more often than there are of it."""

    def __init__(self, seed: bytes, table: Table) -> None:
        self._seed, self._table = seed, table
        is_deck = table.mode == "deck"
        self._deck = _deck(seed, table.campaign, tuple(table.counts)) if is_deck else None
        self._seen: set[str | int] = set()
        self._left = Counter(dict(enumerate(each.stock for each in table.prizes)))

    def is_right(self, draw: TheDraw) -> bool:
        is_new = draw.entry not in self._seen and (draw.position is None or draw.position not in self._seen)
        self._seen.add(draw.entry)
        if draw.position is not None:
            self._seen.add(draw.position)
        return is_new and self._is_there(draw.outcome) and self._follows(draw)

    def passed_over(self) -> dict[int, int]:
        """What each place of a deck holds that no card has, though a later one was dealt: prizes could be kept so."""
        deck = self._deck or ()
        dealt = {each for each in self._seen if isinstance(each, int) and each < len(deck)}
        return {at: deck[at] for at in range(max(dealt, default=0)) if at not in dealt}

    def _is_there(self, outcome: int) -> bool:
        if outcome >= len(self._table.prizes):
            return outcome == len(self._table.prizes)
        self._left[outcome] -= 1
        return self._left[outcome] >= 0

    def _follows(self, draw: TheDraw) -> bool:
        if self._deck is not None:
            at = draw.position
            return at is not None and at < len(self._deck) and self._deck[at] == draw.outcome
        # A blank is never gone.
        are_prizes = all(at < len(self._table.prizes) for at in draw.gone)
        return are_prizes and draw.nonce == len(draw.gone) and self._drawn(draw) == [*draw.gone, draw.outcome]

    def _drawn(self, draw: TheDraw) -> list[int]:
        """What the numbers 0, 1, … draw of what is said to be left."""
        weights, drawn = self._table.weights, []
        for nonce in range(len(draw.gone) + 1):
            if not sum(weights) or ":" in draw.entry:
                break
            index = scratch.drawn(
                self._seed, campaign=self._table.campaign, receipt=draw.entry, nonce=nonce, weights=weights
            )
            drawn.append(index)
            weights[index] = 0
        return drawn


def _seed(proof: Proof) -> bytes:
    if proof.seed is None and proof.ended:
        raise NotAProof("the key that sealed its seed is lost, so nobody can draw its cards again")
    if proof.seed is None:
        raise NotAProof("the campaign has not ended, so its seed is not told yet")
    try:
        return bytes.fromhex(proof.seed)
    except ValueError:
        raise NotAProof("/seed is not in hex") from None


def _table(proof: Proof) -> Table:
    try:
        table = Table.model_validate(proof.table)
    except ValidationError:
        raise NotAProof("/table is not a table of prizes") from None
    numbers = table.counts if table.mode == "deck" else table.weights
    if not sum(numbers) or (table.mode == "deck" and sum(numbers) > _MOST_PLACES):
        raise NotAProof("/table has nothing to draw from, or more than can be drawn again")
    return table


def _fit(counts: Sequence[int], weights: Sequence[int]) -> tuple[float | None, float]:
    """Pearson's chi-square, and the value below which it stays in 999 of 1,000 fair cases (Wilson and Hilferty, 1931).
    Outcomes too rare to be judged by themselves count together; None where nothing can be told."""
    total, weighed = sum(counts), sum(weights)
    expected = [total * weight / weighed for weight in weights]
    frequent = [at for at, mean in enumerate(expected) if mean >= _LEAST_EXPECTED]
    cells = [(counts[at], expected[at]) for at in frequent]
    rest = total - sum(count for count, _ in cells), total - sum(mean for _, mean in cells)
    if rest[1] >= _LEAST_EXPECTED:
        cells.append(rest)
    freedom = len(cells) - 1
    if freedom < 1:
        return None, 0.0
    spread = 2 / (9 * freedom)
    limit = freedom * (1 - spread + _ONE_IN_A_THOUSAND * sqrt(spread)) ** 3
    return sum((count - mean) ** 2 / mean for count, mean in cells), limit
