"""Apple Wallet set up for a test: certificates of its own, and a push service on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings, Wallet
from tests.support.authority import Authority, Files, authority, files


def with_wallet(settings: Settings, wallet: Wallet) -> Settings:
    return Settings(settings.data, settings.server, settings.log, mail=settings.mail, wallet=wallet)


@dataclass(frozen=True)
class Apple:
    authority: Authority
    files: Files

    @property
    def root(self) -> Path:
        """Where the chain of a pass must end."""
        return self.files.root

    def trusted(self, patch: pytest.MonkeyPatch) -> None:
        """Servers that the root vouches for are trusted by this process."""
        patch.setenv("SSL_CERT_FILE", str(self.root))

    def settings(self, settings: Settings, **others: Any) -> Settings:
        return with_wallet(settings, self.files.settings(**others))


def apple(folder: Path) -> Apple:
    made = authority()
    return Apple(made, files(made, folder))
