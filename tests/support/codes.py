"""QR codes as people meet them: with a logo of any kind, held at an angle, out of focus."""

import random
import string
from io import BytesIO

import zxingcpp
from PIL import Image, ImageDraw, ImageFilter

from infra import qr

_GREY = 200


def a_logo(chance: random.Random) -> bytes:
    """Of any shape and colours, with or without a ground of its own."""
    size = (chance.randrange(60, 400), chance.randrange(60, 400))
    made = Image.new("RGBA", size, (*_colour(chance), chance.choice((0, 255))))
    draw = ImageDraw.Draw(made)
    for _ in range(chance.randrange(1, 9)):
        left, right = sorted(chance.randrange(size[0]) for _ in "ab")
        top, bottom = sorted(chance.randrange(size[1]) for _ in "ab")
        draw.ellipse((left, top, right, bottom), fill=_colour(chance))
    out = BytesIO()
    made.save(out, "PNG")
    return out.getvalue()


def as_seen(code: Image.Image, chance: random.Random) -> Image.Image:
    """By a phone: turned by up to 25 degrees, from somewhat above, out of focus, in grey light."""
    scene = Image.new("L", (700, 700), _GREY)
    scene.paste(code.convert("L").resize((420, 420), Image.Resampling.LANCZOS), (140, 140))
    turned = scene.rotate(chance.uniform(-25, 25), Image.Resampling.BICUBIC, fillcolor=_GREY)
    lean = [chance.uniform(-0.00012, 0.00012) for _ in "xy"]
    leant = turned.transform(
        turned.size, Image.Transform.PERSPECTIVE, (1, 0, 0, 0, 1, 0, *lean), Image.Resampling.BICUBIC, fillcolor=_GREY
    )
    return leant.filter(ImageFilter.GaussianBlur(chance.uniform(0.8, 2.0)))


def unread(count: int) -> tuple[list[int], list[int]]:
    """Which of so many random cards have a code that is not read as it is drawn, and which not as it is seen."""
    drawn, seen = [], []
    for seed in range(count):
        chance = random.Random(seed)
        link = _link(chance)
        code = Image.open(BytesIO(qr.png(link, logo=a_logo(chance))))
        drawn += [] if _is_read(code.convert("RGB"), link) else [seed]
        seen += [] if _is_read(as_seen(code, chance), link) else [seed]
    return drawn, seen


def _is_read(picture: Image.Image, link: str) -> bool:
    return link in [code.text for code in zxingcpp.read_barcodes(picture)]


def _link(chance: random.Random) -> str:
    token = "".join(chance.choices(string.ascii_letters + string.digits + "-_", k=22))
    return f"https://{'cards.' * chance.randrange(1, 4)}example.com/c/{token}?s=qr"


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)
