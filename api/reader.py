"""Who reads: the language that a request asks for."""

from starlette.requests import Request

from accounts.find import BrandLook
from kernel.locale import LANGUAGES, accepted, base_language, choose
from receipts.records import ReceiptRecord


def language_of(request: Request, record: ReceiptRecord, look: BrandLook) -> str:
    """The reader's choice in the address, then their browser's, then that of the sale, then the brand's first."""
    return choose([*wishes(request), record.content.language], look.languages, look.languages[0])


def own_language(request: Request) -> str:
    """Where no brand is known: any of ours."""
    return choose(wishes(request), LANGUAGES, "en")


def wishes(request: Request) -> tuple[str, ...]:
    """The languages that the request asks for, best first: only ours, each once, so that few wishes differ."""
    asked = [request.query_params.get("lang", ""), *accepted(request.headers.get("accept-language", ""))]
    return tuple(dict.fromkeys(base for each in asked if (base := base_language(each)) in LANGUAGES))


def wants_copy(request: Request) -> bool:
    """Whether the receipt shall say that it is a copy: ``?copy=1``."""
    return request.query_params.get("copy") == "1"
