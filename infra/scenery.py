"""What our pictures are made of: a brand's engraved ground, paper stamps on it, and columns of text."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from math import hypot

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from infra.images import written
from infra.lettering import Line, draw
from infra.theme import Palette

_FINE = 2  # drawn so many times larger, and then shrunk
_LINE_EVERY = 22  # pixels between engraved lines
_DEPTH = 56  # of 255, how much darker or lighter the far corner is
_HOLE, _PITCH = 7, 22  # pixels: radius and distance of a stamp's perforation
_BORDER = 26
_SHADOW = 14


@dataclass(slots=True)
class Scene:
    """A picture that is being made. In one from right to left (``is_mirrored``) all stands on the other side."""

    picture: Image.Image
    is_mirrored: bool

    @property
    def width(self) -> int:
        return self.picture.width

    def left_of(self, x: float, width: float) -> float:
        """Where something ``width`` wide has its left end that starts ``x`` from the side where reading starts."""
        return self.picture.width - x - width if self.is_mirrored else x

    def write(self, lines: Sequence[Line], at: tuple[float, float], colour: str, gap: float = 0.22) -> float:
        """Lines below one another from ``at``, the corner where reading starts. Gives the lower end of the last."""
        pen, (x, y) = ImageDraw.Draw(self.picture), at
        for line in lines:
            draw(pen, line, (self.left_of(x, line.width), y + line.above), colour)
            y += line.above + line.below + gap * line.size
        return y - (gap * lines[-1].size if lines else 0)

    def put(self, picture: Image.Image, at: tuple[int, int]) -> None:
        """``picture``, whose transparency counts, with the corner where reading starts ``at``."""
        place = (int(self.left_of(at[0], picture.width)), at[1])
        self.picture.paste(picture, place, picture if picture.mode == "RGBA" else None)

    def jpeg(self, quality: int = 88) -> bytes:
        return written(self.picture, "JPEG", quality=quality, optimize=True, progressive=True, subsampling=0)


def height(lines: Sequence[Line], gap: float = 0.22) -> float:
    """Of what :meth:`Scene.write` writes."""
    spaces = sum(gap * line.size for line in lines[:-1])
    return sum(line.above + line.below for line in lines) + spaces


def ground(size: tuple[int, int], palette: Palette, *, is_mirrored: bool = False) -> Image.Image:
    """The brand's colour, deeper towards one side, with rings of fine lines around a corner."""
    whole = Image.new("RGB", size, palette.brand)
    whole.paste(palette.engraving, mask=_rings(size))
    # Away from the text's own tone, so that it can be read as well as on the plain colour.
    depth = Image.linear_gradient("L").resize(size).point(lambda tone: tone * _DEPTH // 255)
    whole.paste("black" if palette.on_brand == "#ffffff" else "white", mask=depth)
    return ImageOps.mirror(whole) if is_mirrored else whole


def stamp(inside: Image.Image, paper: str) -> Image.Image:
    """``inside`` on perforated paper that throws a shadow; transparent around it."""
    side = (inside.width + 2 * _BORDER, inside.height + 2 * _BORDER)
    outline = _perforated(side)
    sheet = Image.new("RGBA", (side[0] + 4 * _SHADOW, side[1] + 4 * _SHADOW), (0, 0, 0, 0))
    shade = Image.new("L", sheet.size)
    shade.paste(90, (2 * _SHADOW, 2 * _SHADOW + _SHADOW // 2), outline)
    sheet.putalpha(shade.filter(ImageFilter.GaussianBlur(_SHADOW)))
    leaf = Image.new("RGBA", side, paper)
    leaf.paste(inside, (_BORDER, _BORDER))
    sheet.paste(leaf, (2 * _SHADOW, 2 * _SHADOW), outline)
    return sheet


def stamp_margin() -> int:
    """How far a stamp's shadow reaches around it."""
    return 2 * _SHADOW


def tile(logo: bytes, side: int, paper: str) -> Image.Image:
    """A brand's logo with round corners, on paper of its own: whatever its colours, it is seen on the brand's."""
    mark = Image.open(BytesIO(logo), formats=("PNG",)).convert("RGBA")
    is_bare = mark.getpixel((0, 0))[3] < 128  # type: ignore[index]
    room = round(side * 0.8) if is_bare else side
    mark = ImageOps.contain(mark, (room * 3, room), Image.Resampling.LANCZOS)
    width = mark.width + (side - room if is_bare else 0)
    whole = Image.new("RGBA", (width, side), paper)
    whole.alpha_composite(mark, ((width - mark.width) // 2, (side - mark.height) // 2))
    whole.putalpha(_rounded(whole.size, side // 5))
    return whole


def _rings(size: tuple[int, int]) -> Image.Image:
    width, height = (measure * _FINE for measure in size)
    mask = Image.new("L", (width, height))
    pen, (x, y) = ImageDraw.Draw(mask), (1.04 * width, 1.18 * height)
    for radius in range(_LINE_EVERY * _FINE, int(hypot(x, y)), _LINE_EVERY * _FINE):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=255, width=_FINE * 2)
    return mask.resize(size, Image.Resampling.BOX)


def _perforated(size: tuple[int, int]) -> Image.Image:
    width, height = (measure * 4 for measure in size)
    mask = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(mask)
    for across, down in ((width, height), (height, width)):
        count = max(round(across / (4 * _PITCH)), 2)
        for at in (index * across / count for index in range(count + 1)):
            for edge in (0, down):
                x, y = (at, edge) if across is width and (across, down) == (width, height) else (edge, at)
                pen.ellipse((x - 4 * _HOLE, y - 4 * _HOLE, x + 4 * _HOLE, y + 4 * _HOLE), fill=0)
    return mask.resize(size, Image.Resampling.BOX)


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    mask = Image.new("L", (size[0] * 4, size[1] * 4))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *mask.size), radius * 4, fill=255)
    return mask.resize(size, Image.Resampling.BOX)
