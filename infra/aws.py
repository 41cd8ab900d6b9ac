"""How mail's clients of Amazon's services are set up."""

from typing import Any, Final

from botocore.config import Config

from infra.settings import Mail

SECONDS: Final = 20.0


def options(mail: Mail) -> dict[str, Any]:
    """Arguments of ``boto3.client`` beside the service's name."""
    # One attempt: after a lost answer botocore would send the letter again without a word.
    config = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
    return {"region_name": mail.ses_region, "endpoint_url": mail.ses_endpoint_url, "config": config}
