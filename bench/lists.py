"""What pages of lists cost, by sort, by number and by filter: `python -m bench.lists`.

Against the usual ways: an index of keys with BatchGet, a COUNT query for the total, a filter on
the whole list. Ends with the criteria, and with status 1 where one is not met.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bench import tables
from bench.engine import EngineError, engine
from bench.people import people
from bench.tables import Meter
from chalicelib.clock import instant, now
from chalicelib.users import listing, totals
from chalicelib.users.batches import get_all
from chalicelib.users.budget import MAX_UNITS
from chalicelib.users.cursor import Position
from chalicelib.users.filters import Filters
from chalicelib.users.model import Kind

CUSTOMER = Kind.CUSTOMER
_SHARE = 0.5
"""Half of the people of this bench are customers, so that filters have something to do."""

FILTERS = {
    "access suspended (1 %)": Filters(access="suspended"),
    "ecosystem none (30 %)": Filters(ecosystem="none"),
    "status past_due (4 %)": Filters(status=("past_due",)),
    "plan Enterprise (1 %)": Filters(plan=("Enterprise",)),
    "annual (50 %)": Filters(billing_period="annual"),
    "suspended and past_due (0.04 %)": Filters(access="suspended", status=("past_due",)),
    "Enterprise, past_due, suspended, none": Filters(
        plan=("Enterprise",), status=("past_due",), access="suspended", ecosystem="none"
    ),
    "past_due or trialing, Lite, since June": Filters(
        status=("past_due", "trialing"), plan=("Lite",), registered_from="2025-06-01"
    ),
}

Row = tuple[str, int, float]


def _measured(ask: Callable[[], Any]) -> tuple[Any, Meter]:
    with tables.metered() as meter:
        answer = ask()
    return answer, meter


def _cost(ask: Callable[[], Any]) -> tuple[int, float]:
    _, meter = _measured(ask)
    return len(meter.calls), sum(units for _, _, units, _ in meter.calls)


def sorts(size: int) -> Iterator[tuple[str, int, float]]:
    """A page of 25 in each order, with and without its total, and the peers."""
    none = Filters()
    for sort in ("-registered_at", "first_name", "company_name", "subscription.ends_on"):
        yield (
            f"{size:,} · by {sort}",
            *_cost(partial(listing.page, CUSTOMER, none, sort, None, 25, counting=False)),
        )
    default = listing.DEFAULT_SORT
    page = listing.page(CUSTOMER, none, default, None, 25)
    yield (
        f"{size:,} · with its total",
        *_cost(partial(listing.page, CUSTOMER, none, default, page.next, 25)),
    )
    yield f"{size:,} · peer: index of keys and BatchGet", *_cost(_keys_and_rows)
    rows = listing.rows_of(CUSTOMER, none, default)
    yield f"{size:,} · peer: the total by a COUNT query", *_cost(rows.count)


def _keys_and_rows() -> None:
    """The page as an index without the rows would give it: keys, then the rows by id."""
    rows = listing.rows_of(CUSTOMER, Filters(), listing.DEFAULT_SORT)
    page = rows.read(Position((), forward=True, start=0), 25)
    keys = [{"id": row.item["id"]} for row in page.rows]
    get_all("users", keys, consistent=False)


def numbers(size: int) -> Iterator[tuple[str, int, float]]:
    """Pages by number: the first, one in the middle, the last."""
    default = listing.DEFAULT_SORT
    total = totals.of_list(CUSTOMER, dated_only=True)
    for limit in (25, 100):
        pages = -(-total // limit)
        for number in (1, pages // 3, pages // 2, pages):
            yield (
                f"{size:,} · page {number:,} of {pages:,}, {limit} a page",
                *_cost(partial(listing.numbered_page, CUSTOMER, default, number, limit)),
            )


def filters(size: int) -> Iterator[tuple[str, int, int, float, float, str, int, float, str]]:
    """Each filter by us (with the total), and by a condition on the whole list alone."""
    default = listing.DEFAULT_SORT
    for name, asked in FILTERS.items():
        page, meter = _measured(partial(listing.page, CUSTOMER, asked, default, None, 25))
        units = sum(one for _, _, one, _ in meter.calls)
        worst = units
        for _ in range(10):
            if page.next is None:
                break
            token = page.next
            page, later = _measured(partial(listing.page, CUSTOMER, asked, default, token, 25))
            worst = max(worst, sum(one for _, _, one, _ in later.calls))
        first = listing.page(CUSTOMER, asked, default, None, 25)
        total = f"{first.total.number:,}" if first.total and first.total.is_exact else "1,000+"
        rows = listing.rows_of(CUSTOMER, asked, default)
        begin = Position((), forward=True, start=0)
        peer, peered = _measured(partial(rows.read, begin, 25))
        other = sum(one for _, _, one, _ in peered.calls)
        short = "" if peer.edge is None or len(peer.rows) == 25 else f" ({len(peer.rows)} rows)"
        yield (
            *(f"{size:,} · {name}", len(first.users), len(meter.calls), units, worst, total),
            *(len(peered.calls), other, short),
        )


def main() -> int:
    """Measure, tell, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    given = parser.parse_args()
    plain: list[Row] = []
    jumps: list[Row] = []
    filtered: list[Any] = []
    try:
        with engine() as endpoint:
            tables.point_code_at(endpoint)
            for size in map(int, given.sizes.split(",")):
                tables.create(endpoint)
                tables.fill(endpoint, people(size, customers=_SHARE), frozenset())
                sys.stderr.write(f"{instant(now())} filled with {size:,}\n")
                plain += sorts(size)
                jumps += numbers(size)
                filtered += filters(size)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return _tell(plain, jumps, filtered)


def _tell(plain: list[Row], jumps: list[Row], filtered: list[Any]) -> int:
    print("| page of 25 customers (half of the users) | requests | RRU |\n| --- | ---: | ---: |")
    for name, requests, units in plain:
        print(f"| {name} | {requests} | {units:g} |")
    print("\n| page by number | requests | RRU |\n| --- | ---: | ---: |")
    for name, requests, units in jumps:
        print(f"| {name} | {requests} | {units:g} |")
    print(
        "\n| filter | rows | requests | RRU | worst page | total | "
        "condition alone: requests | RRU |\n" + "| --- |" + " ---: |" * 7
    )
    for name, rows, requests, units, worst, total, others, other, short in filtered:
        print(
            f"| {name} | {rows} | {requests} | {units:g} | {worst:g} | {total} "
            f"| {others} | {other:g}{short} |"
        )
    judged = {
        "a page is one Query of at most 1.5 RRU in each order": all(
            requests == 1 and units <= 2 for name, requests, units in plain if "· by" in name
        ),
        "a page by number, 25 a page: at most 4 requests and 8 RRU": all(
            requests <= 4 and units <= 8 for name, requests, units in jumps if "25 a page" in name
        ),
        "a page by number, 100 a page: at most 4 requests and 8 RRU": all(
            requests <= 4 and units <= 8 for name, requests, units in jumps if "100 a page" in name
        ),
        "no filtered page above 120 RRU": all(line[4] <= MAX_UNITS for line in filtered),
    }
    print()
    for text, holds in judged.items():
        print(f"- {'PASS' if holds else 'FAIL'}: {text}")
    return 0 if all(judged.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
