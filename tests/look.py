"""``scripts/look``: a picture of every page in every state, on a phone, at night, on paper, so that somebody looks."""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from cli import demo_shops
from infra import database, logs, schema
from infra.settings import ROOT, Data, Log
from infra.storage import open_storage
from kernel.clock import utc_now
from kernel.ids import new_token
from tests.support import browser, gallery, gallery_after_sale
from tests.support.served import served

FOLDER: Final = ROOT / "look"
# A bare Linux has no face of its own for system-ui; Inter is near to those of phones.
_FONTS: Final = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include>/etc/fonts/fonts.conf</include>
<match target="pattern"><test qual="any" name="family"><string>sans-serif</string></test>
<edit name="family" mode="prepend_first" binding="strong"><string>Inter</string></edit></match>
<match target="pattern"><test qual="any" name="family"><string>system-ui</string></test>
<edit name="family" mode="prepend_first" binding="strong"><string>Inter</string></edit></match>
</fontconfig>"""


def _unfold(page: Page) -> None:
    page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")


def _show_code(page: Page) -> None:
    page.click("[popovertarget=qr]")


@dataclass(frozen=True)
class Way:
    """A way of looking at a page."""

    width: int = 390
    scheme: str = "light"
    media: str = "screen"
    scripts: bool = True
    colours: str = "none"
    whole: bool = True
    before: Callable[[Page], None] | None = None


WAYS: Final = {
    "phone": Way(),
    "night": Way(scheme="dark"),
    "narrow": Way(width=320, before=_unfold),
    "desk": Way(width=1280),
    "paper": Way(media="print"),
    "scriptless": Way(scripts=False),
    "contrast": Way(colours="active"),
    "code": Way(whole=False, before=_show_code),
}
# Every state is looked at by day and by night; these in the other ways too.
THOROUGHLY: Final = {"sale", "arabic", "picnic", "huge"}
_AFTER_SALE: Final = ("phone", "night", "narrow", "paper", "scriptless")


def main() -> None:
    asked = argparse.ArgumentParser(prog="scripts/look", description=__doc__)
    asked.add_argument("name", nargs="*", help="an exhibit's name; all without one")
    names = set(asked.parse_args().name)
    FOLDER.mkdir(exist_ok=True)
    logs.configure(Log(log_level="error"))
    with _site() as (address, pages), _system_face() as face, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser.executable(), args=browser.ARGUMENTS, env={**os.environ, **face}
        )
        for name, path in pages.items():
            if not names or name in names:
                for way in _ways(name):
                    print(_picture(chromium, address + path, name, way).relative_to(ROOT))  # noqa: T201 - its answer
        chromium.close()


@contextmanager
def _site() -> Iterator[tuple[str, dict[str, str]]]:
    """The application with the demo's shops and the gallery: its address and its pages."""
    with tempfile.TemporaryDirectory() as folder:
        data = Data(data_dir=Path(folder))
        schema.bring_up_to_date(data.where_database())
        engine = database.connect(data.where_database())
        with engine.begin() as conn:
            shops = demo_shops.put_all(conn, open_storage(data), now=utc_now())
            pages = gallery.put_all(conn, shops)
        pages |= gallery_after_sale.put_all(engine, data, shops)
        engine.dispose()
        pages |= {"pending": f"/r/{new_token()}?lang=en", "nothing": "/r/nothing?lang=en"}
        with served(data) as address:
            yield address, pages


@contextmanager
def _system_face() -> Iterator[dict[str, str]]:
    """For the browser's environment, not ours: the application in this process asks for all fonts that there are."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as fonts:
        fonts.write(_FONTS)
        fonts.flush()
        yield {"FONTCONFIG_FILE": fonts.name}


def _ways(name: str) -> list[str]:
    if name in gallery_after_sale.NAMES:
        return list(_AFTER_SALE)
    return list(WAYS) if name in THOROUGHLY else ["phone", "night"]


def _picture(chromium: Browser, address: str, name: str, way_name: str) -> Path:
    way = WAYS[way_name]
    options: dict[str, Any] = {"color_scheme": way.scheme, "forced_colors": way.colours}
    context = chromium.new_context(
        viewport={"width": way.width, "height": 844},
        device_scale_factor=2,
        java_script_enabled=way.scripts,
        reduced_motion="reduce",
        **options,
    )
    page = context.new_page()
    page.goto(address)
    if way.media == "print":
        page.emulate_media(media="print")
    if way.before and way.scripts:
        way.before(page)
    _load_pictures(page, way)
    target = FOLDER / f"{name}-{way_name}.png"
    page.screenshot(path=target, full_page=way.whole)
    context.close()
    return target


def _load_pictures(page: Page, way: Way) -> None:
    """Those far down wait for somebody to come near."""
    if way.scripts:
        page.eval_on_selector_all("main img", "all => all.forEach(each => each.loading = 'eager')")
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
