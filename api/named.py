"""What follows an address of the API and names a thing, but for the words that are addresses of their own."""

from starlette.convertors import Convertor, register_url_convertor


class _Named(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Receipt(_Named):
    regex = "(?!batch$)[^/]+"


class _Card(_Named):
    regex = "(?!import$)[^/]+"


class _Sku(_Named):
    """A till's, with whatever it holds."""

    regex = "(?!(batch|import)$)(?!.*/reviews$).+"


class _Mark(_Named):
    regex = "(?!beacon$)[^/]+"


def register() -> None:
    """Before routes name them: ``{token:receipt}``, ``{card:card}``."""
    register_url_convertor("receipt", _Receipt())
    register_url_convertor("card", _Card())
    register_url_convertor("sku", _Sku())
    register_url_convertor("mark", _Mark())
