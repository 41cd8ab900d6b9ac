"""How an email's HTML is dressed: what css-inline writes into it, and what stays in its head for those who read it."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from infra import pages
from infra.theme import Palette, theme

if TYPE_CHECKING:
    from css_inline import CSSInliner

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACE: Final = re.compile(r"\s+")
_AROUND: Final = re.compile(r" ?([{};,>]) ?|(:) ")
_COLOUR: Final = re.compile(r"var\(--([a-z-]+)\)")
_RULE: Final = re.compile(r"([^{}]+)(\{[^}]*\})")
# What Outlook puts on elements around those whose text or ground it has recoloured.
_OUTLOOK: Final = ("[data-ogsc]", "[data-ogsb]")


@dataclass(frozen=True, slots=True)
class Styles:
    """Two texts for the head, since a mail program that cannot read one leaves out all of it."""

    narrow: str
    night: str


@lru_cache(maxsize=256)
def styles(colour: str) -> Styles:
    """``colour`` is the brand's."""
    night = _coloured(_read("night"), theme(colour).dark)
    for_outlook = "".join(f"{_under_outlook(chosen)}{rule}" for chosen, rule in _RULE.findall(night))
    return Styles(_read("narrow"), f"@media (prefers-color-scheme:dark){{{night}}}{for_outlook}")


def dressed(html: str, *, colour: str, direction: str) -> str:
    """``html`` with its styles in it: most mail programs read them nowhere else."""
    return _inliner(colour, direction).inline(html)


@lru_cache(maxsize=256)
def _inliner(colour: str, direction: str) -> "CSSInliner":
    # Late: a server that leaves letters to workers need not carry it (2 MB).
    from css_inline import CSSInliner

    start = "right" if direction == "rtl" else "left"
    css = _coloured(_read("inlined"), theme(colour).light).replace("inline-start", start)
    return CSSInliner(
        inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False, minify_css=True, extra_css=css
    )


def _under_outlook(selectors: str) -> str:
    return ",".join(f"{mark} {each}" for each in selectors.split(",") for mark in _OUTLOOK)


def _coloured(css: str, palette: Palette) -> str:
    return _COLOUR.sub(lambda found: str(getattr(palette, found[1].replace("-", "_"))), css)


@cache
def _read(name: str) -> str:
    """A stylesheet without comments and spare space."""
    text = _SPACE.sub(" ", _COMMENT.sub("", (pages.TEMPLATES / "email" / f"{name}.css").read_text(encoding="utf-8")))
    return _AROUND.sub(r"\1\2", text).replace(";}", "}").strip()
