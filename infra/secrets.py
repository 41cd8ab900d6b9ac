"""Sealing what must be read again, such as webhook secrets. What only needs comparing is hashed instead."""

import hmac
import os
from contextlib import suppress
from hashlib import sha256
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
    key = settings.secret_key or _own_key(_place(settings))
    return Fernet(key.get_secret_value())


def known_key(settings: Data) -> SecretStr | None:
    """The key as :func:`box` would take it, but none is made where there is none."""
    if settings.secret_key:
        return settings.secret_key
    path = _place(settings)
    return SecretStr(path.read_text().strip()) if path.exists() else None


def derived(settings: Data, purpose: str) -> bytes:
    """32 bytes for one purpose, which tell nothing of the key nor of those for another (RFC 2104)."""
    key = settings.secret_key or _own_key(_place(settings))
    return hmac.digest(key.get_secret_value().encode(), f"counterfoil {purpose}".encode(), "sha256")


def fingerprint(key: SecretStr) -> str:
    """Tells keys apart, and nothing of them: 256 random bits cannot be tried."""
    return sha256(b"counterfoil secret key\n" + key.get_secret_value().encode()).hexdigest()[:32]


def keep(settings: Data, key: SecretStr) -> SecretStr:
    """Put ``key`` into the data folder, where there is none yet; what is there now."""
    return _kept(_place(settings), key.get_secret_value().encode())


def _place(settings: Data) -> Path:
    return settings.data_dir / "secret.key"


def _own_key(path: Path) -> SecretStr:
    return _kept(path, Fernet.generate_key())


def _kept(path: Path, key: bytes) -> SecretStr:
    """Written beside its place, then linked into it: of processes that start at once, one makes it and all read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with NamedTemporaryFile(dir=path.parent) as made:  # mode 0600
            made.write(key)
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


def opens(sealer: Fernet, sealed: bytes) -> bool:
    try:
        unseal(sealer, sealed)
    except Unsealable:
        return False
    return True
