"""Totals: how many are in a list, and how many registered on each day."""

from datetime import date

from chalicelib.api.http import Answer, Call, serves
from chalicelib.errors import Fault, InvalidRequestError
from chalicelib.users import totals
from chalicelib.users.model import Kind

MAX_DAYS = 400

_KINDS = {"customers": Kind.CUSTOMER, "leads": Kind.LEAD}


@serves("get_totals")
def get_totals(call: Call) -> Answer:
    """The list as of now, and the days that were asked for, one after the other."""
    name = call.parameters["list"]
    call.actor.need(f"{name}:read")
    first, last = (date.fromisoformat(call.parameters[end]) for end in ("from", "to"))
    if first > last:
        raise InvalidRequestError([Fault("query", "to", "is before `from`")])
    if (last - first).days >= MAX_DAYS:
        detail = f"is more than {MAX_DAYS} days from `from`"
        raise InvalidRequestError([Fault("query", "to", detail)])
    days = totals.of_days(_KINDS[name], first, last)
    return Answer(
        {
            "list": name,
            "total": totals.of_list(_KINDS[name], dated_only=False),
            "days": [{"on": day, "registered": number} for day, number in days],
        }
    )
