"""Our own files are served under addresses that change with them, and stylesheets lose nothing but space."""

import gzip

import brotli
import pytest

from infra import static
from infra.static import Asset

SCRIPTS = sorted(path.name for path in static.FOLDER.glob("*.js"))


def asset(name: str) -> Asset:
    found = static.find(static.url(name))
    assert found
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_file_is_found_under_its_address(name: str) -> None:
    assert asset(name).body == (static.FOLDER / name).read_bytes()
    assert asset(name).media_type == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_compressed_forms_are_the_same_file(name: str) -> None:
    found = asset(name)
    assert found.brotli
    assert found.gzip
    assert brotli.decompress(found.brotli) == gzip.decompress(found.gzip) == found.body


@pytest.mark.parametrize(
    "path", ["/static/receipt.js", "/static/0000000000/receipt.js", "/static/../pyproject.toml", "/static/", ""]
)
def test_nothing_else_is_found(path: str) -> None:
    assert static.find(path) is None


def test_an_address_of_a_missing_file_is_an_error() -> None:
    with pytest.raises(KeyError):
        static.url("missing.js")


def test_a_stylesheet_is_made_small_without_a_loss(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(static, "FOLDER", tmp_path)
    written = "/* why */\na  :is(b, c) > d {\n  margin: calc(1px + 2px) auto;\n}\n@media (a) and (b) { e { f: g } }\n"
    (static.FOLDER / "small.css").write_text(written)
    assert static.stylesheet("small.css") == "a :is(b,c)>d{margin:calc(1px + 2px) auto}@media (a) and (b){e{f:g}}"
