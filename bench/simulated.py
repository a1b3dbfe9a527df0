"""A million users without an engine: the code's requests answered from sorted partitions.

Query and BatchGetItem on the tables of search and users, as `searching` sends them, with the read
units that DynamoDB takes: 4 kB of what was evaluated, half of a unit each, rounded up.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from bench.tables import derived_rows
from chalicelib.users.item import to_item
from chalicelib.users.model import StoreUser
from chalicelib.users.tables import store

_PAGE_BYTES = 1_048_576
_NAMES_BYTES = len("bucket" + "entry" + "h")


class Simulation:
    """The partitions that the measured searches read, and the users whom they find."""

    def __init__(self, users: Iterable[StoreUser], buckets: frozenset[str]) -> None:
        """Keep the entries in `buckets`, and the users who have any."""
        self._partitions: dict[str, list[tuple[str, str]]] = {}
        self._users: dict[str, str] = {}
        for user in users:
            kept = False
            for bucket, entry, words in derived_rows(user):
                if bucket[-2:] in buckets:
                    self._partitions.setdefault(bucket, []).append((entry, words))
                    kept = True
            if kept:
                self._users[user.id] = json.dumps(to_item(user))
        for entries in self._partitions.values():
            entries.sort()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer the code's requests meanwhile."""
        events = store().client.meta.events
        handlers: dict[str, Any] = {"Query": self._query, "BatchGetItem": self._get}
        for operation, handler in handlers.items():
            events.register_first(f"before-send.dynamodb.{operation}", handler)
        try:
            yield
        finally:
            for operation, handler in handlers.items():
                events.unregister(f"before-send.dynamodb.{operation}", handler)

    def _query(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked = json.loads(cast("bytes", request.body))
        values = [one["S"] for _, one in sorted(asked["ExpressionAttributeValues"].items())]
        bucket, head, *contained = values
        entries = self._partitions.get(bucket, [])
        low = bisect_left(entries, (head, ""))
        high = bisect_right(entries, (head + "\U0010ffff", ""))
        forward = asked.get("ScanIndexForward", True)
        if start := asked.get("ExclusiveStartKey"):
            at = bisect_left(entries, (start["entry"]["S"], ""))
            low, high = (at + 1, high) if forward else (low, at)
        span = entries[low:high] if forward else entries[low:high][::-1]
        return _answer(request, _evaluated(bucket, span, asked["Limit"], contained))

    def _get(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        ((table, wanted),) = json.loads(cast("bytes", request.body))["RequestItems"].items()
        texts = [self._users[key["id"]["S"]] for key in wanted["Keys"]]
        units = sum(0.5 * ceil(len(text) / 2 / 4096) for text in texts)
        consumed = [{"TableName": table, "CapacityUnits": units}]
        rows = [json.loads(text) for text in texts]
        return _answer(request, {"Responses": {table: rows}, "ConsumedCapacity": consumed})


def _evaluated(
    bucket: str, span: list[tuple[str, str]], limit: int, contained: list[str]
) -> dict[str, Any]:
    size, seen, found = 0, 0, []
    for entry, words in span:
        if seen == limit or size > _PAGE_BYTES:
            break
        seen += 1
        size += _NAMES_BYTES + len(bucket) + len(entry.encode()) + len(words.encode())
        if all(word in words for word in contained):
            found.append({"bucket": {"S": bucket}, "entry": {"S": entry}, "h": {"S": words}})
    answer: dict[str, Any] = {
        "Items": found,
        "Count": len(found),
        "ScannedCount": seen,
        "ConsumedCapacity": {"TableName": "search", "CapacityUnits": 0.5 * ceil(size / 4096)},
    }
    if seen == limit or seen < len(span):
        last = span[seen - 1][0]
        answer["LastEvaluatedKey"] = {"bucket": {"S": bucket}, "entry": {"S": last}}
    return answer


class _Body:
    """As much of urllib3's answer as botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        """The whole of it."""
        yield self._content


def _answer(request: AWSPreparedRequest, content: dict[str, Any]) -> AWSResponse:
    body: Any = _Body(json.dumps(content).encode())
    return AWSResponse(request.url, 200, HTTPHeaders(), body)
