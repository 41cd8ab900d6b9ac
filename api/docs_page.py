"""``/docs``: the OpenAPI document as a page to try. Swagger UI is served from its package, not from elsewhere."""

from functools import lru_cache
from importlib.resources import files
from typing import Literal

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Counterfoil API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<main id="api"></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
_START = "SwaggerUIBundle({url: 'openapi.json', dom_id: '#api', deepLinking: true, tryItOutEnabled: true});\n"
# Swagger UI sets styles on its elements as it goes, and draws its icons as data.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)


@router.get("/docs")
async def docs() -> Response:
    return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/start.js")
async def start() -> Response:
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{name}")
async def swagger_ui(name: Literal["swagger-ui-bundle.js", "swagger-ui.css"]) -> Response:
    return Response(_file(name), media_type="text/javascript" if name.endswith(".js") else "text/css")


@lru_cache(maxsize=4)
def _file(name: str) -> bytes:
    return files("fastapi_swagger").joinpath("resources", name).read_bytes()
