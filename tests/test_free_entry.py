"""Who buys nothing gets a card too, at a link of its own and as often as the rules say."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from engagement.rewards.entrants import network_of
from engagement.rewards.tables import FreeEntrant, Reward
from tests.support.inside import Person
from tests.support.scratched import VOUCHER, Promoter
from tests.support.shopper import AGENT

NO_CARD = "There is no free card for you. You have had yours, or none is left today."


def enter(stranger: Person, campaign: str, *, agent: str = AGENT, **form: str) -> Any:
    data = {"email": "ada@gmail.com", "agreed": "1"} | form
    return stranger.ask("POST", f"/campaigns/{campaign}/entry?lang=en", data=data, headers={"User-Agent": agent})


def test_who_buys_nothing_gets_a_card_at_a_link_of_its_own(stranger: Person, promoter: Promoter) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    answer = enter(stranger, campaign)
    assert answer.status_code == 303
    link = answer.headers["location"]
    assert re.fullmatch(r"/x/rwd_[0-9a-z]{26}-[A-Za-z0-9_-]{22}\?lang=en", link)
    path = link.partition("?")[0]
    page = stranger.get(path, lang="en").text
    assert "Scratch here" in page
    assert "€5 off" not in page
    assert stranger.ask("POST", link, data={"x": ""}).headers["location"] == f"{link}#scratch"
    assert "€5 off" in stranger.get(path, lang="en").text


def test_a_link_to_a_free_card_cannot_be_guessed(stranger: Person, promoter: Promoter) -> None:
    link = enter(stranger, promoter.launch(free_entry={"per_shopper": 1})).headers["location"].partition("?")[0]
    other = link[:-1] + ("A" if link[-1] != "A" else "B")
    for wrong in (other, link[:34], f"{link}A", "/x/rwd_nothing"):
        assert stranger.get(wrong).status_code == 404
        assert stranger.ask("POST", wrong, data={"x": ""}).status_code == 404


def test_each_person_has_so_many_free_entries(stranger: Person, promoter: Promoter, engine: Engine) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    assert enter(stranger, campaign).status_code == 303
    for same in ("ada@gmail.com", "ADA@gmail.com "):
        again = enter(stranger, campaign, email=same)
        assert again.status_code == 409
        assert NO_CARD in again.text
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Reward)) == 1
        assert "@" not in str(conn.execute(select(Reward)).all())


def test_nobody_learns_by_trying_addresses_who_had_a_card(stranger: Person, promoter: Promoter, engine: Engine) -> None:
    """Who had theirs is answered as where none is left, and each try counts."""
    campaign = promoter.launch([VOUCHER | {"stock": 1}], free_entry={"per_shopper": 1})
    assert enter(stranger, campaign).status_code == 303
    had, left = enter(stranger, campaign), enter(stranger, campaign, email="eve@gmail.com")
    assert (had.status_code, left.status_code) == (409, 409)
    assert had.text.replace("ada@", "eve@") == left.text
    for _ in range(7):
        assert NO_CARD in enter(stranger, campaign).text
    assert "Many free entries came from here today." in enter(stranger, campaign).text
    with engine.connect() as conn:
        assert conn.scalar(select(FreeEntrant.times)) == 10


def test_one_network_has_so_many_free_entries_a_day(stranger: Person, promoter: Promoter, engine: Engine) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    told = [enter(stranger, campaign, email=f"ada{number}@gmail.com").status_code for number in range(12)]
    assert told == [303] * 10 + [429] * 2
    with engine.connect() as conn:
        assert conn.scalar(select(FreeEntrant.times)) == 10


@pytest.mark.parametrize(
    "one, other, are_same",
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "testclient", False),
    ],
)
def test_a_network_of_ipv6_is_what_a_household_has(one: str, other: str, are_same: bool) -> None:
    assert (network_of(one) == network_of(other)) == are_same


@pytest.mark.parametrize(
    "form, field, said",
    [
        ({"email": ""}, "email", "An email address or a telephone number is needed."),
        ({"email": "no address"}, "email", "Please check this address."),
        ({"email": "", "phone": "soon"}, "phone", "Please check this number."),
        ({"agreed": ""}, "agreed", "Please tick this, if it is so."),
    ],
)
def test_a_form_with_something_to_put_right_comes_back(
    stranger: Person, promoter: Promoter, form: dict[str, str], field: str, said: str
) -> None:
    answer = enter(stranger, promoter.launch(free_entry={"per_shopper": 1}), **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'aria-describedby="{field}-error"' in answer.text


def test_who_lives_elsewhere_gets_no_free_card(stranger: Person, promoter: Promoter, engine: Engine) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1}, countries=["DE", "AT"])
    form = stranger.get(f"/campaigns/{campaign}/entry", lang="en").text
    assert form.index('<option value="AT">Austria') < form.index('<option value="DE">Germany')
    for country in ("", "FR", "de"):
        refused = enter(stranger, campaign, country=country, agreed="")
        assert refused.status_code == 422
        assert "Only who lives in one of these countries can take part." in refused.text
    again = enter(stranger, campaign, country="DE", agreed="")
    assert '<option value="DE" selected>' in again.text
    assert "country-error" not in again.text
    assert enter(stranger, campaign, country="DE").status_code == 303
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Reward)) == 1


def test_programs_and_other_sites_get_no_free_card(stranger: Person, promoter: Promoter, engine: Engine) -> None:
    campaign = promoter.launch(free_entry={"per_shopper": 1})
    assert (
        enter(stranger, campaign, website="https://spam.example").headers["location"]
        == f"/campaigns/{campaign}?lang=en"
    )
    assert enter(stranger, campaign, agent="python-requests/2.32").status_code == 429
    data = {"email": "ada@gmail.com", "agreed": "1"}
    crossed = {"User-Agent": AGENT, "Sec-Fetch-Site": "cross-site"}
    assert stranger.ask("POST", f"/campaigns/{campaign}/entry", data=data, headers=crossed).status_code == 403
    with engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Reward)) == 0


def test_a_campaign_without_free_entries_has_no_form(stranger: Person, promoter: Promoter) -> None:
    campaign = promoter.launch()
    assert stranger.get(f"/campaigns/{campaign}/entry").status_code == 404
    assert enter(stranger, campaign).status_code == 404
    assert "Ask for a free card" not in stranger.get(f"/campaigns/{campaign}", lang="en").text
