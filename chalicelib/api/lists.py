"""What the lists of customers and of leads share: parameters → page → answer."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from chalicelib.api import rows
from chalicelib.api.http import Answer, Call
from chalicelib.users import listing
from chalicelib.users.listing import Filters
from chalicelib.users.model import Kind, StoreUser

_FILTERS = {field.name for field in fields(Filters)}


def list_users(
    call: Call, kind: Kind, path: str, row: Callable[[StoreUser], dict[str, Any]]
) -> Answer:
    """The page of the list at `path` that the parameters ask for."""
    given = call.parameters
    filters = Filters(**{name: value for name, value in given.items() if name in _FILTERS})
    limit = given["limit"]
    page = listing.page(kind, filters, given["sort"], given.get("cursor"), limit)
    data = [row(user) for user in page.users]
    link = rows.link_header(path, given, page.next, page.prev)
    return Answer(rows.page(data, limit, page.start, page.next, page.prev), headers={"Link": link})
