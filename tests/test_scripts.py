"""The scripts explain themselves, wherever they are called from, before they install anything."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_help_shows_the_usage_and_an_example(script: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [script, "--help"], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert shown.returncode == 0
    assert f"\nUsage: scripts/{script.name}" in shown.stdout
    assert f"\nExample: scripts/{script.name}" in shown.stdout
    assert shown.stderr == ""


def test_setup_refuses_a_word_that_it_does_not_know() -> None:
    refused = subprocess.run([ROOT / "scripts" / "setup", "--tset"], capture_output=True, text=True)
    assert refused.returncode == 1
    assert "does not know --tset; see scripts/setup --help" in refused.stderr
