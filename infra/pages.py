"""The door to Jinja: pages from templates, in the reader's words, under a policy that lets nothing foreign in."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache, lru_cache, partial
from types import CodeType
from typing import Any, Final

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from infra import static
from infra.i18n import voice
from infra.settings import ROOT
from infra.theme import csp_hash
from kernel.locale import LANGUAGES, isolated

TEMPLATES: Final = ROOT / "templates"


class _Compiled(BytecodeCache):
    """Templates are compiled once: the words are not in their code, so all languages share it."""

    def __init__(self) -> None:
        self._codes: dict[str, CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.code


_COMPILED: Final = _Compiled()


@cache
def environment(language: str) -> Environment:
    """One for each language, so that ``_`` is a constant of its templates. An undefined name is an error."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    words = voice(language)
    env.filters["isolated"] = partial(isolated, beside=words.direction)
    env.globals |= {
        "_": words.gettext,
        "ngettext": words.ngettext,
        "static": static.url,
        "stylesheet": lambda name: Markup(static.stylesheet(name)),  # noqa: S704 - our own file
    }
    return env


def render(template: str, context: Any, language: str) -> str:
    """The page; ``context`` is a dataclass whose fields are the template's variables."""
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    return environment(language).get_template(template).render(values)


def part(template: str, macro: str, content: Any, language: str) -> str:
    """One part of a page by itself, for a script to put into it."""
    return str(getattr(environment(language).get_template(template).module, macro)(content))


@cache
def warm() -> None:
    """Read every catalogue and compile every template, so that no reader waits for it; once for each process."""
    for language in LANGUAGES:
        for template in environment(language).list_templates():
            environment(language).get_template(template)


@lru_cache(maxsize=1024)
def policy(*styles: str, asks: bool = False, leads_to: str = "", is_framed: bool = False) -> str:
    """A ``Content-Security-Policy``: our own scripts and pictures, ``styles`` by their hashes, nothing else.

    Where it ``is_framed``, any other page may show it in a frame.

    ``asks`` allows a page to fetch from us, as one does that waits for its receipt. A form may end at the origins
    ``leads_to``, parted by spaces, as well as with us.
    """
    sources: Mapping[str, str] = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": " ".join(("'self'", *styles)),
        "img-src": "'self' data:",
        "connect-src": "'self'" if asks else "'none'",
        "form-action": f"'self' {leads_to}".strip(),
        "base-uri": "'none'",
        "frame-ancestors": "*" if is_framed else "'none'",
    }
    return "; ".join(f"{directive} {source}" for directive, source in sources.items())


@cache
def stylesheet_hash(name: str) -> str:
    """For :func:`policy`."""
    return csp_hash(static.stylesheet(name))
