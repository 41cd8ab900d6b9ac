"""Pictures of a card: the one that a shared link shows, and the wall behind somebody in a video call."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from cards.face import Face
from infra import lettering, qr, scenery
from infra.i18n import voice
from infra.lettering import Fit, Line, fitted
from infra.scenery import Scene
from infra.theme import Palette, theme
from kernel.locale import direction

_PREVIEW: Final = (1200, 630)
_BACKDROP: Final = (1920, 1080)
# Between two blocks of text.
_GAP: Final = 26
_NAME_SIZES: Final = (86, 72, 60, 50, 44)
_EDGE: Final = 72
_PHOTO: Final = 340
_CODE: Final = 264  # pixels of a code, of which a blurred video leaves enough
_CLEAR: Final = 150  # what a call's window may cut off at a side


@dataclass(frozen=True, slots=True)
class Sitter:
    """Who is drawn: ``colour`` is the brand's, ``photo`` a square JPEG, ``logo`` a PNG."""

    face: Face
    colour: str
    photo: bytes | None
    logo: bytes | None

    @property
    def palette(self) -> Palette:
        return theme(self.colour).light


def preview(sitter: Sitter) -> bytes:
    """A JPEG of 1200 by 630 pixels (ogp.me). Takes a third of a second."""
    palette, scene = sitter.palette, _scene(sitter, _PREVIEW)
    stamp = scenery.stamp(_likeness(sitter, _PHOTO), palette.paper)
    scene.put(stamp, (scene.width - _EDGE - stamp.width + scenery.stamp_margin(), (_PREVIEW[1] - stamp.height) // 2))
    width = scene.width - 2 * _EDGE - stamp.width - 8
    top = _head(scene, sitter, (_EDGE, _EDGE), width, 64)
    title = fitted(sitter.face.role, Fit(width, most=36, least=28, lines=2))
    place = fitted(_place(sitter.face), Fit(width, most=28, least=22))
    below = sum(scenery.height(each) + _GAP for each in (title, place) if each)
    name = _name(sitter, width, _PREVIEW[1] - _EDGE - below - top - _GAP)
    _from_below(scene, palette, (_EDGE, _PREVIEW[1] - _EDGE), [(name, True), (title, False), (place, False)])
    return scene.jpeg()


def backdrop(sitter: Sitter, link: str) -> bytes:
    """A JPEG of 1920 by 1080 pixels with ``link`` as a code: who stands before it hides nothing of either."""
    palette, scene = sitter.palette, _scene(sitter, _BACKDROP)
    width = 430
    y = _head(scene, sitter, (_CLEAR, _EDGE + 24), width, 72) + 64
    name = fitted(sitter.face.name, Fit(width, most=58, least=34, lines=3, weight=700))
    y = scene.write(name, (_CLEAR, y), palette.on_brand) + 24
    scene.write(fitted(sitter.face.role, Fit(width, most=32, least=24, lines=3)), (_CLEAR, y), palette.on_brand_soft)
    stamp = scenery.stamp(_code(link), palette.paper)
    left, top = scene.width - _CLEAR - stamp.width + scenery.stamp_margin(), _EDGE + 24 - scenery.stamp_margin()
    scene.put(stamp, (left, top))
    said = voice(sitter.face.language).gettext("Scan to save my contact")
    caption = fitted(said, Fit(stamp.width - 2 * scenery.stamp_margin(), most=26, least=18, lines=2))
    scene.write(caption, (left + scenery.stamp_margin(), top + stamp.height - 4), palette.on_brand)
    return scene.jpeg(quality=92)


def _scene(sitter: Sitter, size: tuple[int, int]) -> Scene:
    is_mirrored = direction(sitter.face.language) == "rtl"
    return Scene(scenery.ground(size, sitter.palette, is_mirrored=is_mirrored), is_mirrored)


def _head(scene: Scene, sitter: Sitter, at: tuple[int, int], width: int, side: int) -> float:
    """The brand's logo and the organisation's name beside it; gives their lower end."""
    x, y = at
    if sitter.logo:
        mark = scenery.tile(sitter.logo, side, sitter.palette.paper)
        scene.put(mark, at)
        x += mark.width + 20
    said = fitted(sitter.face.organisation, Fit(width + at[0] - x, most=34, least=24, lines=2, weight=700))
    middle = (side - scenery.height(said)) / 2 if sitter.logo else 0
    return max(scene.write(said, (x, y + middle), sitter.palette.on_brand), y + (side if sitter.logo else 0))


def _from_below(
    scene: Scene, palette: Palette, at: tuple[int, int], blocks: list[tuple[tuple[Line, ...], bool]]
) -> None:
    """Blocks of text over one another, the last one ending ``at``; the chief ones are brighter."""
    y = float(at[1])
    for lines, is_chief in reversed([each for each in blocks if each[0]]):
        y -= scenery.height(lines)
        scene.write(lines, (at[0], y), palette.on_brand if is_chief else palette.on_brand_soft)
        y -= _GAP


def _name(sitter: Sitter, width: int, room: float) -> tuple[Line, ...]:
    """As large as ``room`` in height allows."""
    sizes = (fitted(sitter.face.name, Fit(width, most=most, least=44, lines=3, weight=700)) for most in _NAME_SIZES)
    *larger, least = sizes
    return next((name for name in larger if scenery.height(name) <= room), least)


def _likeness(sitter: Sitter, side: int) -> Image.Image:
    """The photo, or the letters that stand in for it."""
    if sitter.photo:
        photo = Image.open(BytesIO(sitter.photo), formats=("JPEG",)).convert("RGB")
        return photo.resize((side, side), Image.Resampling.LANCZOS)
    palette = sitter.palette
    blank = Image.new("RGB", (side, side), palette.soft)
    for line in fitted(sitter.face.initials, Fit(side * 3 // 4, most=side * 2 // 5, least=40, weight=700)):
        ink = max(-run.top for run in line.runs) - max(run.bottom for run in line.runs)
        at = ((side - line.width) / 2, (side + ink) / 2)
        lettering.draw(ImageDraw.Draw(blank), line, at, palette.accent)
    return blank


def _code(link: str) -> Image.Image:
    qr.prove(link)
    return Image.open(BytesIO(qr.png(link, margin=1, size=_CODE))).convert("RGB")


def _place(face: Face) -> str:
    address = face.shop.address if face.shop else None
    return " · ".join(each for each in (face.shop.name if face.shop else "", address.city if address else "") if each)
