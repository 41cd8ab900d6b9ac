"""Letters through Amazon SES: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""

from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError

from infra import aws
from infra.mail import Deferred, Letter, Refused, Undelivered
from infra.mail_address import is_address
from infra.settings import Mail

# What is wrong with the letter. All else is about the account, the service or the way to it, and will be mended:
# MailFromDomainNotVerified, AccountSuspended, SendingPaused, NotFound, LimitExceeded, TooManyRequests, bad keys.
_OF_THE_LETTER: Final = ("MessageRejected", "BadRequestException", "RequestEntityTooLargeException")
# SES says MessageRejected of a sender that is not verified too, and in the sandbox of a recipient.
_OF_THE_ACCOUNT: Final = ("not verified", "not have authority", "sandbox")
# Statuses of servers that may have done what they were asked.
_UNKNOWN: Final = (500, 502, 504)


class SesMailer:
    """See :class:`infra.mail.Mailer`. The word for a letter is its SES MessageId, which its events name too."""

    def __init__(self, mail: Mail) -> None:
        self._ses = boto3.client("sesv2", **aws.options(mail))
        self._from = mail.mail_from or ""
        self._set: dict[str, Any] = (
            {"ConfigurationSetName": mail.ses_configuration_set} if mail.ses_configuration_set else {}
        )

    def send(self, letter: Letter) -> str:
        if not is_address(letter.recipient):
            raise Refused("the address cannot be written to")
        try:
            answer = self._ses.send_email(
                Destination={"ToAddresses": [letter.recipient]},
                Content={"Raw": {"Data": letter.data}},
                # SES has an envelope sender of its own, and passes bounces on to this one.
                FeedbackForwardingEmailAddress=letter.sender,
                **self._set,
            )
        except ClientError as error:
            raise _answered(error) from None
        except BotoCoreError as error:
            is_sent = isinstance(error, ReadTimeoutError | ConnectionClosedError)
            raise Deferred(f"Amazon SES cannot be asked: {error}", in_doubt=is_sent) from None
        return str(answer["MessageId"])

    def check(self) -> str | None:
        """Asks for the sender's identity (``ses:GetEmailIdentity``): the address itself, or its domain."""
        try:
            is_verified = any(self._is_verified(name) for name in (self._from, self._from.rpartition("@")[2]))
        except (BotoCoreError, ClientError) as error:
            return f"Amazon SES cannot be asked about COUNTERFOIL_MAIL_FROM (ses:GetEmailIdentity): {error}"
        return (
            None if is_verified else "COUNTERFOIL_MAIL_FROM: Amazon SES verified neither it nor its domain; do so there"
        )

    def close(self) -> None:
        self._ses.close()

    def _is_verified(self, name: str) -> bool:
        try:
            return bool(self._ses.get_email_identity(EmailIdentity=name)["VerifiedForSendingStatus"])
        except self._ses.exceptions.NotFoundException:
            return False


def _answered(error: ClientError) -> Undelivered:
    answer: Any = error.response
    code, said = str(answer["Error"].get("Code", "")), str(answer["Error"].get("Message", ""))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    detail = f"Amazon SES answered {code}: {said}"
    if code in _OF_THE_LETTER and not any(words in said for words in _OF_THE_ACCOUNT):
        return Refused(detail)
    return Deferred(detail, in_doubt=status in _UNKNOWN)
