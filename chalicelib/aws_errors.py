"""Errors of AWS, told apart by what helps: one table of codes for every service.

What passes by itself is `StoreUnavailableError`, a permission or a resource that is missing is
`StoreRefusedError`, and anything else can only be a bug of ours: botocore's error is left alone.
Each of the two is logged once, with service, operation and code, never with its message, which
can quote what was sent.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from chalicelib import log, metrics
from chalicelib.errors import StoreError, StoreRefusedError, StoreUnavailableError

_BUSY = "The data store is busy; try again in a while"
_UNREACHED = "The data store could not be reached; try again in a while"
_REFUSED = "The service is not set up correctly; tell its operators"

_PASSING = frozenset(
    {
        # DynamoDB, with the reasons of cancelled transactions. A single write that meets a
        # transaction at its item is among these.
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionCanceledException",
        "TransactionConflictException",
        "TransactionInProgressException",
        # S3. An upload is gone where another worker gave it up: the next attempt begins one.
        "404",
        "BadDigest",
        "ConditionalRequestConflict",
        "IncompleteBody",
        "InternalError",
        "InvalidPart",
        "NoSuchUpload",
        "OperationAborted",
        "RequestTimeout",
        "SlowDown",
        # SQS, SNS, Secrets Manager, and the keys that they use.
        "InternalFailure",
        "InternalServiceError",
        "KMS.ThrottlingException",
        "KMSThrottling",
        "OverLimit",
        "RequestThrottled",
        "Throttled",
    }
)
"""What is over in a while, beside every answer of status 500 and above."""

_UNSIGNED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
"""Credentials that are over, or a clock more than minutes off: another process has its own."""

_REFUSING = frozenset(
    {
        # Permissions. S3 answers a HEAD with the status alone.
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "AuthorizationError",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "OptInRequired",
        "UnrecognizedClientException",
        # Resources that are missing, elsewhere or on their way out.
        "AuthorizationHeaderMalformed",
        "InvalidRequestException",
        "NoSuchBucket",
        "NonExistentQueue",
        "NotFound",
        "PermanentRedirect",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
        # Keys of KMS; the rest of these codes begins with KMS.
        "DecryptionFailure",
        "EncryptionFailure",
    }
)

_SERVER_ERROR = 500


@contextmanager
def calling(service: str) -> Iterator[None]:
    """Translate the errors of calls to the service; those that are bugs of ours pass.

    Raises `StoreError`.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        translated = translate(service, error)
        if translated is None:
            raise
        raise translated from error


def translate(service: str, error: ClientError | BotoCoreError) -> StoreError | None:
    """The error in our words, logged; None for one that only a bug of ours can have led to."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return translate_code(service, error.operation_name, code, status)
    if isinstance(error, ParamValidationError):
        return None
    code = type(error).__name__
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return _refused(service, "", code)
    return _unavailable(service, "", code, _UNREACHED)


def translate_code(service: str, operation: str, code: str, status: int = 0) -> StoreError | None:
    """As `translate`, of an error that is known by its code."""
    if code in _UNSIGNED:
        return _unavailable(service, operation, code, _UNREACHED, level="ERROR")
    kind = classify(code, status)
    if kind is StoreRefusedError:
        return _refused(service, operation, code)
    return _unavailable(service, operation, code, _BUSY) if kind else None


def classify(code: str, status: int = 0) -> type[StoreError] | None:
    """The class of errors that the code belongs to; None for what only a bug can lead to."""
    code = code.removeprefix("AWS.SimpleQueueService.")
    if code in _PASSING | _UNSIGNED or status >= _SERVER_ERROR or code.startswith("5"):
        return StoreUnavailableError
    return StoreRefusedError if code in _REFUSING or code.startswith("KMS") else None


def _refused(service: str, operation: str, code: str) -> StoreRefusedError:
    facts = {"service": service, "operation": operation, "code": code}
    metrics.event("aws.refused", level="ERROR", refused=1, **facts)
    return StoreRefusedError(_REFUSED, code)


def _unavailable(
    service: str, operation: str, code: str, detail: str, level: str = "WARNING"
) -> StoreUnavailableError:
    facts = {"service": service, "operation": operation, "code": code}
    log.event("aws.unavailable", level=level, **facts)
    return StoreUnavailableError(detail)
