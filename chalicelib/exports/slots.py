"""How many exports one person has running: a slot for each, taken before it is ordered.

The slots of a person are one item, so that two orders of the same moment cannot both have the
last one. A slot is not given back: taking one frees those that are no longer in use. The slot of a
dead worker is free when its lease ends: one more may run once another worker has the export.
"""

import hashlib
from datetime import timedelta

from pynamodb.expressions.operand import Path

from chalicelib import clock
from chalicelib.dynamodb import ConditionFailedError, Item
from chalicelib.errors import StoreUnavailableError, TooManyExportsError
from chalicelib.exports import jobs
from chalicelib.settings import settings
from chalicelib.users.tables import store

_TRIES = 10

_UNWRITTEN_FOR = timedelta(minutes=2)
"""How long a job may not be there yet: a request ends within half a minute."""

_KEPT = timedelta(days=1)


def take(person: str, export_id: str) -> None:
    """Take a slot for the export; the one that it has will do.

    Raises `TooManyExportsError`, `StoreUnavailableError`.
    """
    for _ in range(_TRIES):
        stored = _read(person)
        taken = stored.get("slots", {}).get("M", {})
        if export_id in taken:
            return
        used = {name: since for name, since in taken.items() if _is_used(name, since["S"])}
        if len(used) >= settings().max_running_exports:
            message = f"{settings().max_running_exports} of your exports are still running"
            raise TooManyExportsError(message)
        used[export_id] = {"S": clock.instant(clock.now())}
        if _write(person, used, stored):
            return
    message = "Too many orders at this moment; try again in a while"
    raise StoreUnavailableError(message)


def _is_used(export_id: str, since: str) -> bool:
    job = jobs.find_file(export_id)
    if job is None:
        return since > clock.instant(clock.now() - _UNWRITTEN_FOR)
    return job.deleted_at is None and jobs.is_under_way(job)


def _read(person: str) -> Item:
    answer = store().get_item(settings().exports_table, _id(person), consistent_read=True)
    item: Item = answer.get("Item", {})
    return item


def _write(person: str, slots: Item, stored: Item) -> bool:
    """Whether nobody else was faster."""
    version = int(stored["version"]["N"]) if stored else 0
    same = (Path("version") == version) if stored else Path("id").does_not_exist()
    attributes = {
        "slots": {"M": slots},
        "version": {"N": str(version + 1)},
        "removed_after": {"N": str(int((clock.now() + _KEPT).timestamp()))},
    }
    try:
        store().put_item(
            settings().exports_table, _id(person), attributes=attributes, condition=same
        )
    except ConditionFailedError:
        return False
    return True


def _id(person: str) -> str:
    return "slots-" + hashlib.sha256(person.encode()).hexdigest()[:32]
