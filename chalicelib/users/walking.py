"""A walk through the entries of the search index that begin with one word, either way."""

from dataclasses import dataclass, field
from functools import reduce
from operator import and_

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from chalicelib.dynamodb import Item
from chalicelib.settings import settings
from chalicelib.users.budget import Budget
from chalicelib.users.entries import (
    LONGEST,
    Search,
    age,
    age_of,
    bucket_of,
    head_of,
    is_canonical,
)
from chalicelib.users.filters import Filters, bounds
from chalicelib.users.model import Kind
from chalicelib.users.paging import Key
from chalicelib.users.tables import store

_SPARE_ENTRIES = 14
"""Entries read beyond those wanted: some of a user's do not count."""


@dataclass(slots=True)
class Walk:
    """Through the entries that begin with the word that drives; `hits` are those that count.

    `place` is where reading stopped: "" before the first entry, None when none is left.
    """

    kind: Kind
    search: Search
    word: str
    youngest: str
    oldest: str
    forward: bool
    place: str | None
    hits: list[str] = field(default_factory=list)
    rows: int = 0

    def go_on(self, wanted: int, budget: Budget) -> None:
        """Read until there are so many hits, or no more entries, or no more budget."""
        while len(self.hits) < wanted and self.place is not None:
            if not self.step(wanted - len(self.hits), budget):
                return

    def step(self, wanted: int, budget: Budget) -> bool:
        """Read entries for so many more hits; whether there was budget for it."""
        guess = wanted * self.rows // max(len(self.hits), 1) if self.rows else 0
        size = budget.chunk(max(guess, wanted + _SPARE_ENTRIES))
        if size < 1:
            return False
        head = head_of(self.word)
        bucket = bucket_of(self.kind.value, head)
        start = {"bucket": {"S": bucket}, "entry": {"S": self.place}} if self.place else None
        answer = store().query(
            settings().search_table,
            bucket,
            range_key_condition=Path("entry").startswith(head),
            filter_condition=self._condition(),
            exclusive_start_key=start,
            limit=size,
            scan_index_forward=self.forward,
        )
        budget.note(answer)
        self.rows += answer["ScannedCount"]
        self.hits += [item["entry"]["S"] for item in answer["Items"] if self._counts(item, head)]
        last = answer.get("LastEvaluatedKey")
        self.place = last["entry"]["S"] if last else None
        return True

    def key(self, entry: str | None) -> Key | None:
        """The key of an entry, as cursors hold it."""
        return None if entry is None else (self.word, entry)

    def _condition(self) -> Condition | None:
        """The words that the beginning of the entry does not tell of."""
        others = [one for one in self.search.words if one != self.word or len(one) > LONGEST]
        conditions = [Path("h").contains(one) for one in others]
        return reduce(and_, conditions) if conditions else None

    def _counts(self, item: Item, head: str) -> bool:
        entry, text = item["entry"]["S"], item["h"]["S"]
        return (
            self.youngest <= age_of(entry) <= self.oldest
            and is_canonical(entry, text, head)
            and self.search.matches(text)
        )


def ages(filters: Filters) -> tuple[str, str]:
    """The bounds on the age in an entry that the times of registration of the filters set."""
    found = bounds(filters)
    if found is None:
        return "", "~"
    low, high = found
    oldest = age(low) if low.strip() else "~"
    return (age(high.replace("~", "T23:59:59")) if len(high) > 1 else ""), oldest
