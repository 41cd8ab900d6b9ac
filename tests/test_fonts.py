"""Fonts: each script's letters are in the file cut for it, and what no font has is named."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from infra import fonts

SAMPLES = {
    "Latn": "Crème brûlée, Żurek, Smørrebrød, Phở bò, Șalău, Iğdır, “2 × 3” – ½ № 7 … → ✓",
    "Grek": "Αθήνα: Γιαούρτι, ὕδωρ",
    "Cyrl": "Борщ український, Ћевапи, ҚАЗАҚ",
    "Arab": "قهوة عربية، تفاح ٠١٢٣٤٥٦٧٨٩٪ ۱۲۳ د.إ ر.س ﷼ لا پنیر",
    "Deva": "मसाला डोसा, क्षत्रिय ज्ञान श्री १२३ ॥ र्क",
}
CURRENCIES = "₹€₺₽₪₦₫₴₸₼₾₿₡₲₱₭₮₩¥£¢฿₨ƒ₤₵$¤ AED kr zł Kč"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fonts")


def letters(face: fonts.FontFace) -> set[str]:
    with TTFont(face.path) as font:
        return {chr(point) for point in font.getBestCmap()}


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """As on a machine without fontconfig."""
    caches = (fonts._installed, fonts._letters, fonts._drawable, fonts._stand_in, fonts._coverage, fonts.faces_for)
    for cached in caches:
        cached.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.mark.parametrize("script", SAMPLES)
def test_every_letter_of_a_script_is_in_the_faces_chosen_for_it(script: str, folder: Path) -> None:
    faces = fonts.faces_for(fonts.scripts_of(SAMPLES[script]), folder)

    for weight in (400, 700):
        held = set().union(*(letters(face) for face in faces if face.weight == weight))
        assert not set(SAMPLES[script]) - held


@pytest.mark.parametrize("weight", [400, 700])
def test_every_currency_sign_is_in_the_latin_face(weight: int, folder: Path) -> None:
    (face,) = (face for face in fonts.faces_for(frozenset(), folder) if face.weight == weight)

    assert not set(CURRENCIES) - letters(face)


def test_latin_is_always_there_and_other_scripts_only_where_asked_for(folder: Path) -> None:
    assert {face.family for face in fonts.faces_for(frozenset(), folder)} == {"Counterfoil Latn"}
    assert {face.family for face in fonts.faces_for(frozenset({"Arab", "Thai"}), folder)} == {
        "Counterfoil Latn",
        "Counterfoil Arab",
    }


def test_a_face_is_much_smaller_than_its_font_and_keeps_what_shaping_needs(folder: Path) -> None:
    for face in fonts.faces_for(frozenset({"Arab", "Deva"}), folder):
        assert face.path.stat().st_size < 160_000
        with TTFont(face.path) as font:
            features = {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}
        expected = {"Latn": {"tnum"}, "Arab": {"init", "medi", "fina", "rlig"}, "Deva": {"akhn", "half", "rphf"}}
        assert expected[face.family[-4:]] <= features


def test_faces_are_made_once_and_their_bytes_are_always_the_same(folder: Path, tmp_path: Path) -> None:
    first = fonts.faces_for(frozenset(), folder)
    before = [face.path.stat().st_mtime_ns for face in first]
    fonts.faces_for.cache_clear()
    again = fonts.faces_for(frozenset(), folder)
    elsewhere = fonts.faces_for(frozenset(), tmp_path)

    assert [face.path.stat().st_mtime_ns for face in again] == before
    assert [face.path.name for face in elsewhere] == [face.path.name for face in first]
    assert [face.path.read_bytes() for face in elsewhere] == [face.path.read_bytes() for face in first]


@pytest.mark.parametrize(
    "text, scripts",
    [
        ("", set()),
        ("12,50 €", {"Latn"}),
        ("Ümit", {"Latn"}),
        ("Phở", {"Latn", "Latn-more"}),
        ("قهوة 12", {"Arab", "Latn"}),
        ("مرحبا، ؟", {"Arab"}),
        ("चाय\u200d", {"Deva"}),
        ("ชา 漢字", {"Thai", "Hani"}),
        ("😀\n\t\u2068", set()),
    ],
)
def test_the_scripts_of_a_text_are_named(text: str, scripts: set[str]) -> None:
    assert fonts.scripts_of(text) == scripts


def test_nothing_is_missing_from_what_our_fonts_hold() -> None:
    assert fonts.missing("".join(SAMPLES.values()) + CURRENCIES + "\u2068\u2069\u200f\n") == {}
    assert fonts.absent() == {}


def test_letters_that_no_font_has_are_named_by_their_script(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fonts.missing("a \U0010fffd") == {"Signs": "\U0010fffd"}

    for cached in ("_drawable", "_stand_in", "_coverage"):
        monkeypatch.setattr(fonts, cached, getattr(fonts, cached).__wrapped__)
    monkeypatch.setattr(fonts, "_ask", lambda *_command: "")
    assert fonts.missing("tea ชา 😀") == {"Thai": "ชา", "Signs": "😀"}


def test_a_script_without_a_font_of_ours_takes_what_the_machine_has() -> None:
    for weight, name in ((400, "NotoSansThai-Regular.ttf"), (700, "NotoSansThai-Bold.ttf")):
        found = fonts.file_of("ช", weight)
        assert found
        assert (found[0].name, found[1]) == (name, 0)
    assert fonts.file_of("\U0010fffd", 400) is None
    assert fonts.file_of("😀", 400) is None


def test_a_name_of_many_letters_takes_no_process_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    ask = fonts._ask

    def noted(*command: str) -> str:
        asked.append(command)
        return ask(*command)

    monkeypatch.setattr(fonts, "_ask", noted)
    for cached in ("_drawable", "_stand_in", "_coverage"):
        monkeypatch.setattr(fonts, cached, cache(getattr(fonts, cached).__wrapped__))
    for char in map(chr, range(0x4E00, 0x4E00 + 300)):
        fonts.missing(char)
        fonts.file_of(char, 400)
        fonts.file_of(char, 700)

    assert len(asked) == 2


@pytest.mark.usefixtures("nothing_installed")
def test_a_machine_without_fonts_says_so(folder: Path) -> None:
    assert fonts.absent() == {
        "Latin": "fonts-inter",
        "Greek": "fonts-inter",
        "Cyrillic": "fonts-inter",
        "Arabic": "fonts-noto-core",
        "Devanagari": "fonts-noto-core",
    }
    assert fonts.missing("aع ش") == {"Latin": "a", "Arabic": "شع"}
    assert fonts.faces_for(frozenset({"Arab"}), folder) == ()


@pytest.mark.usefixtures("nothing_installed")
def test_without_inter_latin_comes_from_noto(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    noto = Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf")
    answers = {"Noto Sans": f"Noto Sans\t{noto}\t0"}
    monkeypatch.setattr(fonts, "_ask", lambda *command: answers.get(command[-1].split(":")[0], "DejaVu Sans\t/x\t0"))
    faces = fonts.faces_for(frozenset(), folder)

    assert [face.path.suffix for face in faces] == [".ttf", ".ttf"]
    assert "€" in letters(faces[0])
