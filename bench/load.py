"""The whole API under load: `python -m bench.load [--soak MINUTES]`.

Callers make the requests of a day (95 reads, 4 switches, 1 export in a hundred) as fast as they
are answered: 1, 2, 4, 8 at a time, each in a process of its own as on Lambda, on DynamoDB Local
for the figures of requests and units, with moto's queue and the bucket of bench.bucket. A worker
runs the exports meanwhile. The stream is not followed. The soak has four callers go on for so many
minutes and looks whether memory, open files or the queue grow. Ends with the criteria, and with
status 1 where one is not met.
"""

import argparse
import sys
from statistics import median

from bench import tables
from bench.callers import Notes
from bench.crew import PEOPLE, run
from bench.engine import EngineError
from bench.people import people
from bench.place import Place, new_place
from bench.search import BUCKETS

_CONCURRENCIES = (1, 2, 4, 8)
_SECONDS = 20
_SOAKING_CALLERS = 4
_SHARES = (0.5, 0.95, 0.99)
_MAX_GROWTH = 1.05


def main() -> int:
    """Measure, tell, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES")
    given = parser.parse_args()
    try:
        with new_place() as place:
            place.point_code_here()
            tables.create(place.dynamodb)
            tables.fill(place.dynamodb, people(PEOPLE, customers=0.5), BUCKETS)
            judged = _soak(place, given.soak * 60) if given.soak else _rising(place)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for text, holds in judged.items():
        print(f"- {'PASS' if holds else 'FAIL'}: {text}")
    return 0 if all(judged.values()) else 1


def _rising(place: Place) -> dict[str, bool]:
    print(f"{PEOPLE:,} people; {_SECONDS} s each\n")
    print("| callers | requests/s | p50 ms | p95 ms | p99 ms | errors |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    total = Notes()
    for callers in _CONCURRENCIES:
        notes, _, _ = run(place, callers, _SECONDS)
        names = {name for name, _ in notes.statuses}
        rate = sum(notes.statuses.values()) / _SECONDS
        latencies = " | ".join(f"{notes.percentile(share, names):.1f}" for share in _SHARES)
        print(f"| {callers} | {rate:.0f} | {latencies} | {sum(notes.errors().values())} |")
        total.merge(notes)
    _report(total)
    errors = total.errors()
    return {f"no errors{f': {errors}' if errors else ''}": not errors}


def _report(notes: Notes) -> None:
    print("\n| operation | answers | DynamoDB requests | units | p50 ms | p99 ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in sorted({name for name, _ in notes.statuses}):
        count = notes.count(name)
        print(
            f"| {name} | {count:,} | {notes.requests[name] / count:.1f} | "
            f"{notes.units[name] / count:.1f} | {notes.percentile(0.5, [name]):.1f} | "
            f"{notes.percentile(0.99, [name]):.1f} |"
        )
    print()


def _soak(place: Place, seconds: float) -> dict[str, bool]:
    notes, samples, depths = run(place, _SOAKING_CALLERS, seconds)
    _report(notes)
    judged = {f"no errors in {seconds / 60:.0f} minutes: {notes.errors()}": not notes.errors()}
    for process in sorted({one.process for one in samples}):
        mine = [one for one in samples if one.process == process]
        early, late = mine[len(mine) // 4 : len(mine) // 2], mine[3 * len(mine) // 4 :]
        memory = [median(one.resident_mib for one in part) for part in (early, late)]
        files = [max(one.open_files for one in part) for part in (early, late)]
        judged[f"{process}: {memory[0]:.1f} → {memory[1]:.1f} MiB, at most 5 % more"] = (
            memory[1] <= memory[0] * _MAX_GROWTH
        )
        judged[f"{process}: {files[0]} → {files[1]} open files, no more"] = files[1] <= files[0]
    half = len(depths) // 2
    worst = max(depths[:half]), max(depths[half:])
    judged[f"queue: at most {worst[0]}, then {worst[1]} messages, and none at the end"] = (
        worst[1] <= worst[0] + 2 and place.queue_depth() == 0
    )
    return judged


if __name__ == "__main__":
    sys.exit(main())
