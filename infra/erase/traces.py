"""Where else a person leaves traces: jobs and files of exports, dead letters, the audit."""

import json
import re
import time
from collections.abc import Callable, Iterator
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

from pynamodb.constants import ITEM
from pynamodb.expressions.operand import Path

from chalicelib import aws, clock
from chalicelib.dynamodb import ConditionFailedError, Item
from chalicelib.exports import delivery, jobs
from chalicelib.settings import settings
from chalicelib.users import audit, chain
from chalicelib.users.model import Author
from chalicelib.users.tables import ExportItem, store
from infra.erase import files
from infra.erase.names import Names
from infra.erase.person import ErasureError, Person, acts, scan

ERASED = "(erased)"
"""What stands where a search or a reason stood."""

Looked: TypeAlias = dict[str, Names | None]
"""The keys of files that were looked through, with how the person is called there, if at all."""

_VISIBILITY_SECONDS = 300
_WAIT_SECONDS = 1
_PAUSE_SECONDS = 1.0


def wait_for_exports(patience_seconds: float) -> None:
    """Wait until every export has ended that may have read the person before they were gone.

    Raises `ErasureError` where some have not.
    """
    deadline = time.monotonic() + patience_seconds
    asked_before = clock.instant(clock.now())
    while running := [one.id for one in _jobs() if _may_have_read(one, asked_before)]:
        if time.monotonic() > deadline:
            message = f"exports are still running: {', '.join(running)}; run it again after them"
            raise ErasureError(message)
        time.sleep(_PAUSE_SECONDS)


def look_through_files(user_id: str, looked: Looked) -> Names:
    """Look through the files that were not looked through yet; how the person is called in all.

    A file is as the person was when it was made: so former names are found that nothing else has.
    """
    for key in files.keys("exports/"):
        if key not in looked:
            looked[key] = files.look_for(key, user_id)
    return reduce(or_, filter(None, looked.values()), Names())


def expire_files(person: Person, by: Author, looked: Looked) -> list[ExportItem | str]:
    """Take away every file that holds the person; the jobs, or keys of files that have none.

    A file cannot be edited: its job says `expired`, and its links answer so.
    """
    # Workbooks say for what was searched; where it is blanked, the file was not yet looked at.
    searched = {
        job.id for job in _jobs() if _is_about(job, person) or job.filters.get("q") == ERASED
    }
    taken: dict[str, ExportItem | str] = {}
    for key in looked:
        export_id = key.split("/")[1]
        if export_id in taken or not (export_id in searched or looked[key] is not None):
            continue
        job = jobs.find_file(export_id)
        if job is not None:
            _expire(job, by)
        delivery.remove_files(delivery.object_prefix(export_id))
        taken[export_id] = job or key
    return list(taken.values())


def remove_remnants() -> int:
    """Remove what dead workers have left half sent, and older versions of files; how many."""

    def is_left(key: str) -> bool:
        job = jobs.find_file(key.split("/")[1])
        return job is None or not _is_running(job)

    return files.abort_uploads(is_left) + files.remove_older_versions()


def forget_searches(person: Person) -> int:
    """Blank the searches of ended jobs that are about the person; how many they were."""
    found = [job for job in _jobs() if not _is_running(job) and _is_about(job, person)]
    for job in found:
        actions = [
            Path("filters").set(json.dumps({**job.filters, "q": ERASED})),
            # A digest of the filters, from which a search could be guessed.
            Path("fingerprint").set(ERASED),
        ]
        try:
            store().update_item(
                settings().exports_table, job.id, actions=actions, condition=Path("id").exists()
            )
        except ConditionFailedError:
            continue  # It was kept long enough, and is gone.
    return len(found)


def forget_deliveries(user_id: str) -> int:
    """Take the person out of what the schedule remembers of its deliveries; from how many."""
    return sum(files.forget_delivery(key, user_id) for key in list(files.keys("schedule/")))


def remove_dead_letters(
    queue_url: str, person: Person, is_concerned: Callable[[Any, Person], bool]
) -> int:
    """Delete the messages that concern the person; the others can be read again at once.

    Some lie there because they make no sense: of those the id alone can tell.
    """
    removed, kept = 0, []
    for message in _messages(queue_url):
        if _concerns(message["Body"], person, is_concerned):
            aws.sqs().delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            removed += 1
        else:
            kept.append(message["ReceiptHandle"])
    for handle in kept:
        aws.sqs().change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=0
        )
    return removed


def _concerns(body: str, person: Person, is_concerned: Callable[[Any, Person], bool]) -> bool:
    try:
        return is_concerned(json.loads(body), person)
    except (ValueError, KeyError, TypeError, AttributeError):
        return bool(re.search(rf"(?<![\w-]){re.escape(person.id)}(?![\w-])", body))


def is_record_of(record: Any, person: Person) -> bool:
    """Whether a record of the stream is about the person."""
    change = record["dynamodb"]
    images = [change.get(name) or {} for name in ("Keys", "OldImage", "NewImage")]
    return any(image.get("id") == {"S": person.id} for image in images)


def is_order_about(message: Any, person: Person) -> bool:
    """Whether a message of the queue of exports searches for the person."""
    return _is_about(ExportItem.from_raw_data(message["job"]), person)


def unlink_acts(user_id: str) -> int:
    """Keep what the staff did, and when, under a name that leads to nobody; how many acts.

    Reasons are free text and may name the person: they go. What is kept is a chain of its own.
    """
    pseudonym = audit.customer(f"erased-{clock.ulid(clock.now())}")
    kept: list[Item] = []
    for item in list(acts(user_id)):
        facts = json.loads(item["facts"]["S"])
        for name in ("reason", "ecosystem_id"):
            if facts.get(name) is not None:
                facts[name] = ERASED
        renamed = {**item, "subject": {"S": pseudonym}, "facts": {"S": json.dumps(facts)}}
        kept.append(chain.linked(renamed, kept[-1] if kept else None))
        _replace(item, kept[-1])
    return len(kept)


def _replace(item: Any, new: Any) -> None:
    table = settings().audit_table
    old = item["subject"]["S"], item["entry"]["S"]
    put = store().get_operation_kwargs(
        table, new["subject"]["S"], range_key=new["entry"]["S"], key=ITEM, attributes=new
    )
    delete = store().get_operation_kwargs(table, *old)
    store().transact_write_items(
        condition_check_items=[], delete_items=[delete], put_items=[put], update_items=[]
    )


def _jobs() -> Iterator[ExportItem]:
    return (
        ExportItem.from_raw_data(item)
        for item in scan(settings().exports_table)
        if "shelf" in item  # What the schedule and the slots remember lies on no shelf.
    )


def _is_about(job: ExportItem, person: Person) -> bool:
    return person.names.answer(job.filters.get("q", ""))


def _is_running(job: ExportItem) -> bool:
    return job.deleted_at is None and jobs.status(job) in {"queued", "running"}


def _may_have_read(job: ExportItem, before: str) -> bool:
    return _is_running(job) and job.requested_at <= before


def _expire(job: ExportItem, by: Author) -> None:
    now = clock.instant(clock.now())
    entry = jobs.audit_entry(job, "export.expired", by, {"because": "a person was erased"}, "erase")
    is_there = (Path("status") == "succeeded") & (Path("expires_at") > now)
    jobs.note(job, [Path("expires_at").set(now)], is_there, entry)


def _messages(queue_url: str) -> Iterator[Any]:
    while True:
        answer = aws.sqs().receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_VISIBILITY_SECONDS,
            WaitTimeSeconds=_WAIT_SECONDS,
        )
        if not answer.get("Messages"):
            return
        yield from answer["Messages"]
