"""Whether slices read side by side pay: `python -m bench.ranges`.

An export of 40,000 customers into a bucket, and one of those whom a filter lets pass, on one
core, with so many slices begun ahead (0: as is built in), and with answers of DynamoDB that take
so long to come. By the clock, for waiting is what it is about, and without the pace that an
export keeps; the best of three, taken in turns.
"""

import json
import os
import subprocess
import sys
import time
from itertools import product
from math import inf

from bench import exported, stored
from bench.bucket import bucket
from bench.distance import far_from
from bench.engine import engine
from chalicelib.exports import rows
from chalicelib.exports.files import write_file
from chalicelib.users import pace
from chalicelib.users.filters import Filters
from chalicelib.users.model import Kind

_ROWS = 40_000
_WAITS_MS = (10, 30, 60)
_AHEAD = (1, 2, 4, 0)
_REPETITIONS = 3
_IN_ALL, _NOWHERE = 0.9, 1.2
"""Of the time with one ahead: for all cells together, and for the one that loses most.

"2 ahead" and "built in" do the same where all rows pass, and differ by a tenth from run to run: a
cell by itself tells no less than that.
"""
_FILTERS = {
    "all": Filters(),
    "a third": Filters(plan=("Premium",)),
    "nobody": Filters(status=("cancelled",)),
}


def main() -> int:
    """Measure and tell; status 1 where what is built in does not pay."""
    if step := os.environ.get("BENCH_STEP"):
        return _step(**json.loads(step))
    with engine() as endpoint, bucket() as s3_endpoint:
        stored.fill(endpoint, _ROWS)
        headings = (f"{ahead} ahead" if ahead else "built in" for ahead in _AHEAD)
        print(f"| rows that pass, wait | {' | '.join(headings)} |")
        print(f"| --- | {' | '.join('---:' for _ in _AHEAD)} |")
        cells = []
        for name, wait_ms in product(_FILTERS, _WAITS_MS):
            with far_from(endpoint, wait_ms) as address:
                seconds = _compare(name, address, s3_endpoint)
            print(f"| {name}, {wait_ms} ms | {' | '.join(f'{one:.1f} s' for one in seconds)} |")
            cells.append((seconds[0], seconds[-1]))
    ones, built_in = map(sum, zip(*cells, strict=True))
    judged = {
        f"all cells: built in takes {{:.2f}} times one ahead, at most {_IN_ALL}": (
            built_in / ones,
            _IN_ALL,
        ),
        f"the cell that loses most: {{:.2f}} times, at most {_NOWHERE}": (
            max(ours / one for one, ours in cells),
            _NOWHERE,
        ),
    }
    for text, (ratio, most) in judged.items():
        print(f"- {'PASS' if ratio <= most else 'FAIL'}: {text.format(ratio)}")
    return 0 if all(ratio <= most for ratio, most in judged.values()) else 1


def _compare(name: str, address: str, s3_endpoint: str) -> list[float]:
    """Seconds for each number of slices ahead."""
    best: dict[int, float] = {}
    environment = {**os.environ, "BENCH_ENDPOINT": address}
    for _, ahead in product(range(_REPETITIONS), _AHEAD):
        step = json.dumps({"name": name, "ahead": ahead, "s3": s3_endpoint})
        done = subprocess.run(
            [sys.executable, "-m", "bench.ranges"],
            env={**environment, "BENCH_STEP": step},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        best[ahead] = min(float(done.stdout), best.get(ahead, float("inf")))
    return [best[ahead] for ahead in _AHEAD]


def _step(name: str, ahead: int, s3: str) -> int:
    """What the process of one step does: the first time, for the answers to be there."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    stored.configure(s3)
    pace.UNITS_A_SECOND = inf  # type: ignore[assignment] # what reading ahead can gain at most
    if ahead:
        rows._AHEAD = rows._AHEAD_OF_FEW = ahead  # noqa: SLF001 - what is measured
    for _ in range(2):
        started = time.perf_counter()
        chunks = rows.everyone(Kind.CUSTOMER, _FILTERS[name])
        write_file(exported.job(), chunks, lambda: None)
    print(time.perf_counter() - started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
