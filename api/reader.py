"""Who reads: the language that a request asks for."""

from starlette.requests import Request

from accounts.find import BrandLook
from kernel.locale import LANGUAGES, accepted, choose
from receipts.records import ReceiptRecord


def language_of(request: Request, record: ReceiptRecord, look: BrandLook) -> str:
    """The reader's choice in the address, then their browser's, then that of the sale, then the brand's first."""
    return choose([*_wishes(request), record.content.language], look.languages, look.languages[0])


def own_language(request: Request) -> str:
    """Where no brand is known: any of ours."""
    return choose(_wishes(request), LANGUAGES, "en")


def _wishes(request: Request) -> list[str | None]:
    return [request.query_params.get("lang"), *accepted(request.headers.get("accept-language", ""))]
