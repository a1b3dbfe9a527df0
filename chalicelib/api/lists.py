"""What the lists of customers and of leads share: parameters → page → answer."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from chalicelib.api import rows
from chalicelib.api.enumerations import OLD_SORTS
from chalicelib.api.http import Answer, Call
from chalicelib.errors import Fault, InvalidRequestError
from chalicelib.users import listing, searching
from chalicelib.users.filters import Filters
from chalicelib.users.listing import DEFAULT_SORT, UserPage
from chalicelib.users.model import Kind, StoreUser

_FILTERS = {field.name for field in fields(Filters)}


def list_users(
    call: Call, kind: Kind, path: str, row: Callable[[StoreUser], dict[str, Any]]
) -> Answer:
    """The page of the list at `path` that the parameters ask for."""
    given = {**call.parameters, "sort": _sort(call.parameters["sort"])}
    filters = Filters(**{name: value for name, value in given.items() if name in _FILTERS})
    _check(given, call.named, filters)
    page = _page(kind, filters, given)
    headers = {"Link": rows.link_header(path, _of_link(given, filters), page)}
    if page.total and page.total.is_exact:
        headers["X-Total-Count"] = str(page.total.number)
    data = [row(user) for user in page.users]
    people = [user.id for user in page.users]
    return Answer(rows.page(data, given["limit"], page), headers=headers, people=people)


def _sort(asked: str) -> str:
    """Return the order `asked` by the name of its field: links and clients may have an old one."""
    sign, name = asked[: asked.startswith("-")], asked.removeprefix("-")
    return sign + OLD_SORTS.get(name, name)


def _page(kind: Kind, filters: Filters, given: Mapping[str, Any]) -> UserPage:
    token, sort, limit = given.get("cursor"), given["sort"], given["limit"]
    counting = given["total"] == "count"
    if filters.q is not None:
        return searching.page(kind, filters, token, limit, counting=counting)
    if "page" not in given:
        return listing.page(kind, filters, sort, token, limit, counting=counting)
    return listing.numbered_page(kind, sort, given["page"], limit)


def _check(given: Mapping[str, Any], named: frozenset[str], filters: Filters) -> None:
    """Refuse what cannot be asked for together."""
    faults = []
    if filters.q is not None and "sort" in named:
        faults.append(Fault("query", "sort", "not together with q: the best match comes first"))
    if "page" in given:
        reasons = {
            "not together with a cursor": "cursor" in given,
            "not together with q or a filter: walk by cursors": not filters.are_empty,
            "only where the list is sorted by registered_at": given["sort"].lstrip("-")
            != DEFAULT_SORT.lstrip("-"),
        }
        faults += [Fault("query", "page", reason) for reason, holds in reasons.items() if holds]
    if faults:
        raise InvalidRequestError(faults)


def _of_link(given: Mapping[str, Any], filters: Filters) -> Mapping[str, Any]:
    """The parameters that the pages beside this one have, too."""
    left_out = {"sort"} if filters.q is not None else set()
    return {name: value for name, value in given.items() if name not in left_out}
