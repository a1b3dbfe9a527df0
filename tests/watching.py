"""Records of the stream of the audit, as Lambda hands them over."""

from datetime import datetime
from typing import Any

from chalicelib import clock


def removed(subject: str, entry: str, at: datetime | None = None) -> dict[str, Any]:
    """What the stream tells of an entry that was removed."""
    return of_entry("REMOVE", subject, entry, at)


def of_entry(name: str, subject: str, entry: str, at: datetime | None = None) -> dict[str, Any]:
    """What the stream tells of an entry; `name` is INSERT, MODIFY or REMOVE."""
    return {
        "eventName": name,
        "dynamodb": {
            "Keys": {"subject": {"S": subject}, "entry": {"S": entry}},
            "ApproximateCreationDateTime": int((at or clock.now()).timestamp()),
        },
    }
