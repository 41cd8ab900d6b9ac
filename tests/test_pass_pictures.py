"""Pictures of passes are drawn once for a brand, and kept within a bound."""

import tracemalloc
from collections.abc import Callable
from io import BytesIO
from os import urandom

import pytest
from PIL import Image

from infra import pass_pictures

Draw = Callable[[bytes], object]


def of_brand(logo: bytes) -> dict[str, bytes]:
    return pass_pictures.of_brand(logo, "Linden & Rye", "#1f5c47", "#ffffff")


def noise(width: int, height: int) -> bytes:
    """A picture that no packing makes small."""
    out = BytesIO()
    Image.frombytes("RGB", (width, height), urandom(width * height * 3)).save(out, "PNG")
    return out.getvalue()


def kept_of(draw: Draw, *, times: int) -> int:
    """Bytes that stay when so many pictures were drawn, and nobody has them any more."""
    tracemalloc.start()
    try:
        draw(noise(480, 150))
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(times):
            draw(noise(480, 150))
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("draw, most", [(of_brand, 4_500_000), (pass_pictures.of_person, 500_000)])
def test_however_many_are_drawn_few_bytes_stay(draw: Draw, most: int) -> None:
    assert kept_of(draw, times=40) < most


def test_a_brand_is_drawn_once_for_each_logo() -> None:
    logo, other = noise(480, 150), noise(480, 150)
    assert of_brand(logo) is of_brand(logo)
    assert of_brand(other) != of_brand(logo)


def test_a_letter_is_drawn_for_each_name_and_colour() -> None:
    drawn = [
        pass_pictures.of_brand(None, name, ground, ink)
        for name, ground, ink in [("L", "#000000", "#ffffff"), ("R", "#000000", "#ffffff"), ("L", "#ffffff", "#000000")]
    ]
    assert len({each["icon.png"] for each in drawn}) == 3
