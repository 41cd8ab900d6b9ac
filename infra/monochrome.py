"""Logos for paper: black on white for the thermal printer, and without transparency for any other."""

from io import BytesIO

from PIL import Image, ImageOps, ImageStat

_SIDE = 192  # dots: sharp at 14 mm, which a till prints with 112
_LEAST_CONTRAST = 40  # of 255
_INK = 190  # what is darker than this is printed: a yellow too, but not the haze of a JPEG


def black_on_white(png: bytes) -> bytes | None:
    """The logo as PNG in two tones, its surroundings white whatever they were: large black areas are what ruins a slip.

    Where colours tell nothing apart (white on transparent) the shape is printed; None where there is no shape either.
    """
    picture = _opened(png)
    grey = _levelled(_over_white(picture).convert("L")) or _levelled(ImageOps.invert(picture.getchannel("A")))
    if grey is None:
        return None
    if _edge(grey) < 128:
        grey = ImageOps.invert(grey)
    ink = ImageOps.contain(grey, (_SIDE, _SIDE), Image.Resampling.LANCZOS).point(lambda tone: 255 * (tone < _INK))
    return _written(ImageOps.invert(ink.crop(ink.getbbox())))


def on_white(png: bytes, side: int) -> bytes:
    """The logo in its colours over white, at most ``side`` pixels a side."""
    picture = _over_white(_opened(png))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return _written(picture)


def in_grey(png: bytes) -> bytes:
    """With eight bits a pixel: of other pictures WeasyPrint makes coloured ones first, which takes it longer."""
    return _written(Image.open(BytesIO(png), formats=("PNG",)).convert("L"))


def _opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png), formats=("PNG",)).convert("RGBA")


def _over_white(picture: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def _levelled(grey: Image.Image) -> Image.Image | None:
    """With its darkest tone black and its lightest white; None where they are nearly the same."""
    darkest, lightest = ImageStat.Stat(grey).extrema[0]
    return ImageOps.autocontrast(grey) if lightest - darkest >= _LEAST_CONTRAST else None


def _edge(grey: Image.Image) -> float:
    """The mean tone of the outermost pixels."""
    rim = Image.new("L", grey.size, 255)
    rim.paste(0, (1, 1, max(grey.width - 1, 1), max(grey.height - 1, 1)))
    return ImageStat.Stat(grey, rim).mean[0]


def _written(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
