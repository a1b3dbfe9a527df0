"""The same people and the same tasks in both ways: ours, and that of bench.tutorial_way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from typing import Any

from bench import tables, tutorial_way
from bench.people import people
from bench.search import BUCKETS
from bench.tutorial_mistakes import GARCIA
from chalicelib import clock
from chalicelib.users import access, counting, listing, projection, searching
from chalicelib.users.access import Wish
from chalicelib.users.filters import Filters
from chalicelib.users.item import to_item
from chalicelib.users.model import Access, Author, Kind, StoreUser

_PAGE = 25
_SEARCHES = ("Quetzalli", "María Gómez", "maria gomez")

Ask = Callable[[], int]
"""Does the task once; how many people it found."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is done, and how in either way."""

    name: str
    ours: Ask
    theirs: Ask


def fill(endpoint: str, count: int) -> StoreUser:
    """Put so many people into the tables of both; an active customer with an ecosystem."""
    everybody = [*people(count - 1, customers=0.5), GARCIA]
    tables.create(endpoint)
    tables.fill(endpoint, everybody, BUCKETS | {"ga"})
    for model in (tutorial_way.Person, tutorial_way.Act):
        model.create_table()
    with tutorial_way.Person.batch_write() as batch:
        for user in everybody:
            batch.save(tutorial_way.Person(**_plain(user)))
    return next(user for user in everybody if user.ecosystem and user.access == Access.ACTIVE)


def tasks(customer: StoreUser) -> Iterator[Task]:
    """The list, the searches, the switch of that customer."""
    yield Task(
        f"list: {_PAGE} customers, newest first, and the total",
        lambda: len(_list().users),
        lambda: len(tutorial_way.page("customer", _PAGE)[0]),
    )
    for text in _SEARCHES:
        yield _search(text)
    yield Task("switch, and a gateway's question", _our_switch(customer), _their_switch(customer))
    yield Task(
        "switch, a gateway's question, and what the stream does then",
        _our_switch(customer, is_followed=True),
        _their_switch(customer),
    )


def _list() -> listing.UserPage:
    return listing.page(Kind.CUSTOMER, Filters(), listing.DEFAULT_SORT, None, _PAGE)


def _search(text: str) -> Task:
    return Task(
        f"search: `{text}` in leads, {_PAGE} of them",
        lambda: len(searching.page(Kind.LEAD, Filters(q=text), None, _PAGE).users),
        lambda: len(tutorial_way.search("lead", text, _PAGE)),
    )


def _our_switch(customer: StoreUser, *, is_followed: bool = False) -> Ask:
    """Switch to and fro, and ask as a gateway; with what the stream leads to, if followed."""
    seen = listing.find(Kind.CUSTOMER, customer.id)

    def switch() -> int:
        nonlocal seen
        wanted = Access.SUSPENDED if seen.access == Access.ACTIVE else Access.ACTIVE
        wish = Wish(
            access=wanted, reason="r", version=seen.version, by=Author("b", "b"), request_id="bench"
        )
        seen = access.change(customer.id, wish)
        if is_followed:
            image = to_item(seen)
            projection.apply({"dynamodb": {"Keys": {"id": image["id"]}, "NewImage": image}})
            counting.bring_up([customer.id], clock.now() + timedelta(minutes=1))
        _check_told(access.of_ecosystem(_ecosystem_of(customer)).access, wanted)
        return 0

    return switch


def _their_switch(customer: StoreUser) -> Ask:
    sides = cycle((Access.SUSPENDED, Access.ACTIVE))

    def switch() -> int:
        wanted = next(sides)
        tutorial_way.switch(customer.id, wanted.value, "b", "r")
        _check_told(tutorial_way.access_of(_ecosystem_of(customer)), wanted)
        return 0

    return switch


def _check_told(told: str | None, wanted: Access) -> None:
    if told != wanted:
        message = f"a gateway is told {told} instead of {wanted}"
        raise AssertionError(message)


def _ecosystem_of(customer: StoreUser) -> str:
    assert customer.ecosystem  # noqa: S101 - chosen so
    return customer.ecosystem.id


def _plain(user: StoreUser) -> dict[str, Any]:
    """The attributes of the tutorial's model, which has no maps."""
    names = ("id", "first_name", "last_name", "company_email", "phone_number", "company_name")
    found = {name: getattr(user, name) for name in (*names, "registered_at", "access")}
    found["kind"] = user.kind.value
    if user.ecosystem:
        found |= {"ecosystem_id": user.ecosystem.id, "ecosystem_name": user.ecosystem.name}
    if user.subscription:
        bought = ("plan", "billing_period", "status", "starts_on", "ends_on")
        found |= {name: getattr(user.subscription, name) for name in bought}
    return found
