"""Who signs a receipt that is read: merchants' keys, unsealed and remembered for a moment."""

import structlog
from cryptography.fernet import Fernet
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from accounts import signing_keys
from accounts.signing_keys import Signer
from infra.changes import Remembered
from infra.database import reading
from infra.secrets import Unsealable
from receipts.records import ReceiptRecord

_log = structlog.get_logger()


class Signers:
    """A key that is rotated or distrusted elsewhere is seen after ``seconds``."""

    def __init__(self, engine: Engine, sealer: Fernet, seconds: float = 5.0) -> None:
        self._engine = engine
        self._sealer = sealer
        self._known: Remembered[list[Signer]] = Remembered(seconds)

    async def of(self, record: ReceiptRecord) -> Signer:
        """Raises :class:`Unsealable` and :class:`accounts.signing_keys.NoSigningKey`: nothing goes out unsigned."""
        mark = self._known.mark()
        keys = self._known.get(record.merchant_id)
        if keys is None:
            keys = await run_in_threadpool(self._unsealed, record.merchant_id)
            self._known.put(record.merchant_id, keys, mark)
        return signing_keys.signer_for(keys, record.accepted_at)

    def ensure(self) -> None:
        """At start: a key for each merchant that has none. A database that is away then is met again at the first
        receipt that is to be signed, and said there."""
        try:
            with self._engine.begin() as conn:
                signing_keys.ensure(conn, sealer=self._sealer)
            self._known.forget()
        except DBAPIError as error:
            _log.warning("signing_keys_not_ensured", error=type(error).__name__)

    def _unsealed(self, merchant_id: str) -> list[Signer]:
        try:
            with reading(self._engine) as conn:
                return signing_keys.signers(conn, merchant_id, sealer=self._sealer)
        except Unsealable as problem:
            _log.error("signing_key_unsealable", setting="COUNTERFOIL_SECRET_KEY", detail=problem.detail)
            raise
