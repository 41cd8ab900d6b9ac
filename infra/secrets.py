"""Sealing what must be read again, such as webhook secrets. What only needs comparing is hashed instead."""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from infra.settings import Data


class Unsealable(Exception):
    """The secret key is not the one that sealed this value."""


def box(settings: Data) -> Fernet:
    """The box that ``COUNTERFOIL_SECRET_KEY`` opens; without it one is made and kept in the data folder, mode 0600."""
    key = settings.secret_key or _own_key(settings.data_dir / "secret.key")
    return Fernet(key.get_secret_value())


def _own_key(path: Path) -> SecretStr:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return SecretStr(path.read_text().strip())
    with os.fdopen(descriptor, "w") as file:
        file.write(Fernet.generate_key().decode())
    return SecretStr(path.read_text())


def seal(sealer: Fernet, text: str) -> bytes:
    return sealer.encrypt(text.encode())


def unseal(sealer: Fernet, sealed: bytes) -> str:
    try:
        return sealer.decrypt(sealed).decode()
    except InvalidToken:
        raise Unsealable("COUNTERFOIL_SECRET_KEY is not the key that sealed this") from None
