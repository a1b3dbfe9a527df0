"""The files of exports: which of them hold the person, and how they are taken away."""

import csv
import html
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from chalicelib import aws
from chalicelib.exports.cells import escape
from chalicelib.exports.columns import COLUMNS
from chalicelib.settings import settings
from infra.erase.names import Names

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


_NAMES = 5
"""The first columns of every file: first and last name, e-mail, phone, company."""

_ID_COLUMNS = {len(columns) - 1 for columns in COLUMNS.values()}

_CELL = re.compile(rb'<c r="([A-Z])\d+"[^>]*><is><t[^>]*>([^<]*)</t>')

csv.field_size_limit(1 << 20)  # More than an item of DynamoDB can hold.


def look_for(key: str, user_id: str) -> Names | None:
    """Return how the person is called in the workbook or CSV file; None if it does not hold them.

    It does where the id stands in a cell: every file has a column of ids. A file that is gone
    meanwhile holds no person.
    """
    with tempfile.TemporaryFile() as file:
        try:
            aws.s3().download_fileobj(settings().exports_bucket, key, file)
        except aws.s3().exceptions.ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return None
            raise
        is_workbook = zipfile.is_zipfile(file)
        file.seek(0)
        if not (_is_in_workbook if is_workbook else _is_in_text)(file, user_id):
            return None
        file.seek(0)
        rows = _workbook_rows(file, user_id) if is_workbook else _csv_rows(file)
        found = Names()
        for row in rows:
            if any(row[at : at + 1] == [user_id] for at in _ID_COLUMNS):
                found |= Names.of_fields(*row[:_NAMES])
        return found


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


def _is_in_text(file: IO[bytes], user_id: str) -> bool:
    return _occurs(user_id, _chunks(file))


def _csv_rows(file: IO[bytes]) -> Iterator[list[str]]:
    return csv.reader(io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline=""))


def _workbook_rows(file: IO[bytes], user_id: str) -> Iterator[list[str]]:
    """Yield the texts of the rows in which the id occurs; "" for a cell without text."""
    wanted = escape(user_id).encode()
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            with archive.open(name) as part:
                for row in _rows(part):
                    if wanted in row:
                        yield _texts(row)


def _rows(part: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in _chunks(part):
        *whole, rest = (rest + chunk).split(b"</row>")
        yield from whole


def _texts(row: bytes) -> list[str]:
    cells = {ord(letter) - ord("A"): text for letter, text in _CELL.findall(row)}
    return [html.unescape(cells.get(at, b"").decode()) for at in range(max(_ID_COLUMNS) + 1)]


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
