"""Exports for tests of the API: asked for over HTTP, run by the worker, opened by our links."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from chalicelib import clock
from chalicelib.exports import delivery
from chalicelib.exports.jobs import find_file
from tests.api.client import Client
from tests.exporting import audited, deliver, queued

KEYS = [f"0b8f2a64-1111-4222-8333-44445555666{digit}" for digit in range(10)]
_ADDRESS = "https://store-users.example/api"


def order_export(api: Client, resource: str = "leads", key: str = KEYS[0], **body: Any) -> str:
    """The id of an export that an admin asked for."""
    export_id: str = api.order(key, {"resource": resource, **body}).json["id"]
    return export_id


def run_exports() -> None:
    """Let the worker take what lies on the queue."""
    for message in queued():
        deliver(message)


def link_to(export_id: str, days: int = 7) -> str:
    """What marketing gets, as the path below the base address."""
    at = clock.now().timestamp() + days * 86_400
    link = delivery.link(export_id, clock.now().fromtimestamp(at, tz=clock.now().tzinfo))
    assert link.startswith(f"{_ADDRESS}/v1/exports/{export_id}/file?token=")
    return link.removeprefix(_ADDRESS)


def object_of(url: str) -> str:
    """The object that a presigned link is for; the link must be one of five minutes."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert (parts.scheme, parts.hostname) == ("https", "exports-bucket.s3.amazonaws.com")
    return unquote(parts.path).removeprefix("/")


def audit_of(export_id: str) -> list[str]:
    """What was done with the export, in order of the alphabet: the clock stands still."""
    job = find_file(export_id)
    assert job is not None
    return sorted(audited(job))
