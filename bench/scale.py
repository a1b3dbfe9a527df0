"""Where it gets hot as it grows: `python -m bench.scale [--sample 20000]`.

The entries and counters that the code itself derives from invented people, laid onto what one
partition of DynamoDB takes: 1,000 write units and 3,000 read units a second
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html).
Nothing is sent anywhere; the figures are those of docs/scale.md. Ends with status 1 where the
sample and twice as large a one disagree by more than a tenth: then it was too small.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil

from bench.people import people
from chalicelib.users.derived import Derived
from chalicelib.users.entries import SHORTEST
from chalicelib.users.item import to_item
from chalicelib.users.model import StoreUser
from chalicelib.users.totals import counters_of

PARTITION_WRITES, PARTITION_READS = 1_000, 3_000
NEW_TABLE_WRITES, TABLE_WRITES = 4_000, 40_000
"""What an on-demand table takes at first, and what the account's quota lets it, a second."""

RATES = (10, 50, 100, 250, 500, 1_000, 5_000)
SIZES = (1_000_000, 10_000_000, 100_000_000)
ENTRY_OVERHEAD, WRITTEN_UNIT = 100, 1_024
STATE_WRITES = 2 + 1
PAGE_ROWS, ROW_BYTES = 26, 460
"""Rows of a page, and the one that tells of the next; bytes of a row in an index."""

_SEED, _PAGES = 20_260_301, 2_000
USERS_TOGETHER, TRANSACTION_WRITES = 50, 100
"""Users whose counters one transaction moves at the most, and the writes it may have."""


@dataclass(frozen=True, slots=True)
class Heat:
    """What a new user writes, on average: entries, and those of them in each bucket.

    `together` are the users of one transaction where they registered over three years (an
    import), `together_now` where they register at this moment.
    """

    entries: float
    entry_units: float
    entry_bytes: float
    buckets: Counter[str]
    together: float
    together_now: float
    users: int

    def hottest(self, number: int) -> list[tuple[str, float]]:
        """The buckets that get the most, with entries a user."""
        return [(name, n / self.users) for name, n in self.buckets.most_common(number)]


def heat(users: Sequence[StoreUser]) -> Heat:
    """What these users write."""
    buckets: Counter[str] = Counter()
    written = units = size = 0
    for user in users:
        derived = Derived.of(to_item(user))
        assert derived.document  # noqa: S101 - all of them have one
        words = len(derived.document.words.encode())
        for bucket, entry in derived.document.entries(user.id):
            length = len(bucket) + len(entry.encode()) + words + len("bucketentryh")
            buckets[bucket] += 1
            written += 1
            units += ceil(length / WRITTEN_UNIT)
            size += length + ENTRY_OVERHEAD
    count = len(users)
    now = [replace(user, registered_at=users[0].registered_at) for user in users[:1_000]]
    return Heat(
        written / count,
        units / count,
        size / count,
        buckets,
        _together(users),
        _together(now),
        count,
    )


def _together(users: Sequence[StoreUser]) -> float:
    """Users whose counters one transaction moves: 50, or as many as it has room for."""
    transactions, people_in, named = 1, 0, set[tuple[str, str]]()
    for user in users:
        derived = Derived.of(to_item(user))
        assert derived.document  # noqa: S101 - as above
        own = {(one.list, one.bucket) for one in counters_of(derived.document, derived.segment)}
        is_full = people_in + 1 + len(named | own) > TRANSACTION_WRITES
        if is_full or people_in == USERS_TOGETHER:
            transactions, people_in, named = transactions + 1, 0, set()
        people_in += 1
        named |= own
    return len(users) / transactions


def _buckets(found: Heat) -> None:
    _say("| bucket | entries a new user | share | new users a second at 1,000 WRU |")
    _say("| --- | ---: | ---: | ---: |")
    for name, each in found.hottest(10):
        share = each / found.entries
        _say(f"| `{name}` | {each:.2f} | {share:.1%} | {PARTITION_WRITES / each:,.0f} |")
    _say(f"\n{len(found.buckets):,} buckets of {SHORTEST} characters; {found.entries:.1f} entries")
    _say(f"a user, {found.entry_bytes / 1000:.1f} kB; {found.together:.0f} users a transaction in")
    _say(f"an import of three years, {found.together_now:.0f} who register now\n")


def _rates(found: Heat) -> None:
    hottest = found.hottest(1)[0][1]
    _say(
        "| new users a second | WRU of `search` | partitions of its hottest bucket | WRU of one "
        "kind's index by registration | transactions (import) | on the month's counter (now) | "
        "10 M users in |"
    )
    _say("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for rate in RATES:
        parts = ceil(rate * hottest / PARTITION_WRITES)
        _say(
            f"| {rate:,} | {rate * found.entry_units:,.0f} | {parts} | {rate:,} to {2 * rate:,} | "
            f"{rate / found.together:,.0f} | {rate / found.together_now:,.1f} | "
            f"{10_000_000 / rate / 3_600:,.1f} h |"
        )
    first, most = (units / found.entry_units for units in (NEW_TABLE_WRITES, TABLE_WRITES))
    _say(f"\nA new table takes {first:,.0f} new users a second, the quota of one {most:,.0f}.\n")


def _sizes(found: Heat) -> None:
    _say(
        "| users | entries | `search` | hottest bucket | reindex: WRU | at 40,000 a second | cost |"
    )
    _say("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    hottest = found.hottest(1)[0][1]
    each = found.entry_units + STATE_WRITES + 1
    for size in SIZES:
        whole = size * each
        _say(
            f"| {size:,} | {size * found.entries / 1e6:,.0f} M | "
            f"{size * found.entry_bytes / 1e9:,.0f} GB | {size * hottest / 1e6:,.1f} M entries | "
            f"{whole / 1e9:,.2f} G | {whole / TABLE_WRITES / 3_600:,.1f} h | "
            f"${whole / 1e6 * 0.625:,.0f} |"
        )
    _say("")


def _reads() -> None:
    _say("| read | RRU | a second from one partition |")
    _say("| --- | ---: | ---: |")
    for name, units in (
        ("a page of 25 of a list", 1.5),
        ("a search of one word, its Query", 1),
        ("… with the count", 14),
        ("two common words, at the bound", 120),
        ("the gateways' question (another partition for each ecosystem)", 1),
    ):
        _say(f"| {name} | {units} | {PARTITION_READS / units:,.0f} |")


def _shards() -> None:
    """A page of 26 rows merged of shards: read whole from each, or its share and a few more.

    A shard is read on only while it may hold a row that belongs on the page.
    """
    _say("\n| shards | all read 26 rows: RRU | each its share and 3 more: Queries | RRU |")
    _say("| ---: | ---: | ---: | ---: |")
    rng = random.Random(_SEED)
    for shards in (1, 2, 4, 8, 16):
        size = min(ceil(PAGE_ROWS / shards) + 3, PAGE_ROWS)
        queries = units = 0.0
        for _ in range(_PAGES):
            asked = _merged([rng.randrange(shards) for _ in range(2_000)], shards, size)
            queries += len(asked)
            units += sum(map(_units, asked))
        whole = shards * _units(PAGE_ROWS)
        _say(f"| {shards} | {whole:g} | {queries / _PAGES:.1f} | {units / _PAGES:.1f} |")


def _merged(order: Sequence[int], shards: int, size: int) -> list[int]:
    """The rows that each Query reads; `order` are the shards of the rows, the newest first."""
    rows = [[at for at, shard in enumerate(order) if shard == one] for one in range(shards)]
    known = [one[:size] for one in rows]
    asked = [size] * shards
    while True:
        page = sorted(at for one in known for at in one)[:PAGE_ROWS]
        short = [one for one in range(shards) if known[one][-1] < page[-1] or len(page) < PAGE_ROWS]
        if not short:
            return asked
        for one in short:
            known[one] = rows[one][: len(known[one]) + size]
            asked.append(size)


def _units(rows: int) -> float:
    return 0.5 * ceil(rows * ROW_BYTES / 4_096)


def _is_steady(few: Heat, many: Heat) -> bool:
    pairs = ((few.entries, many.entries), (few.hottest(1)[0][1], many.hottest(1)[0][1]))
    return all(abs(one / other - 1) <= 0.1 for one, other in pairs)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> int:
    """Print the tables; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--sample", type=int, default=20_000)
    sample: int = parser.parse_args().sample
    users = list(islice(people(sample), sample))
    few, found = heat(users[: sample // 2]), heat(users)
    _buckets(found)
    _rates(found)
    _sizes(found)
    _reads()
    _shards()
    if not _is_steady(few, found):
        _say("\nFAIL: the sample is too small")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
