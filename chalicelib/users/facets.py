"""Facets: the values of each filter on customers, and how many customers have each."""

from collections.abc import Mapping

from chalicelib.users import totals
from chalicelib.users.filters import Filters, fits
from chalicelib.users.model import Access
from chalicelib.users.segments import Segment

Counts = Mapping[str, Mapping[str, int]]
"""Name of the filter → its values → the number of customers that the filter then finds."""


def of_customers() -> Counts | None:
    """Return the counts as of now, from the counters: one Query. None where they cannot tell.

    Values that no customer has are left out, and so are empty ones.
    """
    known = totals.segments()
    if known is None:
        return None
    return {
        "access": _counts(known, {one: Filters(access=one) for one in Access}),
        "ecosystem": _counts(known, {one: Filters(ecosystem=one) for one in ("deployed", "none")}),
        "billing_period": _counts(
            known, {one.billing_period: Filters(billing_period=one.billing_period) for one in known}
        ),
        "status": _counts(known, {one.status: Filters(status=(one.status,)) for one in known}),
        "plan": _counts(known, {one.plan: Filters(plan=(one.plan,)) for one in known}),
    }


def _counts(known: Mapping[Segment, int], filters: Mapping[str, Filters]) -> dict[str, int]:
    counts = {
        str(value): sum(number for segment, number in known.items() if fits(asked, segment))
        for value, asked in filters.items()
        if value
    }
    return {value: number for value, number in counts.items() if number}
