"""The key that seals secrets is made once, is nobody else's to read, and is checked where it is given."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from infra import secrets
from infra.settings import Data, explain


def test_what_was_sealed_is_unsealed_after_a_restart(tmp_path: Path) -> None:
    sealed = secrets.seal(secrets.box(Data(data_dir=tmp_path)), "hush")
    assert secrets.unseal(secrets.box(Data(data_dir=tmp_path)), sealed) == "hush"


def test_another_key_does_not_unseal_it(tmp_path: Path) -> None:
    sealed = secrets.seal(secrets.box(Data(data_dir=tmp_path / "one")), "hush")
    with pytest.raises(secrets.Unsealable):
        secrets.unseal(secrets.box(Data(data_dir=tmp_path / "other")), sealed)


def test_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    secrets.box(Data(data_dir=tmp_path))
    [file] = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_those_who_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    for attempt in range(50):
        data, together = Data(data_dir=tmp_path / str(attempt)), Barrier(4)

        def started(data: Data = data, together: Barrier = together) -> Fernet:
            together.wait()
            return secrets.box(data)

        with ThreadPoolExecutor(4) as pool:
            boxes = [each.result() for each in [pool.submit(started) for _ in range(4)]]
        sealed = secrets.seal(boxes[0], "hush")
        assert {secrets.unseal(each, sealed) for each in boxes} == {"hush"}


@pytest.mark.parametrize("key", ["abc", "not base64 at all", "c2hvcnQ=", "ä" * 44])
def test_a_key_that_cannot_seal_is_refused_at_start_and_not_repeated(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_SECRET_KEY", key)
    with pytest.raises(ValidationError) as refused:
        Data()
    assert explain(refused.value) == "COUNTERFOIL_SECRET_KEY: must be 32 bytes in URL-safe base64"


def test_a_key_that_was_made_for_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_SECRET_KEY", Fernet.generate_key().decode())
    box = secrets.box(Data())
    assert secrets.unseal(box, secrets.seal(box, "hush")) == "hush"
