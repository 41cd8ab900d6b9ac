"""Sealing what must be read again, such as webhook secrets. What only needs comparing is hashed instead."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import ClassVar

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from infra.settings import Data
from kernel.errors import Unavailable


class Unsealable(Unavailable):
    """The secret key is not the one that sealed this value: something for the operator, so the sender tries again."""

    slug: ClassVar[str] = "sealed-with-another-key"
    title: ClassVar[str] = "What was sealed cannot be opened"


def box(settings: Data) -> Fernet:
    """The box that ``COUNTERFOIL_SECRET_KEY`` opens; without it one is made and kept in the data folder, mode 0600."""
    key = settings.secret_key or _own_key(settings.data_dir / "secret.key")
    return Fernet(key.get_secret_value())


def _own_key(path: Path) -> SecretStr:
    """Written beside its place, then linked into it: of processes that start at once, one makes it and all read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with NamedTemporaryFile(dir=path.parent) as made:  # mode 0600
            made.write(Fernet.generate_key())
            made.flush()
            os.fsync(made.fileno())
            with suppress(FileExistsError):
                os.link(made.name, path)
    return SecretStr(path.read_text().strip())


def seal(sealer: Fernet, text: str) -> bytes:
    return sealer.encrypt(text.encode())


def unseal(sealer: Fernet, sealed: bytes) -> str:
    try:
        return sealer.decrypt(sealed).decode()
    except InvalidToken:
        raise Unsealable("COUNTERFOIL_SECRET_KEY (or secret.key) is not the key that sealed this") from None
