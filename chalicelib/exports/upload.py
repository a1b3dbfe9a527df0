"""A file that goes to the private bucket while it is being written, in parts as they fill."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from chalicelib import aws
from chalicelib.aws_errors import calling
from chalicelib.errors import StoreError
from chalicelib.exports.delivery import abort_uploads
from chalicelib.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 8 * 1024 * 1024
"""S3 takes parts of 5 MiB and more, and 10,000 of them: files of 78 GiB."""


class Sink(Protocol):
    """Takes the bytes of a file, in order."""

    def write(self, data: bytes, /) -> int:
        """Take them all; how many they were."""

    def flush(self) -> None:
        """Do nothing: zipfile asks for it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file goes, and how it presents itself to whoever downloads it."""

    object_key: str
    file_name: str
    mime_type: str


class Upload:
    """The file at the target. It appears with `finish`, whole; an exception leaves nothing.

    `watch` is called before each part is sent: what it raises ends the upload. A file of less
    than one part goes in one request.
    """

    def __init__(self, target: Target, watch: Callable[[], None]) -> None:
        """Send nothing yet."""
        self.size_bytes = 0
        self._target = target
        self._watch = watch
        self._buffer = bytearray()
        self._digest = hashlib.sha256()
        self._has_begun = False
        self._upload_id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []
        self._is_over = False

    @property
    def sha256(self) -> str:
        """The fingerprint of what was written, in hexadecimal digits."""
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give up what was not finished."""
        self._give_up()

    def write(self, data: bytes, /) -> int:
        """Take the bytes. Raises `StoreError`.

        What comes after a failure is dropped: a zip file that is closed wants to write its end.
        """
        if not self._is_over:
            self._digest.update(data)
            self.size_bytes += len(data)
            self._buffer += data
            while len(self._buffer) >= PART_BYTES:
                self._send_part()
        return len(data)

    def flush(self) -> None:
        """Do nothing: parts go when they are full."""

    def finish(self) -> None:
        """Let the file appear. Raises `StoreError`."""
        with self._giving_up():
            self._watch()
            if self._upload_id is None:
                aws.s3().put_object(**self._address(), **self._headers(), Body=bytes(self._buffer))
            else:
                self._complete()
        self._is_over = True

    def _send_part(self) -> None:
        with self._giving_up():
            self._watch()
            upload_id = self._upload_id or self._begin()
            number = len(self._parts) + 1
            part = aws.s3().upload_part(
                **self._address(),
                UploadId=upload_id,
                PartNumber=number,
                Body=bytes(memoryview(self._buffer)[:PART_BYTES]),
            )
        del self._buffer[:PART_BYTES]
        self._parts.append({"PartNumber": number, "ETag": part["ETag"]})

    def _begin(self) -> str:
        """S3 begins another upload each time that it is asked: of a lost answer, one is left."""
        self._has_begun = True
        answer = aws.s3().create_multipart_upload(**self._address(), **self._headers())
        self._upload_id = answer["UploadId"]
        if answer["ResponseMetadata"]["RetryAttempts"]:
            abort_uploads(self._target.object_key, kept_id=self._upload_id)
        return self._upload_id

    def _complete(self) -> None:
        if self._buffer:
            self._send_part()
        address = {**self._address(), "UploadId": self._upload_id}
        try:
            aws.s3().complete_multipart_upload(**address, MultipartUpload={"Parts": self._parts})
        except aws.s3().exceptions.NoSuchUpload:
            # The answer to the first try got lost, and the second one finds nothing left to do.
            found = aws.s3().head_object(**self._address())
            if found["ContentLength"] != self.size_bytes:
                raise

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        try:
            with calling("s3"):
                yield
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """Leave no parts behind; where even that fails, the bucket's lifecycle removes them."""
        if self._is_over:
            return
        self._is_over = True
        if self._has_begun:
            with suppress(StoreError):
                abort_uploads(self._target.object_key)

    def _address(self) -> dict[str, Any]:
        return {"Bucket": settings().exports_bucket, "Key": self._target.object_key}

    def _headers(self) -> dict[str, Any]:
        return {
            "ContentType": self._target.mime_type,
            "ContentDisposition": f'attachment; filename="{self._target.file_name}"',
            "ServerSideEncryption": "AES256",
        }
