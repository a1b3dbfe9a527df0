"""Whom to erase, and what is stored of them in the tables of store users."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.settings import settings
from chalicelib.users import audit, suspensions
from chalicelib.users.counting import state_key
from chalicelib.users.derived import Derived, State
from chalicelib.users.tables import store
from infra.erase.names import Names, phrase

_PATIENCE_SECONDS = 60
_PAUSE_SECONDS = 1.0

Record = Mapping[str, Any]
Apply = Callable[[Sequence[Record]], int]
"""Has the function `stream` apply records; how many of them made no sense."""


class ErasureError(Exception):
    """The erasure came to a stop; the message says where. It can be begun again."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of whom something is, or was, stored.

    `names` are those that are known, none once the store user is gone; `ecosystems` the ids of the
    records of their ecosystems; `acts` the number of audit entries that name them.
    """

    id: str
    is_stored: bool
    names: Names
    entries: int
    ecosystems: tuple[str, ...]
    acts: int
    erased_before: bool

    @property
    def is_known(self) -> bool:
        """Whether there is anything to erase, or was until it was erased."""
        rests = self.is_stored or self.entries or self.ecosystems or self.acts
        return bool(rests) or self.erased_before

    def called(self, names: Names) -> "Person":
        """Return the person, known by these names, too."""
        return replace(self, names=self.names | names)

    def is_mentioned_in(self, text: str) -> bool:
        """Return True if the text may be about them, or names one of their ids."""
        ids = frozenset(map(phrase, (self.id, *self.ecosystems)))
        return (self.names | Names(terms=ids)).are_in(text)


def find(user_id: str, also: str = "") -> Person:
    """What the tables know of the person: read consistently, as of now.

    `also` are names that only the person can tell, with commas between.
    """
    names = settings()
    image = store().get_item(names.users_table, user_id, consistent_read=True).get("Item")
    key = state_key(user_id)
    item = (
        store()
        .get_item(names.totals_table, key["list"]["S"], key["bucket"]["S"], consistent_read=True)
        .get("Item")
    )
    counted = State.from_item(item).derived.document if item else None
    now = Derived.of(image).document if image else None
    told = " ".join(one.words for one in (counted, now) if one is not None)
    return Person(
        id=user_id,
        is_stored=image is not None,
        names=Names(words=frozenset(told.split())) | _names(image) | Names.of_text(also),
        entries=len(counted.entries(user_id)) if counted else 0,
        ecosystems=tuple(_ecosystems(user_id)),
        acts=sum(1 for _ in acts(user_id)),
        erased_before=any(_erased_id(one) == user_id for one in _subject(audit.ERASURES)),
    )


def erased_before() -> list[str]:
    """The ids of everybody who was erased, each once: after a table was restored."""
    return list(dict.fromkeys(_erased_id(one) for one in _subject(audit.ERASURES)))


def acts(user_id: str) -> Iterator[Any]:
    """The items of the audit that are kept under the person."""
    return _subject(audit.customer(user_id))


def scan(table: str) -> Iterator[Any]:
    """Every item of a table, as of now."""
    pages = store().client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return (item for page in pages for item in page["Items"])


def remove(person: Person, apply: Apply) -> None:
    """Remove the store user and have everything removed that is derived of them.

    Raises `ErasureError` where the function does not get there.
    """
    store().delete_item(settings().users_table, person.id)
    key = {"id": {"S": person.id}}
    images: list[Record] = [
        {**key, "kind": {"S": "customer"}, "ecosystem": {"M": {"id": {"S": one}}}}
        for one in person.ecosystems
    ]
    # The stream brings the news, too; but that can take its time, and be about an image in which
    # an ecosystem of the person's was not there any more.
    records = [{"dynamodb": {"Keys": key, "OldImage": image}} for image in images or [key]]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _is_applied(records, apply) or _rests(person.id):
        if time.monotonic() > deadline:
            message = "what is derived of the person is still there: see the log of `stream`"
            raise ErasureError(message)
        time.sleep(_PAUSE_SECONDS)
    suspensions.forget(person.id)


def _names(image: Record | None) -> Names:
    fields = ("first_name", "last_name", "company_email", "phone_number", "company_name")
    texts = [(image or {}).get(name, {}).get("S", "") for name in fields]
    ecosystem = (image or {}).get("ecosystem", {}).get("M", {}).get("name", {}).get("S", "")
    return Names.of_fields(*texts) | Names(terms=frozenset({phrase(ecosystem)} - {""}))


def _is_applied(records: Sequence[Record], apply: Apply) -> bool:
    try:
        return apply(records) == 0
    except ErasureError:
        return False  # Somebody else is counting them at this moment, or DynamoDB is busy.


def _rests(user_id: str) -> bool:
    person = find(user_id)
    return bool(person.is_stored or person.entries or person.ecosystems)


def _ecosystems(user_id: str) -> Iterator[str]:
    for item in scan(settings().ecosystems_table):
        if item.get("customer_id") == {"S": user_id}:
            yield item["id"]["S"]


def _subject(subject: str) -> Iterator[Any]:
    key = None
    while True:
        answer = store().query(
            settings().audit_table, subject, exclusive_start_key=key, consistent_read=True
        )
        yield from answer["Items"]
        key = answer.get("LastEvaluatedKey")
        if key is None:
            return


def _erased_id(item: Any) -> str:
    user_id: str = audit.from_item(item).facts["user_id"]
    return user_id
