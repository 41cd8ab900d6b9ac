"""Whoever copies the script of docs/trust.md can verify a receipt by themselves."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.inside import Person, on_sqlite
from tests.support.sales import superset
from tests.test_readme import fences

PAGE = Path(__file__).resolve().parent.parent / "docs" / "trust.md"


@on_sqlite
def test_the_script_of_the_page_tells_a_genuine_receipt_from_a_changed_one(
    owner: Person, stranger: Person, tmp_path: Path
) -> None:
    [script] = fences(PAGE.read_text(), "python")
    assert len([line for line in script.splitlines() if line.strip()]) <= 15
    receipt = owner.post("/v1/receipts", superset()).json()
    document, keys = tmp_path / "receipt.json", tmp_path / "jwks.json"
    document.write_bytes(stranger.get(f"/r/{receipt['token']}.json").content)
    keys.write_bytes(stranger.get("/.well-known/linden-rye/jwks.json").content)
    command = [sys.executable, "-W", "ignore", "-c", script, str(document), str(keys)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == f"genuine: {receipt['number']} of https://receipts.test/.well-known/linden-rye\n", done.stderr
    document.write_text(json.dumps(json.loads(document.read_bytes()) | {"total": "0.00"}))
    assert "InvalidSignature" in subprocess.run(command, capture_output=True, text=True).stderr
