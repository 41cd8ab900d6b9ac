"""What happened can be read in order, each once."""

from datetime import timedelta

from sqlalchemy import Engine

from engagement import events
from tests.support.inside import Person
from tests.support.shops import OPENED, Shops

LATER = OPENED + timedelta(minutes=1)


def test_events_are_told_in_order_and_once(engine: Engine, shops: Shops) -> None:
    with engine.begin() as conn:
        for number in range(3):
            events.tell(conn, shops.linden, "survey.answered", {"n": number}, now=OPENED + timedelta(seconds=number))
        first = events.listed(conn, shops.linden, now=LATER, at_most=2)
        rest = events.listed(conn, shops.linden, now=LATER, at_most=2, after=first[-1].id)
    assert [each.data["n"] for each in (*first, *rest)] == [0, 1, 2]


def test_what_has_just_happened_is_told_ten_seconds_later(engine: Engine, shops: Shops) -> None:
    """Another transaction may still be about to bring an older one."""
    with engine.begin() as conn:
        events.tell(conn, shops.linden, "reward.issued", {}, now=OPENED)
        assert events.listed(conn, shops.linden, now=OPENED + timedelta(seconds=9), at_most=9) == []
        assert len(events.listed(conn, shops.linden, now=OPENED + timedelta(seconds=11), at_most=9)) == 1


def test_another_merchants_are_none_of_ours(engine: Engine, shops: Shops) -> None:
    with engine.begin() as conn:
        events.tell(conn, shops.moor, "reward.issued", {}, now=OPENED)
        assert events.listed(conn, shops.linden, now=LATER, at_most=9) == []


def test_over_the_api_a_program_follows_the_cursor(engine: Engine, shops: Shops, owner: Person) -> None:
    with engine.begin() as conn:
        for seconds, kind in enumerate(("survey.answered", "reward.issued")):
            at = OPENED + timedelta(seconds=seconds)
            events.tell(conn, shops.linden, kind, {"x": 1}, now=at, receipt_id="rct_1")
    page = owner.get("/v1/events", limit="1").json()
    after = owner.get("/v1/events", cursor=page["next_cursor"]).json()
    nothing = owner.get("/v1/events", cursor=after["next_cursor"]).json()
    assert [page["events"][0]["kind"], after["events"][0]["kind"]] == ["survey.answered", "reward.issued"]
    assert (nothing["events"], nothing["next_cursor"]) == ([], after["next_cursor"])
    assert [each["kind"] for each in owner.get("/v1/events", kind="reward.issued").json()["events"]] == [
        "reward.issued"
    ]


def test_it_takes_a_key_with_the_scope(reader: Person) -> None:
    assert reader.get("/v1/events").status_code == 403
