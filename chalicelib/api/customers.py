"""Customers: the list, the detail window, the switch and its history."""

from chalicelib.api import rows
from chalicelib.api.http import Answer, Call, serves
from chalicelib.api.lists import list_users
from chalicelib.dynamodb import Item
from chalicelib.users import access, audit, listing
from chalicelib.users.model import Access, Kind, StoreUser


@serves("list_customers")
def list_customers(call: Call) -> Answer:
    """One page of customers."""
    return list_users(call, Kind.CUSTOMER, "/v1/customers", rows.customer_row)


@serves("get_customer")
def get_customer(call: Call) -> Answer:
    """The customer with the subscription in detail."""
    return _detail(listing.find(Kind.CUSTOMER, call.parameters["customer_id"]))


@serves("change_access")
def change_access(call: Call) -> Answer:
    """The customer after the switch."""
    wish = access.Wish(
        access=Access(call.body["access"]),
        reason=call.body.get("reason"),
        version=int(call.parameters["If-Match"].strip('"')),
        by=call.actor.author,
        request_id=call.request_id,
    )
    return _detail(access.change(call.parameters["customer_id"], wish))


@serves("list_access_history")
def list_access_history(call: Call) -> Answer:
    """One page of the switch's history, newest first."""
    limit = call.parameters["limit"]
    customer_id = call.parameters["customer_id"]
    page = access.history(customer_id, call.parameters.get("cursor"), limit)
    data = [_event(item) for item in page.items]
    path = f"/v1/customers/{customer_id}/access/history"
    link = rows.link_header(path, {"limit": limit}, page)
    return Answer(rows.page(data, limit, page), headers={"Link": link}, people=(customer_id,))


def _detail(user: StoreUser) -> Answer:
    headers = {"ETag": f'"{user.version}"'}
    return Answer(rows.customer_detail(user), headers=headers, people=(user.id,))


def _event(item: Item) -> dict[str, str | None]:
    entry = audit.from_item(item)
    return {
        "at": entry.at,
        "by": entry.by.name,
        "by_id": entry.by.id,
        "from": entry.facts["from"],
        "to": entry.facts["to"],
        "reason": entry.facts["reason"],
        "kept_from": entry.facts.get("kept_from"),
        "ecosystem_id": entry.facts.get("ecosystem_id"),
        "request_id": entry.request_id,
    }
