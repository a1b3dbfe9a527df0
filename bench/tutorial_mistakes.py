"""What the way of a tutorial gets wrong, and ours does not: each shown by doing it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import openpyxl
from botocore.exceptions import EndpointConnectionError
from pynamodb.exceptions import PutError

from bench import tables, tutorial_way
from chalicelib.errors import StoreUnavailableError, VersionConflictError
from chalicelib.exports import columns, workbook
from chalicelib.users import access, listing, searching
from chalicelib.users.access import Wish
from chalicelib.users.filters import Filters
from chalicelib.users.model import Access, Author, Kind, StoreUser
from chalicelib.users.tables import store

GARCIA = StoreUser(
    *("garcia", Kind.LEAD, "Inés", "García", "ines@clinic.example", "+573001234567"),
    *("=1+1", "2025-06-01T12:00:00Z"),
    version=1,
)
"""A lead with an accent, from a company whose name looks like a formula."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What was done, what came of it in either way, and whether that is what is claimed."""

    what: str
    ours: str
    theirs: str
    holds: bool


def shown(customer: StoreUser) -> Iterator[Shown]:
    """Each mistake. The customer has an ecosystem; this switches it."""
    yield from (_accents(), _lost_update(customer), _cut_short(customer), _formula())


def _accents() -> Shown:
    ours = len(searching.page(Kind.LEAD, Filters(q="garcia"), None, 25).users)
    theirs = len(tutorial_way.search("lead", "garcia", 25))
    return Shown(
        "`garcia` is searched, and there is a García",
        f"{ours} found",
        f"{theirs} found",
        ours == 1 and theirs == 0,
    )


def _lost_update(customer: StoreUser) -> Shown:
    """Two look at an active customer; the first suspends it, and then the second saves."""
    seen = _make_active(customer.id)
    access.change(customer.id, _wish(seen, Access.SUSPENDED, "first"))
    is_refused = False
    try:
        access.change(customer.id, _wish(seen, Access.ACTIVE, "second"))
    except VersionConflictError:
        is_refused = True
    kept = str(listing.find(Kind.CUSTOMER, customer.id).access)

    tutorial_way.switch(customer.id, "active", "bench", "begin")
    edited = tutorial_way.Person.get(customer.id)
    tutorial_way.switch(customer.id, "suspended", "first", "bench")
    edited.phone_number = "+573007654321"
    edited.save()
    left = str(tutorial_way.Person.get(customer.id).access)
    newest = tutorial_way.Act.query(customer.id, scan_index_forward=False, limit=1)
    told = next(newest).after
    return Shown(
        "two read a customer; one suspends it; the other, who saw it active, saves",
        f"{'the second is refused' if is_refused else 'nobody is told'}: {kept}",
        f"nobody is told: {left}, and the audit says {told}",
        is_refused and (kept, left, told) == ("suspended", "active", "suspended"),
    )


def _cut_short(customer: StoreUser) -> Shown:
    """Suspend, while what writes the audit does not get through."""
    seen = _make_active(customer.id)
    with _cut(store().client, "TransactWriteItems"), suppress(StoreUnavailableError):
        access.change(customer.id, _wish(seen, Access.SUSPENDED, "cut"))
    kept = str(listing.find(Kind.CUSTOMER, customer.id).access)
    tutorial_way.switch(customer.id, "active", "begin", "bench")
    with _cut(tables.client_of(tutorial_way.Act), "PutItem"), suppress(PutError):
        tutorial_way.switch(customer.id, "suspended", "cut", "bench")
    left = str(tutorial_way.Person.get(customer.id).access)
    is_told = any(act.by == "cut" for act in tutorial_way.Act.query(customer.id))
    return Shown(
        "an active customer is suspended, and the write of the audit is cut off",
        f"nothing has happened: {kept}",
        f"{left}, and {'an' if is_told else 'no'} entry in the audit",
        (kept, left, is_told) == ("active", "suspended", False),
    )


@contextmanager
def _cut(client: Any, operation: str) -> Iterator[None]:
    """No such request of that client reaches the engine meanwhile."""

    def cut(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="cut")

    event = f"before-call.dynamodb.{operation}"
    client.meta.events.register(event, cut)
    try:
        yield
    finally:
        client.meta.events.unregister(event, cut)


def _make_active(customer_id: str) -> StoreUser:
    return access.change(
        customer_id, _wish(listing.find(Kind.CUSTOMER, customer_id), Access.ACTIVE, "begin")
    )


def _wish(seen: StoreUser, wanted: Access, by: str) -> Wish:
    return Wish(
        access=wanted, reason="bench", version=seen.version, by=Author(by, by), request_id="bench"
    )


def _formula() -> Shown:
    layout = columns.layout(Kind.LEAD, "es")
    file = BytesIO()
    workbook.write(file, layout, [layout.rows([GARCIA])], lambda _tally: [])
    ours = _type_of(GARCIA.company_name, file)
    theirs = _type_of(GARCIA.company_name, BytesIO(tutorial_way.workbook([[GARCIA.company_name]])))
    return Shown(
        f"a company is called `{GARCIA.company_name}`, and is exported",
        ours,
        theirs,
        (ours, theirs) == ("text", "a formula"),
    )


def _type_of(value: str, file: BytesIO) -> str:
    """What the workbook holds that value as: "text" or "a formula"."""
    rows = openpyxl.load_workbook(file).worksheets[0].iter_rows()
    (cell,) = (one for row in rows for one in row if one.value == value)
    return {"s": "text", "f": "a formula"}[cell.data_type]
