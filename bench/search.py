"""What a search costs, against the filter that everybody writes: `python -m bench.search`.

Counts are requests and request units; milliseconds are for orientation alone. Ends with the
criteria, and with status 1 where one is not met. `--sizes 1000,10000` measures fewer.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from bench import tables
from bench.engine import EngineError, engine
from bench.people import people
from bench.simulated import Simulation
from chalicelib import clock
from chalicelib.users import access, counting, listing, searching
from chalicelib.users.access import Wish
from chalicelib.users.budget import MAX_ROWS, MAX_UNITS
from chalicelib.users.entries import Document, Search
from chalicelib.users.filters import Filters
from chalicelib.users.item import from_item, to_item
from chalicelib.users.listing import UserPage
from chalicelib.users.model import Access, Author, Ecosystem, Kind, StoreUser
from chalicelib.users.paging import Key
from chalicelib.users.tables import store

LEAD = Kind.LEAD
SEARCHES = {
    "a rare name": "quetzalli",
    "maria": "maria",
    "last 4 digits": "4567",
    "no match": "zzzzz",
    "maria gomez": "maria gomez",
    "gmail ruiz": "gmail ruiz",
    "a phone": "(300) 123-4567",
}
ONE_WORD = ("a rare name", "maria", "last 4 digits", "no match")
TWO_WORDS = ("maria gomez", "gmail ruiz")
BUCKETS = frozenset({"qu", "ma", "45", "zz", "go", "gm", "ru", "12", "30"})
_PEER_QUERIES = 60
"""Requests after which the peer is given up: its cost is then a lower bound."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one page took."""

    requests: int
    query_units: float
    get_units: float
    rows: int
    seconds: float
    found: int

    @property
    def units(self) -> float:
        """All of it."""
        return self.query_units + self.get_units


@dataclass(frozen=True, slots=True)
class Line:
    """One search at one size: its first page, with counting too, its worst page, the peer."""

    size: int
    name: str
    bare: Cost
    counted: Cost
    worst: float
    worst_rows: int
    peer: Cost | None


def measured(ask: Callable[[], UserPage]) -> tuple[UserPage, Cost]:
    """The page and what it took."""
    with tables.metered() as meter:
        begun = time.perf_counter()
        page = ask()
        seconds = time.perf_counter() - begun
    queries, gets = meter.units("Query"), meter.units("BatchGetItem")
    cost = Cost(len(meter.calls), queries, gets, meter.rows(), seconds, len(page.users))
    return page, cost


def lines(size: int, *, with_peer: bool) -> Iterator[Line]:
    """Every search at that size."""
    for name, text in SEARCHES.items():
        filters = Filters(q=text)
        searching.page(LEAD, filters, None, 25, counting=False)  # warm
        _, bare = measured(partial(searching.page, LEAD, filters, None, 25, counting=False))
        page, counted = measured(partial(searching.page, LEAD, filters, None, 25))
        costs = [counted]
        for _ in range(40):
            if page.next is None:
                break
            token = page.next
            page, cost = measured(partial(searching.page, LEAD, filters, token, 25))
            costs.append(cost)
        worst, rows = max(cost.units for cost in costs), max(cost.rows for cost in costs)
        yield Line(size, name, bare, counted, worst, rows, _peer(text) if with_peer else None)


def _peer(text: str) -> Cost:
    """Filter while querying: FilterExpression `contains`, which folds nothing, on the list."""
    rows = listing.rows_of(LEAD, Filters(), listing.DEFAULT_SORT)
    search, found = Search.of(text), 0
    key: Key = ()
    with tables.metered() as meter:
        begun = time.perf_counter()
        while found <= 25 and len(meter.calls) < _PEER_QUERIES:
            answer = rows.query(key, forward=True, limit=2_000)
            words = (Document.of(from_item(item)).words for item in answer["Items"])
            found += sum(search.matches(one) for one in words)
            if "LastEvaluatedKey" not in answer:
                break
            key = rows.key_of(answer["LastEvaluatedKey"])
        seconds = time.perf_counter() - begun
    return Cost(len(meter.calls), meter.units("Query"), 0, meter.rows(), seconds, min(found, 25))


def writes() -> dict[str, tuple[float, float]]:
    """Write units of entries, and of states and counters, for what can happen to a user."""
    base = next(people(1))
    bought = next(people(1, customers=1.0))
    customer = replace(
        bought, id="toggled", access="active", ecosystem=Ecosystem("eco_t", "sol", None)
    )
    found = {}
    fresh = [replace(user, id=f"new{user.id}") for user in people(200)]
    found["a new user (mean of 200)"] = _written(fresh)
    found["a new user (alone)"] = _written([replace(base, id="alone")])
    found["an edit of the name"] = _written([replace(base, id="alone", first_name="Zoraida")])
    found["an edit outside the five fields"] = _written(
        [replace(base, id="alone", first_name="Zoraida", version=2)]
    )
    _written([customer])
    _put("ecosystems", {name: {"S": value} for name, value in _record(customer).items()})
    wish = Wish(
        access=Access.SUSPENDED,
        reason="bench",
        version=1,
        by=Author("bench", "bench"),
        request_id="bench",
    )
    access.change("toggled", wish)
    found["a toggle of the access"] = _derive(["toggled"])
    return found


def _record(customer: StoreUser) -> dict[str, str]:
    return {"id": "eco_t", "name": "sol", "customer_id": customer.id, "access": "active"}


def _written(users: list[StoreUser]) -> tuple[float, float]:
    for user in users:
        _put("users", to_item(user))
    return _derive([user.id for user in users])


def _put(table: str, item: dict[str, Any]) -> None:
    client: Any = store().client
    client.put_item(TableName=table, Item=item)


def _derive(ids: list[str]) -> tuple[float, float]:
    with tables.metered() as meter:
        for user_id in ids:
            counting.bring_up([user_id], clock.now() + timedelta(seconds=60))
    entries = meter.units("BatchWriteItem", table="search")
    rest = meter.units("BatchWriteItem", "TransactWriteItems", table="totals")
    return entries / len(ids), rest / len(ids)


def report(found: list[Line]) -> None:
    """The table of searches, in Markdown."""
    print("| users | search | found | requests | Query RRU | BatchGet RRU | ms |"
          " with count: Query RRU | worst page RRU | filter: requests | RRU | ms |")  # fmt: skip
    print("|" + " ---: |" * 12)
    for line in found:
        bare, peer = line.bare, line.peer
        other = "| | |"
        if peer:
            more = "≥ " if peer.requests >= _PEER_QUERIES else ""
            other = f"{peer.requests} | {more}{peer.query_units:g} | {peer.seconds * 1e3:.0f} |"
        print(
            f"| {line.size:,} | {line.name} | {bare.found} | {bare.requests} | "
            f"{bare.query_units:g} | {bare.get_units:g} | {bare.seconds * 1e3:.0f} | "
            f"{line.counted.query_units:g} | {line.worst:g} | {other}"
        )


def criteria(found: list[Line], written: dict[str, tuple[float, float]]) -> dict[str, bool]:
    """What has to hold, and whether it does."""
    ones = [line.bare for line in found if line.name in ONE_WORD]
    full = [line for line in found if line.name == "maria" and line.bare.found == 25]
    flat = max(one.bare.units for one in full) / min(one.bare.units for one in full)
    entries = {name: units for name, (units, _) in written.items()}
    return {
        "one word: at most 1 RRU of Query, 12.5 of BatchGet, 2 requests": all(
            one.query_units <= 1 and one.get_units <= 12.5 and one.requests <= 2 for one in ones
        ),
        f"one word, a full page: largest ÷ smallest = {flat:.2f} ≤ 1.1": flat <= 1.1,
        "two common words: at most 15 RRU of Query": all(
            line.bare.query_units <= 15 for line in found if line.name in TWO_WORDS
        ),
        "no page above 120 RRU or 8,000 rows": all(
            line.worst <= MAX_UNITS and line.worst_rows <= MAX_ROWS for line in found
        ),
        "a new user: at most 56 WRU of entries": entries["a new user (mean of 200)"] <= 56,
        "an edit outside the five fields: no entry": not entries["an edit outside the five fields"],
        "a toggle: no entry": not entries["a toggle of the access"],
    }


def main() -> int:
    """Measure, tell, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--simulated", type=int, default=1_000_000)
    given = parser.parse_args()
    found: list[Line] = []
    try:
        with engine() as endpoint:
            tables.point_code_at(endpoint)
            for size in map(int, given.sizes.split(",")):
                tables.create(endpoint)
                tables.fill(endpoint, people(size), BUCKETS)
                found += lines(size, with_peer=True)
            written = writes()
            if given.simulated:
                simulation = Simulation(people(given.simulated), BUCKETS)
                with simulation.answering():
                    found += lines(given.simulated, with_peer=False)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    report(found)
    print("\n| change | WRU of entries | WRU of state and counters |\n| --- | ---: | ---: |")
    for name, (entries, rest) in written.items():
        print(f"| {name} | {entries:.1f} | {rest:.1f} |")
    print()
    judged = criteria(found, written)
    for text, holds in judged.items():
        print(f"- {'PASS' if holds else 'FAIL'}: {text}")
    return 0 if all(judged.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
