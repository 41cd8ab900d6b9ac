"""Who signs a receipt that is read: merchants' keys, unsealed and remembered for a moment."""

from cryptography.fernet import Fernet
from sqlalchemy import Connection

from accounts.signing_keys import Signer, signer_for, signers
from infra.changes import Remembered
from receipts.records import ReceiptRecord


class Signers:
    """A key that is rotated or distrusted elsewhere is seen after ``seconds``."""

    def __init__(self, sealer: Fernet, seconds: float = 5.0) -> None:
        self._sealer = sealer
        self._known: Remembered[list[Signer]] = Remembered(seconds)

    def of(self, conn: Connection, record: ReceiptRecord) -> Signer:
        """Raises :class:`infra.secrets.Unsealable` and :class:`accounts.signing_keys.NoSigningKey`."""
        mark = self._known.mark()
        keys = self._known.get(record.merchant_id)
        if keys is None:
            keys = signers(conn, record.merchant_id, sealer=self._sealer)
            self._known.put(record.merchant_id, keys, mark)
        return signer_for(keys, record.accepted_at)
