"""Answers that are nobody else's to keep."""

from typing import Any

import orjson
from fastapi import Response

_NOT_KEPT = {"Cache-Control": "no-store"}


def json_answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, _NOT_KEPT | (headers or {}), "application/json")


def no_content() -> Response:
    return Response(status_code=204, headers=_NOT_KEPT)


def csv_answer(table: bytes, name: str) -> Response:
    """``table`` as :func:`infra.csv_text.csv_text` writes it, to be saved under ``name``."""
    headers = _NOT_KEPT | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(table, 200, headers, "text/csv; charset=utf-8")
