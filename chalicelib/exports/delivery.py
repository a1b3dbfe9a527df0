"""Getting files to people: S3, presigned links, our own links, the message to marketing.

A presigned link dies with the credentials that signed it, hours before the week that it was asked
for. So what marketing gets is a link to ourselves, which signs afresh each time it is opened.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib import aws, clock
from chalicelib.aws_errors import calling
from chalicelib.errors import ExportGoneError, StoreError, UnauthenticatedError
from chalicelib.keys import key_ring
from chalicelib.settings import settings

_PRESIGNED_SECONDS = 300


def enqueue(message: Mapping[str, Any]) -> None:
    """Put a message on the queue of the worker. Raises `StoreError`."""
    body = json.dumps(message)
    with calling("sqs"):
        aws.sqs().send_message(QueueUrl=settings().exports_queue_url, MessageBody=body)


def hide(receipt_handle: str, seconds: int) -> None:
    """Deliver a message that was received again in `seconds`, unless it is deleted before.

    A failure is no error: the message then comes at the time that was set before.
    """
    with suppress(StoreError, ClientError), calling("sqs"):
        aws.sqs().change_message_visibility(
            QueueUrl=settings().exports_queue_url,
            ReceiptHandle=receipt_handle,
            VisibilityTimeout=seconds,
        )


def object_prefix(export_id: str) -> str:
    """Where the files of an export lie."""
    return f"exports/{export_id}/"


def remove_files(prefix: str) -> None:
    """Remove every file whose key begins so, and the parts of uploads that nobody finished.

    Raises `StoreError`.
    """
    bucket = settings().exports_bucket
    abort_uploads(prefix)
    with calling("s3"):
        listed = aws.s3().list_objects_v2(Bucket=bucket, Prefix=prefix)
        for found in listed.get("Contents", ()):
            aws.s3().delete_object(Bucket=bucket, Key=found["Key"])


def abort_uploads(prefix: str, kept_id: str | None = None) -> None:
    """Give up every upload to keys that begin with `prefix` but the one of that id.

    Raises `StoreError`.
    """
    bucket = settings().exports_bucket
    with calling("s3"):
        uploads = aws.s3().list_multipart_uploads(Bucket=bucket, Prefix=prefix)
        for begun in uploads.get("Uploads", ()):
            if begun["UploadId"] != kept_id:
                aws.s3().abort_multipart_upload(
                    Bucket=bucket, Key=begun["Key"], UploadId=begun["UploadId"]
                )


def presigned_url(object_key: str) -> str:
    """A link to the file that lives five minutes, for whoever may read the job."""
    with calling("s3"):
        return aws.s3().generate_presigned_url(
            "get_object",
            Params={"Bucket": settings().exports_bucket, "Key": object_key},
            ExpiresIn=_PRESIGNED_SECONDS,
        )


def link(export_id: str, expires_at: datetime) -> str:
    """Our link to the file: it lives until `expires_at`, and may be opened more than once."""
    key = key_ring().current()
    expiry = int(expires_at.timestamp())
    token = f"{expiry}.{key.id}.{_signature(key.derive('link'), export_id, expiry)}"
    return f"{settings().public_url}/v1/exports/{export_id}/file?token={token}"


def check_token(export_id: str, token: str) -> None:
    """Let the token of our link to this export pass.

    Raises `UnauthenticatedError` where it is none, `ExportGoneError` where its time is over.
    """
    parts = token.split(".")
    key = key_ring().by_id(parts[1]) if len(parts) == len(("expiry", "key", "signature")) else None
    if key is None or not parts[0].isdecimal() or not parts[0].isascii():
        raise _bad_token()
    expected = _signature(key.derive("link"), export_id, int(parts[0]))
    if not hmac.compare_digest(expected.encode(), parts[2].encode()):
        raise _bad_token()
    if int(parts[0]) <= clock.now().timestamp():
        message = "This link has expired; ask for a new export"
        raise ExportGoneError(message)


def publish(topic_arn: str, subject: str, text: str, attributes: Mapping[str, str]) -> None:
    """Send a message to the topic. SNS takes an ASCII subject of 100 characters."""
    with calling("sns"):
        aws.sns().publish(
            TopicArn=topic_arn,
            Subject=subject,
            Message=text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )


def _signature(key: bytes, export_id: str, expiry: int) -> str:
    digest = hmac.new(key, f"{export_id}\n{expiry}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _bad_token() -> UnauthenticatedError:
    return UnauthenticatedError("This link is damaged; open it exactly as it was sent")
