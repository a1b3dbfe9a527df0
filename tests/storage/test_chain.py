"""The chain of the audit: entries follow each other, and a change of one is found."""

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import StoreUnavailableError
from chalicelib.users import audit, chain
from infra.doctor import auditing
from infra.stage import Stage
from infra.target import Target
from tests.builders import author, client, hooked, lost_answers, operations, refusals, sent_requests

pytestmark = pytest.mark.usefixtures("cloud")

SUBJECT = "customer#cus_0042"
OLD = {
    "subject": {"S": SUBJECT},
    "entry": {"S": "2026-03-04T10:00:00Z#01JNG000000000000000000000"},
    "at": {"S": "2026-03-04T10:00:00Z"},
    "by": {"S": "ana"},
    "action": {"S": "access.changed"},
    "facts": {"S": '{"from": "active", "to": "suspended", "reason": "why"}'},
    "request_id": {"S": "req-0"},
}


def _entry(reason: str = "Privacy 4711") -> audit.Entry:
    return audit.Entry(
        subject=SUBJECT,
        at="2026-03-05T09:30:00Z",
        by=author("ana"),
        action="access.changed",
        facts={"from": "active", "to": "suspended", "reason": reason},
        request_id="req-1",
    )


def _items() -> list[Any]:
    return client().query(
        TableName="audit",
        KeyConditionExpression="subject = :s",
        ExpressionAttributeValues={":s": {"S": SUBJECT}},
        ConsistentRead=True,
    )["Items"]


def _hash(item: Any) -> str:
    """The digest as docs/decisions/0029 describes it, made here once more."""
    told = {name: item[name] for name in sorted(item) if name != "hash"}
    return hashlib.sha256(
        json.dumps(told, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()
    ).hexdigest()


def _find_break(items: list[Any]) -> chain.Break | None:
    return chain.find_break(map(chain.Link.of, items))


def _append(times: int) -> list[Any]:
    for number in range(times):
        audit.append(_entry(f"Señal {number}"))
    return _items()


def test_each_entry_holds_the_hash_of_the_one_before_and_of_itself() -> None:
    items = _append(3)
    assert [one["entry"]["S"] for one in items] == ["n0000000001", "n0000000002", "n0000000003"]
    assert [one["hash"]["S"] for one in items] == [_hash(one) for one in items]
    assert [one["prev"]["S"] for one in items] == ["", *(_hash(one) for one in items[:2])]
    assert _find_break(items) is None


def test_an_entry_costs_one_read_and_one_write() -> None:
    _append(3)
    with sent_requests() as sent:
        audit.append(_entry())
    assert operations(sent) == ["Query", "PutItem"]
    assert (sent[0].body["Limit"], sent[0].body["ConsistentRead"]) == (1, True)


def test_entries_of_the_older_version_start_the_chain() -> None:
    client().put_item(TableName="audit", Item=OLD)
    audit.append(_entry())
    items = _items()
    assert items[0] == OLD
    assert items[1]["prev"]["S"] == _hash(OLD)
    assert _find_break(items) is None
    # An older version that was still running wrote once more.
    late = {**OLD, "entry": {"S": "2026-03-06T10:00:00Z#01JNG000000000000000000001"}}
    client().put_item(TableName="audit", Item=late)
    assert _find_break(_items()) is None
    newest_first = [one["entry"]["S"][:3] for one in audit.page(SUBJECT, None, 10).items]
    assert newest_first == ["n00", "202", "202"]
    client().delete_item(TableName="audit", Key={name: OLD[name] for name in ("subject", "entry")})
    broken = _find_break(_items())
    assert broken is not None
    assert broken.entry == "n0000000001"


def _reworded(items: list[Any]) -> None:
    items[1]["facts"] = {"S": "{}"}


def _reworded_with_its_hash(items: list[Any]) -> None:
    items[1]["facts"] = {"S": "{}"}
    items[1]["hash"] = {"S": _hash(items[1])}


def _removed(items: list[Any]) -> None:
    del items[1]


def _renamed(items: list[Any]) -> None:
    items[1]["by_id"] = {"S": "another"}


def _stripped(items: list[Any]) -> None:
    del items[1]["hash"]


@pytest.mark.parametrize(
    ("damage", "entry", "cause"),
    [
        (_reworded, "n0000000002", "it was changed"),
        (_renamed, "n0000000002", "it was changed"),
        (_stripped, "n0000000002", "it was changed"),
        (_reworded_with_its_hash, "n0000000003", "the entry before it was changed or removed"),
        (_removed, "n0000000003", "n0000000002 is missing before it"),
    ],
)
def test_a_changed_or_removed_entry_breaks_the_chain(
    damage: Callable[[list[Any]], None], entry: str, cause: str
) -> None:
    items = _append(4)
    damage(items)
    broken = _find_break(items)
    assert broken is not None
    assert broken.entry == entry
    assert broken.cause.startswith(cause)


@given(data=st.data())
def test_no_attribute_can_be_changed_unseen(data: st.DataObject) -> None:
    items: list[Any] = []
    for number in range(4):
        told = {"subject": {"S": SUBJECT}, "by": {"S": f"ana {number}"}, "facts": {"S": "{}"}}
        items.append(chain.linked(told, items[-1] if items else None))
    place = data.draw(st.integers(0, 3))
    name = data.draw(st.sampled_from(sorted(items[place])))
    text = data.draw(st.text(max_size=5).filter(lambda one: one != items[place][name]["S"]))
    items[place][name] = {"S": text}
    assert _find_break(items) is not None


def test_writers_at_once_cannot_fork_the_chain() -> None:
    errors: list[Exception] = []

    def write() -> None:
        try:
            for _ in range(4):
                audit.append(_entry())
        except StoreUnavailableError as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (errors, len(_items())) == ([], 16)
    assert _find_break(_items()) is None


def test_who_comes_second_follows_the_first() -> None:
    first = [_entry("First")]

    def meet(_: object) -> None:
        if first:
            audit.append(first.pop())

    with hooked("PutItem", meet):
        audit.append(_entry("Second"))
    items = _items()
    assert [json.loads(one["facts"]["S"])["reason"] for one in items] == ["First", "Second"]
    assert [one["entry"]["S"] for one in items] == ["n0000000001", "n0000000002"]
    assert _find_break(items) is None


def test_an_entry_of_which_the_answer_was_lost_is_written_once() -> None:
    with lost_answers("PutItem"):
        audit.append(_entry())
    assert len(_items()) == 1


def test_contention_without_end_is_told() -> None:
    with (
        refusals("PutItem", "ConditionalCheckFailedException", table="audit"),
        pytest.raises(StoreUnavailableError, match="Too much happens"),
    ):
        audit.append(_entry())
    assert _items() == []


def test_the_doctor_names_the_subject_and_the_entry_where_a_chain_breaks() -> None:
    stage = Stage(Target("test", "us-east-1"), {}, {}, {}, made_at=datetime.now(UTC))
    _append(3)
    audit.append(replace(_entry(), subject="export#exp_1"))
    (well,) = auditing.chains(stage)
    assert (well.is_well, well.seen) == (True, "4 entries of 2 subjects, all in place")
    changed = {**_items()[1], "by": {"S": "another"}}
    client().put_item(TableName="audit", Item=changed)
    found, whole = auditing.chains(stage)
    assert (found.about, found.is_well) == (f"audit of {SUBJECT}", False)
    assert found.seen == "breaks at n0000000002: it was changed: its hash is another"
    assert (whole.is_well, whole.seen) == (False, "1 of 2 subjects break")
