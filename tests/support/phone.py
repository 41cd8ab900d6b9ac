"""A phone with Apple Wallet: it takes a pass, and speaks with the pass's web service as iOS does."""

from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.support.inside import Inside
from tests.support.pass_checker import Opened

_SERVICE: Final = "https://receipts.test"


@dataclass
class Phone:
    inside: Inside
    device: str = "f8c2a4e6b0d1973568ac42de10b7f935"
    push_token: str = "ab" * 32
    tag: str | None = None
    # By serial number: the file, and when it was last changed.
    held: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def take(self, path: str) -> Opened:
        answer = self.inside.request("GET", path)
        assert answer.status_code == 200, answer.text
        return self._kept(answer)

    def opened(self, serial: str) -> Opened:
        return Opened(self.held[serial][0])

    def register(self, held: Opened, **headers: str) -> httpx.Response:
        return self._ask("POST", self._registration(held), held, json={"pushToken": self.push_token}, headers=headers)

    def unregister(self, held: Opened) -> httpx.Response:
        return self._ask("DELETE", self._registration(held), held)

    def ask_what_changed(self, pass_type: str) -> list[str]:
        """Serial numbers since it last asked."""
        query = {"passesUpdatedSince": self.tag} if self.tag else {}
        path = f"/wallet/v1/devices/{self.device}/registrations/{pass_type}"
        answer = self.inside.request("GET", path, params=query)
        if answer.status_code == 204:
            return []
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        self.tag = told["lastUpdated"]
        return list(told["serialNumbers"])

    def fetch(self, held: Opened, *, is_conditional: bool = True) -> httpx.Response:
        """The newest of the pass; it is kept where it is another."""
        content = held.content
        since = {"If-Modified-Since": self.held[content["serialNumber"]][1]} if is_conditional else {}
        path = f"/wallet/v1/passes/{content['passTypeIdentifier']}/{content['serialNumber']}"
        answer = self._ask("GET", path, held, headers=since)
        if answer.status_code == 200:
            self._kept(answer)
        return answer

    def _registration(self, held: Opened) -> str:
        told = held.content
        kind, serial = told["passTypeIdentifier"], told["serialNumber"]
        return f"/wallet/v1/devices/{self.device}/registrations/{kind}/{serial}"

    def _ask(
        self, method: str, path: str, held: Opened, *, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        assert held.content["webServiceURL"] == f"{_SERVICE}/wallet"
        token = {"Authorization": f"ApplePass {held.content['authenticationToken']}"}
        return self.inside.request(method, path, headers=token | (headers or {}), **options)

    def _kept(self, answer: httpx.Response) -> Opened:
        assert answer.headers["content-type"] == "application/vnd.apple.pkpass"
        opened = Opened(answer.content)
        self.held[opened.content["serialNumber"]] = (answer.content, answer.headers["last-modified"])
        return opened
