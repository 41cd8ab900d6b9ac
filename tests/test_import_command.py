"""``counterfoil import shopify`` and ``counterfoil hooks``, as a person runs them."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, func, select, update
from typer.testing import CliRunner, Result

from accounts.tables import Store
from api import hook_work
from cli import checks_database, imports
from cli.main import app
from kernel.clock import utc_now
from pos import inbox
from pos.endpoints import Door
from pos.event import Delivery, Reading
from pos.shopify import parse
from pos.tables import HookEndpoint
from receipts.tables import Receipt
from tests.support.published import MISSING, PUBLISHED
from tests.support.shopify import Json, line, order, refund, small
from tests.support.shops import Shops

TARGET = ("--merchant", "linden-rye", "--store", "mitte")


@pytest.fixture(autouse=True)
def _settings(database_url: str, shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COUNTERFOIL_BASE_URL", "https://receipts.test")


def run(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=typed)


def imported(*files: Path, **options: bool) -> tuple[int, list[str]]:
    dry = ["--dry-run"] if options.get("dry_run") else []
    result = run("import", "shopify", *map(str, files), *TARGET, *dry)
    return result.exit_code, result.output.splitlines()


def saved(folder: Path, name: str, body: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(body))
    return path


def receipts(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(Receipt)) or 0


def test_a_list_of_orders_is_imported_order_by_order(tmp_path: Path, engine: Engine) -> None:
    file = saved(tmp_path, "orders.json", {"orders": [order(), small("5.00")]})
    assert imported(file) == (
        0,
        [
            "[1/2] orders.json: order:9001 (#2041) imported",
            "[2/2] orders.json: order:42 (#42) imported",
            "2 imported",
        ],
    )
    assert receipts(engine) == 2


def test_twice_is_the_same_as_once(tmp_path: Path, engine: Engine) -> None:
    file = saved(tmp_path, "order.json", {"order": order()})
    imported(file)
    assert imported(file) == (0, ["[1/1] order.json: order:9001 (#2041) is there already", "1 there already"])
    assert receipts(engine) == 1


def test_an_order_that_changed_since_is_left_as_it_was(tmp_path: Path) -> None:
    imported(saved(tmp_path, "order.json", order()))
    code, (told, _) = imported(saved(tmp_path, "order.json", order(note="changed")))
    assert (code, told) == (0, "[1/1] order.json: order:9001 (#2041) is there already, told otherwise then")


def test_a_refund_may_stand_before_its_order(tmp_path: Path, engine: Engine) -> None:
    first, second = saved(tmp_path, "a.json", {"refund": refund()}), saved(tmp_path, "b.json", {"order": order()})
    code, told = imported(first, second)
    assert (code, told[-1], receipts(engine)) == (0, "2 imported", 2)


def test_a_refund_without_its_order_fails(tmp_path: Path) -> None:
    code, (told, _) = imported(saved(tmp_path, "refund.json", refund()))
    assert (code, told) == (1, "[1/1] refund.json: failed: order:9001 has to be imported first")


def test_transactions_from_another_file_go_with_their_order(tmp_path: Path, engine: Engine) -> None:
    paid = {"id": 5, "order_id": 42, "kind": "sale", "status": "success", "amount": "5.00", "gateway": "cash"}
    files = saved(tmp_path, "order.json", small("5.00")), saved(tmp_path, "paid.json", {"transactions": [paid]})
    code, told = imported(*files)
    assert (code, told[1]) == (0, "[2/2] paid.json: skipped: transactions, which go with their orders")
    with engine.connect() as conn:
        assert json.loads(conn.scalars(select(Receipt.content)).one())["payments"][0]["method"] == "cash"


def test_what_does_not_add_up_is_imported_with_the_sum_and_by_how_much(tmp_path: Path) -> None:
    code, told = imported(saved(tmp_path, "odd.json", small("9.00", line_items=[line("10.00")])))
    assert code == 0
    assert told[0].startswith("[1/1] odd.json: order:42 (#42) imported, flagged: /total ")
    assert told[0].endswith("come to 10.00; 9.00 is stated, 1.00 too little")
    assert told[1] == "1 imported and flagged"


def test_an_order_that_was_never_paid_is_skipped_with_the_reason(tmp_path: Path) -> None:
    code, (told, _) = imported(saved(tmp_path, "order.json", order(financial_status="voided")))
    assert (code, told) == (0, "[1/1] order.json: skipped: its payment was voided")


def test_a_file_that_is_no_json_fails_and_the_others_come_in(tmp_path: Path, engine: Engine) -> None:
    (tmp_path / "broken.json").write_bytes(b"{")
    code, told = imported(tmp_path / "broken.json", saved(tmp_path, "order.json", order()))
    assert (code, receipts(engine)) == (1, 1)
    assert told[1] == "[2/2] broken.json: failed: The payload is not JSON"


def test_a_dry_run_says_the_same_and_changes_nothing(tmp_path: Path, engine: Engine) -> None:
    file = saved(tmp_path, "order.json", order(refunds=[refund()]))
    code, told = imported(file, dry_run=True)
    assert (code, receipts(engine)) == (0, 0)
    assert told[-1] == "Nothing was changed. It would be: 2 imported"


def test_a_dry_run_lets_others_write_between_its_slices(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order and its refund are one slice, or the refund would not find it."""
    turns: list[float] = []

    def others(seconds: float) -> None:
        turns.append(seconds)
        with engine.begin() as conn:
            conn.execute(update(Store).values(name=f"Turn {len(turns)}"))

    monkeypatch.setattr(imports, "_TOGETHER", 1)
    monkeypatch.setattr("cli.imports.time.sleep", others)
    files = saved(tmp_path, "orders.json", [order(), small("5.00")]), saved(tmp_path, "refund.json", refund())
    code, told = imported(*files, dry_run=True)
    assert (code, told[-1]) == (0, "Nothing was changed. It would be: 3 imported")
    assert [seconds > 0.1 for seconds in turns] == [False, True]


def test_nothing_is_said_to_be_imported_before_it_is_kept(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, lost = parse.read_order, order(id=9002)

    def breaks(body: Json, *rest: Any) -> Reading:
        if body["id"] == lost["id"]:
            raise RuntimeError
        return first(body, *rest)

    monkeypatch.setattr(parse, "read_order", breaks)
    code, told = imported(saved(tmp_path, "orders.json", [order(), lost]))
    assert (code, told, receipts(engine)) == (1, [], 0)


def test_a_refund_that_waits_in_the_inbox_is_woken_by_an_import(tmp_path: Path, engine: Engine) -> None:
    run("hooks", "create", *TARGET, typed="a secret of the shop\n")
    with engine.begin() as conn:
        (endpoint,) = conn.execute(select(HookEndpoint.__table__))
        door = Door(endpoint.id, endpoint.merchant_id, endpoint.store_id, ())
        inbox.put(
            conn, door, Delivery("d-1", "refunds/create"), json.dumps(refund()), now=utc_now() - timedelta(hours=1)
        )
    hook_work.sweep(engine, now=utc_now())
    imported(saved(tmp_path, "order.json", order()))
    hook_work.sweep(engine, now=utc_now())
    assert receipts(engine) == 2


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=MISSING)
def test_all_published_files_come_in(engine: Engine) -> None:
    code, told = imported(*sorted(PUBLISHED.glob("*.json")))
    assert code == 0
    # Two files hold one order, before and after its refund; two others are different orders with the same id.
    assert told[-1] == "2 imported and flagged, 2 there already, 2 imported, 3 skipped"
    assert receipts(engine) == 4


def test_the_help_has_an_example() -> None:
    assert "counterfoil import shopify orders.json" in " ".join(run("import", "shopify", "--help").output.split())


def test_an_address_is_made_listed_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run("hooks", "create", *TARGET, typed="a secret of the shop\n")
    assert made.output.startswith("https://receipts.test/hooks/shopify/")
    (listed,) = run("hooks", "list", "--merchant", "linden-rye").output.splitlines()
    endpoint_id = listed.split()[0]
    assert listed.endswith(made.output.strip())
    monkeypatch.setenv("COUNTERFOIL_HOOK_SECRET", "another secret")
    assert run("hooks", "rotate", "--merchant", "linden-rye", endpoint_id).exit_code == 0
    assert run("hooks", "remove", "--merchant", "linden-rye", endpoint_id).exit_code == 0
    assert run("hooks", "list", "--merchant", "linden-rye").output == ""


def test_the_doctor_names_an_address_whose_secret_another_key_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.doctor._CHECKS", {"webhooks": checks_database.webhooks})
    run("hooks", "create", *TARGET, typed="a secret of the shop\n")
    assert run("doctor").output == "ok    webhooks: the secret of each address can be read\n"
    (listed,) = run("hooks", "list", "--merchant", "linden-rye").output.splitlines()
    monkeypatch.setenv("COUNTERFOIL_SECRET_KEY", Fernet.generate_key().decode())
    told = run("doctor")
    assert told.exit_code == 1
    assert told.output.startswith(f"FAIL  webhooks: the secret of {listed.split()[0]} was not sealed with this")
