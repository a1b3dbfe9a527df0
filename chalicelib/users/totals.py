"""Totals: how many are in a list, registered on a day, in a segment, before a page. Exact.

The counters of a list (`lead`, `customer`): the number of users whose `registered_at` begins so.
They go by the text, not by the instant, and so agree with the order of the lists whatever was
written there. `counting` keeps them.

    month#2026-03            n
    day#2026-03-01           n, and beside it the number of each hour:    hT15
    hour#2026-03-01T15       n, and beside it the number of each minute:  m:04
    segment#["active",…]     n

Who has no `registered_at` counts in `month#` alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from chalicelib.dynamodb import Item
from chalicelib.settings import settings
from chalicelib.users.entries import Document
from chalicelib.users.model import Kind
from chalicelib.users.segments import Segment
from chalicelib.users.tables import store

_MONTH, _DAY, _HOUR, _MINUTE = 7, 10, 13, 16

_LAST = "\U0010ffff"

_FEW = 10
"""Rows that are passed over rather than another request made: some half an RRU."""

_MAX_SEGMENTS = 500
"""With more segments, the plans are hardly a vocabulary, and reading the counters is dear."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter, and the finer one that the same item holds, if any."""

    list: str
    bucket: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row of a list is: the `skip`th, from 0, of those whose `registered_at` begins so."""

    prefix: str
    skip: int


def counters_of(document: Document, segment: str | None) -> Iterator[Counter]:
    """The counters in which a user of that document and segment counts."""
    at, name = document.registered_at, document.kind
    yield Counter(name, f"month#{at[:_MONTH]}")
    if at:
        yield Counter(name, f"day#{at[:_DAY]}", f"h{at[_DAY:_HOUR]}")
        yield Counter(name, f"hour#{at[:_HOUR]}", f"m{at[_HOUR:_MINUTE]}")
        if segment is not None:
            yield Counter(name, f"segment#{segment}")


def of_list(kind: Kind, *, dated_only: bool) -> int:
    """How many are in the list; `dated_only`: in those orders that need a `registered_at`."""
    months = _numbers(kind, "month#")
    return sum(number for month, number in months.items() if month or not dated_only)


def of_days(kind: Kind, first: date, last: date) -> list[tuple[str, int]]:
    """How many registered on each day (`YYYY-MM-DD`), from the first to the last."""
    between = Path("bucket").between(f"day#{first}", f"day#{last}")
    numbers = {item["bucket"]["S"][4:]: _number(item) for item in _items(kind, between)}
    days = ((first + timedelta(days=at)).isoformat() for at in range((last - first).days + 1))
    return [(day, numbers.get(day, 0)) for day in days]


def registered_within(kind: Kind, first: str | None, last: str | None) -> int:
    """How many registered from one day to another (`YYYY-MM-DD`, inclusive; None: no bound).

    At most three requests: the months, and the days of those that are cut.
    """
    low, high = first or "", last or "~"
    months = {month: n for month, n in _numbers(kind, "month#").items() if month}
    cut = {day[:_MONTH] for day in (first, last) if day}
    total = sum(n for month, n in months.items() if low[:_MONTH] <= month <= high[:_MONTH])
    for month in cut & months.keys():
        days = _numbers(kind, f"day#{month}")
        total -= sum(n for day, n in days.items() if not low <= f"{month}{day}" <= high)
    return total if low <= high else 0


def segments() -> dict[Segment, int] | None:
    """Return the segments of customers and how many are in each.

    None where there are too many, or where another version of this code has counted some: until
    they are counted again (`make reindex`), the list itself is read.
    """
    numbers = _numbers(Kind.CUSTOMER, "segment#", at_most=_MAX_SEGMENTS + 1)
    if len(numbers) > _MAX_SEGMENTS:
        return None
    found: dict[Segment, int] = {}
    for name, number in numbers.items():
        segment = Segment.named(name)
        if number > 0 and segment is None:
            return None
        if number > 0 and segment is not None:
            found[segment] = number
    return found


def spread(kind: Kind, low: str, high: str, *, at_most: int) -> Iterator[tuple[str, int]]:
    """Beginnings of `registered_at`, the last first, and how many users have each.

    Months, and days and hours where more than `at_most` share a longer time; those alone that lie
    between the two texts at least in part. One request, and one for each month of so many.
    """
    for month, number in _within(_numbers(kind, "month#"), low, high):
        if number <= at_most:
            yield month, number
            continue
        days = {item["bucket"]["S"][4:]: item for item in _items(kind, _begins(f"day#{month}"))}
        for day, count in _within({name: _number(item) for name, item in days.items()}, low, high):
            hours = _parts(days[day], day, "h") if count > at_most else {day: count}
            yield from _within(hours, low, high)


def _within(numbers: Mapping[str, int], low: str, high: str) -> list[tuple[str, int]]:
    """The names that begin a text between the two, the last first, and their numbers."""
    reached = (name for name, number in numbers.items() if name and number > 0)
    names = (name for name in reached if low <= f"{name}{_LAST}" and name <= high)
    return [(name, numbers[name]) for name in sorted(names, reverse=True)]


def locate(kind: Kind, offset: int, *, descending: bool) -> tuple[Place | None, int]:
    """The place of the row number `offset`, from 0, by registration, and how many rows there are.

    The place is None behind all of them. At most three requests: the months, the days of one,
    the minutes of an hour.
    """
    months = _numbers(kind, "month#")
    month = _reach(months, offset, descending)
    place = _place(kind, *month, descending) if month else None
    return place, sum(number for name, number in months.items() if name)


def _place(kind: Kind, prefix: str, left: int, descending: bool) -> Place:  # noqa: FBT001 - as above
    days = {item["bucket"]["S"][4:]: item for item in _items(kind, _begins(f"day#{prefix}"))}
    day = _reach({name: _number(item) for name, item in days.items()}, left, descending)
    if day is None:
        return Place(prefix, left)
    hour = _reach(_parts(days[day[0]], day[0], "h"), day[1], descending) or day
    if hour[1] <= _FEW:
        return Place(*hour)
    found = store().get_item(settings().totals_table, kind.value, f"hour#{hour[0]}").get("Item")
    minute = _reach(_parts(found or {}, hour[0], "m"), hour[1], descending)
    return Place(*(minute or hour))


def _reach(
    numbers: Mapping[str, int],
    offset: int,
    descending: bool,  # noqa: FBT001 - as in `locate`
) -> tuple[str, int] | None:
    """The name under which the row number `offset` is, and its number among those there."""
    for name in sorted(filter(None, numbers), reverse=descending):
        if offset < numbers[name]:
            return name, offset
        offset -= numbers[name]
    return None


def _parts(item: Item, prefix: str, mark: str) -> dict[str, int]:
    """The finer counters in an item: `mark` and the text that follows the prefix → number."""
    return {
        prefix + name[1:]: int(value["N"])
        for name, value in item.items()
        if "N" in value and name != "n" and name.startswith(mark)
    }


def _numbers(kind: Kind, head: str, at_most: int | None = None) -> dict[str, int]:
    items = _items(kind, _begins(head), at_most)
    return {item["bucket"]["S"].removeprefix(head): _number(item) for item in items}


def _number(item: Item) -> int:
    return int(item["n"]["N"])


def _begins(head: str) -> Condition:
    condition: Condition = Path("bucket").startswith(head)
    return condition


def _items(kind: Kind, condition: Condition, at_most: int | None = None) -> Iterator[Item]:
    key = None
    while True:
        answer = store().query(
            settings().totals_table,
            kind.value,
            range_key_condition=condition,
            exclusive_start_key=key,
            limit=at_most,
        )
        yield from answer["Items"]
        key = answer.get("LastEvaluatedKey")
        if key is None or at_most is not None:
            return
