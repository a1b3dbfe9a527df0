"""Searches: one page of what somebody looks for by name, e-mail, phone or company, and all of it.

One word of the search drives: its entries are read in order, and the other words are looked for
in `h` on the way. See `entries` for how the index is made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from chalicelib.dynamodb import Item
from chalicelib.settings import settings
from chalicelib.users import listing, paging
from chalicelib.users.batches import get_all
from chalicelib.users.budget import UNITS_A_GET, Budget
from chalicelib.users.cursor import Position
from chalicelib.users.entries import (
    SHORTEST,
    Document,
    Search,
    user_id_of,
)
from chalicelib.users.filters import Filters, passes
from chalicelib.users.item import from_item
from chalicelib.users.listing import UserPage
from chalicelib.users.model import Kind, StoreUser
from chalicelib.users.paging import Key, Read, Row, Source, Total
from chalicelib.users.ranges import Range
from chalicelib.users.walking import Walk, ages

_MOST_COUNTED = 1_000
_MOST_DRIVERS = 3
_PROBE_ROWS = 46
"""Entries read of each word, and the spare ones, to find out which drives best: a read unit."""

_READ_AT_ONCE = 50
_GETS_RESERVED = 60
"""Rows that a filtered page can read whatever its entries cost, so that every page gets on."""

_WALK_CHUNK = 1_000


def page(
    kind: Kind, filters: Filters, token: str | None, limit: int, *, counting: bool = True
) -> UserPage:
    """The page of at most `limit` users whom `filters.q` finds, at the cursor `token` or the first.

    Ordered by match: the word that drives as the end of a word first, and the newest first there.
    A page holds fewer where the bound on work is reached; it then has a `next`. `counting`: count
    up to 1,000 of them with the first page. Raises `StaleCursorError`.
    """
    query = repr((kind.value, filters, limit))
    found = paging.page(_source(kind, filters, counting=counting), query, token, limit)
    return listing.users_of(found)


def everyone(kind: Kind, filters: Filters) -> Iterator[list[StoreUser]]:
    """Everybody whom `filters.q` finds, in the order of the pages, in chunks: for exports."""
    source = _source(kind, filters, counting=False, bounded=False)
    here: Position | None = Position((), forward=True, start=0)
    while here is not None:
        read = source.read(here, _WALK_CHUNK)
        yield [from_item(row.item) for row in read.rows]
        here = Position(read.edge, forward=True, start=0) if read.edge else None


def _source(kind: Kind, filters: Filters, *, counting: bool, bounded: bool = True) -> Source:
    search = Search.of(filters.q or "")
    if not search.words:
        return _Nobody()
    if len(search.words[0]) < SHORTEST:
        return _LookedThrough(_looked_through(kind, filters, search), counting)
    return _Found(kind, filters, search, counting, bounded)


class _Nobody:
    """What a search without a letter or digit finds."""

    def read(self, _here: Position, _limit: int) -> Read:
        return Read([], None, Total(0, is_exact=True))


def _looked_through(kind: Kind, filters: Filters, search: Search) -> Range:
    """The whole list, read and looked through: for single characters, which most users have.

    The entries of the index begin with two.
    """

    def accept(item: Item) -> bool:
        return search.matches(Document.of(from_item(item)).words)

    return replace(listing.rows_of(kind, filters, listing.DEFAULT_SORT), accept=accept)


@dataclass(frozen=True, slots=True)
class _LookedThrough:
    """Such a list; with counting, the first page reads on to count."""

    rows: Range
    counting: bool

    def read(self, here: Position, limit: int) -> Read:
        if here.key or not self.counting:
            return self.rows.read(here, limit)
        read = self.rows.read(here, max(limit, _MOST_COUNTED))
        total = _counted(len(read.rows), whole=read.edge is None)
        rows = read.rows[:limit]
        return Read(rows, rows[-1].key if len(read.rows) > limit else read.edge, total)


@dataclass(frozen=True, slots=True)
class _Found:
    """Those whom a search finds. The key of a row: the word that drives, and its entry."""

    kind: Kind
    filters: Filters
    search: Search
    counting: bool
    bounded: bool

    def read(self, here: Position, limit: int) -> Read:
        budget = Budget() if self.bounded else Budget(max_rows=inf, max_units=inf)
        if self.filters.look_at_customers:
            return self._read_filtered(here, limit, budget)
        budget.reserve = limit * UNITS_A_GET
        counting = self.counting and not here.key
        walk = self._begin(here, budget)
        walk.go_on(max(limit, _MOST_COUNTED if counting else 0) + 1, budget)
        hits = walk.hits[:limit]
        edge = hits[-1] if len(walk.hits) > limit else walk.place
        total = _counted(len(walk.hits), whole=walk.place is None) if not here.key else None
        return Read(self._rows(walk, hits), walk.key(edge), total if counting else _exact(total))

    def _read_filtered(self, here: Position, limit: int, budget: Budget) -> Read:
        """As above, where only the rows themselves tell who passes: half a read unit each."""
        budget.reserve = _GETS_RESERVED * UNITS_A_GET
        walk, rows, seen = self._begin(here, budget), list[Row](), 0
        most = _MOST_COUNTED if self.counting and not here.key else limit
        while len(rows) <= most:
            if seen == len(walk.hits):
                if walk.place is None or not walk.step(limit + 1, budget):
                    break
                continue
            wanted = (most + 1 - len(rows)) * max(seen, 1) // max(len(rows), 1)
            number = budget.gets(min(wanted, _READ_AT_ONCE, len(walk.hits) - seen))
            if number < 1:
                break
            rows += self._rows(walk, walk.hits[seen : seen + number])
            seen += number
        if len(rows) > limit:
            edge: Key | None = rows[limit - 1].key
        else:
            edge = walk.key(walk.hits[seen - 1] if seen < len(walk.hits) else walk.place)
        whole = seen == len(walk.hits) and walk.place is None
        total = _counted(len(rows), whole=whole) if not here.key else None
        return Read(rows[:limit], edge, total if self.counting else _exact(total))

    def _begin(self, here: Position, budget: Budget) -> Walk:
        """The walk from a place on; at the beginning, with the word that drives best."""
        if here.key:
            return self._walk(here.key[0], here.key[1], forward=here.forward)
        drivers = [word for word in self.search.words if len(word) >= SHORTEST][:_MOST_DRIVERS]
        walks = [self._walk(word, "", forward=here.forward) for word in drivers]
        if len(walks) == 1:
            return walks[0]
        for walk in walks:
            walk.step(_PROBE_ROWS, budget)
            if walk.place is None:
                return walk
        return max(walks, key=lambda walk: len(walk.hits) / max(walk.rows, 1))

    def _walk(self, word: str, place: str, *, forward: bool) -> Walk:
        return Walk(self.kind, self.search, word, *ages(self.filters), forward, place)

    def _rows(self, walk: Walk, hits: Sequence[str]) -> list[Row]:
        """The rows of the entries as they are now; whoever does not match any more is left out."""
        keys = [{"id": {"S": user_id_of(entry)}} for entry in hits]
        found = get_all(settings().users_table, keys, consistent=False)
        items = {item["id"]["S"]: item for item in found if self._passes(item)}
        return [
            Row((walk.word, entry), items[user_id])
            for entry in hits
            if (user_id := user_id_of(entry)) in items
        ]

    def _passes(self, item: Item) -> bool:
        if item.get("kind") != {"S": self.kind.value}:
            return False
        user = from_item(item)
        return self.search.matches(Document.of(user).words) and passes(self.filters, user)


def _counted(number: int, *, whole: bool) -> Total:
    return Total(min(number, _MOST_COUNTED), is_exact=whole and number <= _MOST_COUNTED)


def _exact(total: Total | None) -> Total | None:
    return total if total and total.is_exact else None
