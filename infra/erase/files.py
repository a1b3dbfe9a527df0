"""The files of exports: which of them hold the person, and how they are taken away."""

import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from chalicelib import aws
from chalicelib.exports.cells import escape
from chalicelib.settings import settings

_CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 512
"""More than an id of 64 characters has, each of them escaped, and one on either side."""


def keys(prefix: str) -> Iterator[str]:
    """The keys of all objects below the prefix."""
    pages = (
        aws.s3()
        .get_paginator("list_objects_v2")
        .paginate(Bucket=settings().exports_bucket, Prefix=prefix)
    )
    return (found["Key"] for page in pages for found in page.get("Contents", ()))


def holds(key: str, user_id: str) -> bool:
    """Whether the workbook or CSV file has the id in a cell. Every file has a column of ids.

    A file that is gone meanwhile holds nobody.
    """
    with tempfile.TemporaryFile() as file:
        try:
            aws.s3().download_fileobj(settings().exports_bucket, key, file)
        except aws.s3().exceptions.ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return False
            raise
        if zipfile.is_zipfile(file):
            return _is_in_workbook(file, user_id)
        file.seek(0)
        return _occurs(user_id, _chunks(file))


def abort_uploads(is_left: Callable[[str], bool]) -> int:
    """Give up the uploads of exports whose key `is_left` by whoever began it; how many they were.

    Their parts hold people, and no listing of objects shows them.
    """
    s3, bucket, aborted = aws.s3(), settings().exports_bucket, 0
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix="exports/")
    for page in pages:
        for begun in page.get("Uploads", ()):
            if is_left(begun["Key"]):
                s3.abort_multipart_upload(
                    Bucket=bucket, Key=begun["Key"], UploadId=begun["UploadId"]
                )
                aborted += 1
    return aborted


def remove_older_versions() -> int:
    """Remove what lies behind the objects of today; how many versions.

    There are none unless somebody has made the bucket keep them; then deleting hides a file only.
    """
    s3, bucket, removed = aws.s3(), settings().exports_bucket, 0
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket))
    older = [one for page in pages for one in page.get("Versions", ()) if not one["IsLatest"]]
    # A marker hides the version before it, and goes after it.
    for one in [*older, *(one for page in pages for one in page.get("DeleteMarkers", ()))]:
        s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        removed += 1
    return removed


def forget_delivery(key: str, user_id: str) -> bool:
    """Take the id out of what the schedule remembers; whether it was there."""
    bucket = settings().exports_bucket
    ids: list[str] = json.loads(aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read())
    if user_id not in ids:
        return False
    kept = json.dumps([one for one in ids if one != user_id]).encode()
    aws.s3().put_object(Bucket=bucket, Key=key, Body=kept, ServerSideEncryption="AES256")
    return True


def _is_in_workbook(file: IO[bytes], user_id: str) -> bool:
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            with archive.open(name) as part:
                if _occurs(escape(user_id), _chunks(part)):
                    return True
    return False


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _occurs(user_id: str, chunks: Iterable[bytes]) -> bool:
    """Whether the id stands there by itself, not as a part of another one, across chunks too."""
    alone = re.compile(rb"(?<![A-Za-z0-9_-])" + re.escape(user_id.encode()) + rb"(?![A-Za-z0-9_-])")
    rest = b""
    for chunk in chunks:
        buffer = rest + chunk
        # What begins with the rest was looked at before, with what stood in front of it; what
        # touches the end will be, with what follows.
        matches = alone.finditer(buffer, 1 if rest else 0)
        if any(match.end() < len(buffer) for match in matches):
            return True
        rest = buffer[-_OVERLAP_BYTES:]
    return any(match.end() == len(rest) for match in alone.finditer(rest))
