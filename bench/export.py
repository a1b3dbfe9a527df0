"""Exports measured: `python -m bench.export [write] [read] [whole]`, on one core.

write: 100,000 rows of 12 columns, by processor time, against other writers and the floor.
read: 100,000 customers, against PynamoDB's own iterator, by processor time.
whole: from the table into the bucket, 100,000 and 1,000,000 rows: time and peak memory, and the
processor time of each tenth of the million: what else the machine does meets all of them alike.

Each figure comes from a process of its own; of three repetitions the best counts.
"""

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench import exported, stored
from bench.bucket import bucket
from bench.engine import engine
from bench.memory import peak_mib
from bench.tenths import Tenths
from bench.writers import WRITERS
from chalicelib.exports.rows import OBJECTS_BETWEEN_COLLECTIONS

_REPETITIONS = 3
_ROWS = 100_000
_MANY = 1_000_000
_CHUNK = 1_000


def main(wanted: Sequence[str]) -> int:
    """Measure what is wanted, or all; print a line a figure."""
    if os.environ.get("BENCH_STEP"):
        return _step(json.loads(os.environ["BENCH_STEP"]))
    parts = wanted or ("write", "read", "whole")
    holds: dict[str, bool] = {}
    if "write" in parts:
        times = _compare("write", "floor", list(WRITERS))
        holds["writing: at most 1.15 times the floor"] = times["ours"] <= 1.15
        holds["writing: XlsxWriter takes 6 times ours"] = times["XlsxWriter"] >= 6 * times["ours"]
        holds["writing: openpyxl takes 8 times ours"] = times["openpyxl"] >= 8 * times["ours"]
    if "read" in parts or "whole" in parts:
        with engine() as endpoint, bucket() as s3_endpoint:
            rows = _MANY if "whole" in parts else _ROWS
            stored.fill(endpoint, rows)
            os.environ["BENCH_ENDPOINT"] = endpoint
            if "read" in parts:
                times = _compare("read", "ours", ["ours", "PynamoDB"], rows)
                holds["reading: PynamoDB takes twice as long"] = times["PynamoDB"] >= 2
            if "whole" in parts:
                holds |= _whole(s3_endpoint)
    for text, is_so in holds.items():
        print(f"- {'PASS' if is_so else 'FAIL'}: {text}")
    return 0 if all(holds.values()) else 1


def _compare(
    step: str, unit: str, names: Sequence[str], table_rows: int = _ROWS
) -> dict[str, float]:
    """Return the ratio of each to the `unit`, by the best of its processor times.

    They alternate, so that noise meets all alike.
    """
    best: dict[str, float] = {}
    for _ in range(_REPETITIONS):
        for name in names:
            figures = _measured({"step": step, "name": name, "rows": _ROWS, "stored": table_rows})
            took = figures["cpu_seconds"]
            best[name] = min(took, best.get(name, took))
    for name, took in best.items():
        ratio = took / best[unit]
        print(f"{step} {_ROWS:,} rows  {name:10}  {took:7.2f} s CPU  {ratio:6.2f} times {unit}")
    return {name: took / best[unit] for name, took in best.items()}


def _whole(s3_endpoint: str) -> dict[str, bool]:
    peaks, times = [], []
    for rows in (_ROWS, _MANY):
        step = {"step": "whole", "rows": rows, "stored": _MANY, "s3": s3_endpoint}
        took = _measured(step)
        peaks.append(took["peak_mib"])
        times.append(took["cpu_seconds"])
        print(
            f"whole {rows:,} rows  {took['seconds']:7.1f} s  {took['cpu_seconds']:7.1f} s CPU  "
            f"peak {took['peak_mib']:.0f} MiB  {took['size_bytes'] / 1e6:.0f} MB"
        )
    tenths = [took[f"tenth_{number}"] for number in range(1, 11)]
    print("tenths of the million, s CPU: ", *(f"{one:.2f}" for one in tenths))
    alone, growth = times[1] / times[0], sum(tenths) / tenths[0]
    return {
        f"a million takes {alone:.1f} times a hundred thousand alone, at most 11": alone <= 11,
        f"a million takes {growth:.1f} times its first tenth, at most 11": growth <= 11,
        "peak memory: at most 150 MiB": max(peaks) <= 150,
        "peak memory: within 10 % at ten times the rows": peaks[1] <= 1.1 * peaks[0],
    }


def _measured(step: dict[str, Any]) -> dict[str, float]:
    """Run one step in a process of its own, on one core where the system can be told so."""
    environment = {**os.environ, "BENCH_STEP": json.dumps(step)}
    command = [sys.executable, "-m", "bench.export"]
    done = subprocess.run(  # noqa: S603 - ourselves
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _step(step: dict[str, Any]) -> int:
    """Run one step in this process and print its figures."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    stored.configure(step.get("s3", ""))
    tenths = Tenths(step["rows"])
    action = {"write": _write, "read": _read, "whole": _export}[step["step"]](step, tenths)
    started, cpu_started = time.perf_counter(), time.process_time()
    # As in an export, for all writers alike: else the writing pays for all that the process loaded.
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 10, 10)
    size_bytes = action()
    figures = tenths.seconds() | {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
        "peak_mib": peak_mib(),
        "size_bytes": size_bytes,
    }
    print(json.dumps(figures))
    return 0


def _write(step: dict[str, Any], _tenths: Tenths) -> Callable[[], int]:
    layout = exported.layout()
    rows = layout.rows(exported.customers(step["rows"]))
    chunks = [rows[begin : begin + _CHUNK] for begin in range(0, len(rows), _CHUNK)]
    return lambda: WRITERS[step["name"]](layout, chunks)


def _read(step: dict[str, Any], _tenths: Tenths) -> Callable[[], int]:
    from chalicelib.exports import rows
    from chalicelib.users.filters import Filters
    from chalicelib.users.model import Kind

    since = exported.registered_of(step["stored"] - step["rows"])
    if step["name"] == "ours":
        chunks = rows.everyone(Kind.CUSTOMER, Filters(registered_since=since))
        return lambda: _all_of(sum(map(len, chunks)), step["rows"])
    from bench.peer_model import customers_since

    return lambda: _all_of(sum(1 for _ in customers_since(since, _CHUNK)), step["rows"])


def _all_of(read: int, wanted: int) -> int:
    if read != wanted:
        message = f"{read} rows were read instead of {wanted}"
        raise AssertionError(message)
    return 0


def _export(step: dict[str, Any], tenths: Tenths) -> Callable[[], int]:
    """The whole way of the worker, but for the job's own item."""
    from chalicelib.exports import rows
    from chalicelib.exports.files import write_file
    from chalicelib.users.filters import Filters
    from chalicelib.users.model import Kind

    since = exported.registered_of(step["stored"] - step["rows"])

    def export() -> int:
        chunks = rows.everyone(Kind.CUSTOMER, Filters(registered_since=since))
        written = write_file(exported.job(), tenths.of(chunks), lambda: None)
        _all_of(written.tally.rows, step["rows"])
        return written.size_bytes

    return export


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
