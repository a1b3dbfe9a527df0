"""Clients of the AWS services other than DynamoDB: made once, on first use."""

from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib.settings import settings

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


def _config() -> "Config":
    from botocore.config import Config

    # Four attempts of at most 7 s stay below API Gateway's 29 s. Presigned links need SigV4, and
    # the bucket's name in the host: with it in the path they name the global host, which
    # redirects to the region's, where the signature does not hold.
    return Config(
        s3={"addressing_style": settings().s3_addressing_style},
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 4},
        signature_version="s3v4",
    )


@cache
def _session() -> "Session":
    from botocore.session import Session

    return Session()


def _client(service: str) -> Any:
    """A client of botocore's own: boto3 would add resources and transfers that nobody uses."""
    return _session().create_client(service, region_name=settings().region, config=_config())


@cache
def s3() -> "S3Client":
    """The S3 client. Creating one takes 150 ms of processor time, so only who needs it does."""
    client: S3Client = _client("s3")
    return client


@cache
def sqs() -> "SQSClient":
    """The SQS client."""
    client: SQSClient = _client("sqs")
    return client


@cache
def sns() -> "SNSClient":
    """The SNS client."""
    client: SNSClient = _client("sns")
    return client


@cache
def secrets_manager() -> "SecretsManagerClient":
    """The Secrets Manager client."""
    client: SecretsManagerClient = _client("secretsmanager")
    return client
