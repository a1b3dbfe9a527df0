"""Totals: how many are in a list, registered on each day, and have each value of a filter."""

from datetime import date

from chalicelib.api.http import Answer, Call, serves
from chalicelib.errors import Fault, InvalidRequestError
from chalicelib.users import facets, totals
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


@serves("get_facets")
def get_facets(call: Call) -> Answer:
    """The values that each filter of the list finds, the most frequent first."""
    name = call.parameters["list"]
    call.actor.need(f"{name}:read")
    counts = facets.of_customers() if name == "customers" else {}
    choices = {
        facet: [
            {"value": value, "count": number}
            for value, number in sorted(values.items(), key=lambda one: (-one[1], one[0]))
        ]
        for facet, values in (counts or {}).items()
    }
    return Answer({"list": name, "complete": counts is not None, "facets": choices})
