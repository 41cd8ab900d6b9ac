"""A receipt's other forms: text and QR code, as what an answer's body holds."""

from accounts.find import BrandLook
from api import qr_forms
from api.qr_forms import Coded, QrWish
from infra.i18n import voice
from infra.storage import Storage
from receipts.paper import closing
from receipts.records import ReceiptRecord
from receipts.text import plain
from receipts.view import view


def text(record: ReceiptRecord, look: BrandLook, *, base_url: str, language: str, copy: bool = False) -> str:
    """Plain text of at most 42 columns, for ``text/plain; charset=utf-8``."""
    help_ = closing(look, language)
    told = [each for each in (help_.returns, *help_.contacts) if each]
    return plain(view(record, language=language, copy=copy), url=link_to(base_url, record.token), closing=told)


def qr_svg(token: str, look: BrandLook, wish: QrWish, *, storage: Storage, base_url: str, language: str) -> bytes:
    """The code of the page's link. Raises as :func:`api.qr_forms.qr_svg` does, and takes as long."""
    coded, title = Coded(link_to(base_url, token)), voice(language).gettext("QR code")
    return qr_forms.qr_svg(coded, look, wish, storage=storage, title=title)


def qr_png(token: str, look: BrandLook, wish: QrWish, *, storage: Storage, base_url: str) -> bytes:
    """As :func:`qr_svg`."""
    return qr_forms.qr_png(Coded(link_to(base_url, token)), look, wish, storage=storage)


def link_to(base_url: str, token: str) -> str:
    return f"{base_url}/r/{token}"
