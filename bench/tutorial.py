"""This project against the usual way, which bench.tutorial_way holds: `python -m bench.tutorial`.

Twenty thousand people, half of them customers, on DynamoDB Local: a page of a list with its total,
searches, the switch and what a gateway is told of it, an export of all customers, a start.
Requests and units of DynamoDB are counted; processor time is the best of three alternating runs;
peak memory is that of a process of its own, in all and beyond what it had when the export began.
Then what the usual way gets wrong, shown by doing it. Ends with the criteria, and with status 1
where one is not met.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import cold_start, exported, tables
from bench.bucket import bucket
from bench.engine import EngineError, engine
from bench.memory import peak_mib
from bench.tables import Meter
from chalicelib import aws
from chalicelib.exports import rows
from chalicelib.exports.files import write_file
from chalicelib.settings import Settings
from chalicelib.users.filters import Filters
from chalicelib.users.model import Kind, StoreUser
from chalicelib.users.tables import store
from infra.package import ROOT

_PEOPLE = 20_000
_ROUNDS = 3
_REPEATED = 20
_READS = ("Query", "GetItem", "BatchGetItem")
_WRITES = ("PutItem", "TransactWriteItems", "BatchWriteItem")
_INDEX_UNITS_OF_A_SWITCH = 6
"""Four indexes carry the row, a unit each; in that of segments it moves: a delete and a put.

DynamoDB Local does not tell what a transaction takes in indexes.
"""

FOUND, REQUESTS, RRU, WRU = "found", "requests", "RRU", "WRU"
MILLISECONDS, MEMORY, ADDED = "processor time, ms", "peak memory, MiB", "of it the task's"
_COLUMNS = (FOUND, REQUESTS, RRU, WRU, MILLISECONDS, MEMORY, ADDED)

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A task, and its figures in both ways."""

    task: str
    ours: Figures
    theirs: Figures

    def ratio(self, name: str) -> float:
        """How many times ours the usual way takes."""
        return self.theirs[name] / self.ours[name]


def main() -> int:
    """Measure, tell, judge."""
    if os.environ.get("BENCH_STEP"):
        return _step(**json.loads(os.environ["BENCH_STEP"]))
    try:
        with engine() as endpoint, bucket() as s3_endpoint:
            tables.point_code_at(endpoint)
            os.environ.update(AWS_ENDPOINT_URL_S3=s3_endpoint, S3_ADDRESSING_STYLE="path")
            return _all()
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _all() -> int:
    # Imported once the addresses are known: the usual way makes its S3 client when it is loaded.
    from bench import tutorial_mistakes, tutorial_tasks

    customer = tutorial_tasks.fill(os.environ["AWS_ENDPOINT_URL"], _PEOPLE)
    lines = [*_requests(customer), _exports(), _starts()]
    _tell(lines)
    print("\n| what happens | ours | the usual way |\n| --- | --- | --- |")
    judged = _criteria(lines)
    for one in tutorial_mistakes.shown(customer):
        print(f"| {one.what} | {one.ours} | {one.theirs} |")
        judged[f"{one.what}: ours alone is right"] = one.holds
    print()
    for text, holds in judged.items():
        print(f"- {'PASS' if holds else 'FAIL'}: {text}")
    return 0 if all(judged.values()) else 1


def _requests(customer: StoreUser) -> Iterator[Line]:
    """What is asked of the API: what it takes of DynamoDB, and in processor time."""
    from bench import tutorial_tasks

    for task in tutorial_tasks.tasks(customer):
        asks = task.ours, task.theirs
        ours, theirs = map(_counted, asks)
        if task.name.startswith("switch"):
            ours[WRU] += _INDEX_UNITS_OF_A_SWITCH
        spent = [[_spent(ask) for ask in asks] for _ in range(_ROUNDS)]
        ours[MILLISECONDS], theirs[MILLISECONDS] = map(min, zip(*spent, strict=True))
        yield Line(task.name, ours, theirs)


def _counted(ask: Any) -> Figures:
    ask()  # the first makes clients
    with tables.metered(store().client, *_clients()) as meter:
        found = ask()
    return {FOUND: found, **_units(meter)}


def _clients() -> list[Any]:
    from bench import tutorial_way

    return [tables.client_of(model) for model in (tutorial_way.Person, tutorial_way.Act)]


def _units(meter: Meter) -> Figures:
    return {REQUESTS: meter.requests, RRU: meter.units(*_READS), WRU: meter.units(*_WRITES)}


def _spent(ask: Any) -> float:
    begun = time.process_time()
    for _ in range(_REPEATED):
        ask()
    return (time.process_time() - begun) * 1000 / _REPEATED


def _exports() -> Line:
    """All customers to a workbook in the bucket; each time in a process of its own."""
    runs = [[_process(way) for way in ("ours", "theirs")] for _ in range(_ROUNDS)]
    ours, theirs = (
        {name: min(run[name] for run in of_one) for name in of_one[0]}
        for of_one in zip(*runs, strict=True)
    )
    return Line(f"export: {ours[FOUND]:,.0f} customers, 17 columns", ours, theirs)


def _process(way: str) -> Figures:
    environment = {**os.environ, "BENCH_STEP": json.dumps({"way": way})}
    command = [sys.executable, "-m", "bench.tutorial"]
    done = subprocess.run(  # noqa: S603 - ourselves
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _step(way: str) -> int:
    """What the process of an export does; it prints its figures."""
    tables.point_code_at(os.environ["AWS_ENDPOINT_URL"])
    # Both have their clients before the clock runs: making them is part of a start.
    if way == "ours":
        export, clients = _our_export, [store().client]
        aws.s3()
    else:
        export, clients = _their_export, _clients()
    with tables.metered(*clients) as meter:
        loaded, begun = peak_mib(), time.process_time()
        found = export()
        spent = (time.process_time() - begun) * 1000
    memory = {MEMORY: peak_mib(), ADDED: peak_mib() - loaded}
    figures = {FOUND: found, **_units(meter), MILLISECONDS: spent, **memory}
    print(json.dumps(figures))
    return 0


def _our_export() -> int:
    chunks = rows.everyone(Kind.CUSTOMER, Filters())
    return write_file(exported.job(), chunks, lambda: None).tally.rows


def _their_export() -> int:
    from bench import tutorial_way

    return tutorial_way.export("customer", "unused", "customers.xlsx")


def _starts() -> Line:
    """Loading the API and making the first client, in a fresh process."""
    needed = {name: os.environ[name] for name in Settings.variables() if name in os.environ}
    ours = (
        f"import os; os.environ.update({needed!r})\n"
        "import app\nfrom chalicelib.users.tables import store\nstore().client"
    )
    # Lambda brings boto3 along, which is why it is not in the package.
    boto3 = Path(sys.modules["boto3"].__file__ or "").parent.parent
    theirs = (
        f"sys.path += [{str(ROOT)!r}, {str(boto3)!r}]\n"
        "from chalice import Chalice\nChalice('tutorial')\nfrom bench import tutorial_way\n"
        "tutorial_way.Person._get_connection().connection.client"
    )
    seconds = cold_start.cold(2 * _ROUNDS - 1, {"ours": ours, "theirs": theirs})
    spent: Mapping[str, Figures] = {
        way: {MILLISECONDS: took * 1000} for way, took in seconds.items()
    }
    return Line("cold start: the API and its first client", **spent)


def _tell(lines: list[Line]) -> None:
    print(f"{_PEOPLE:,} people; ours : the usual way (how many times ours)\n")
    print(f"| | {' | '.join(_COLUMNS)} |\n| --- |{' --- |' * len(_COLUMNS)}")
    for line in lines:
        print(f"| {line.task} | {' | '.join(_cell(line, name) for name in _COLUMNS)} |")


def _cell(line: Line, name: str) -> str:
    if not line.ours.get(name):
        return ""
    both = f"{_figure(line.ours[name])} : {_figure(line.theirs[name])}"
    return both if name == FOUND else f"{both} ({_figure(line.ratio(name))} times)"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _criteria(lines: list[Line]) -> dict[str, bool]:
    """What is claimed of the costs. A switch costs more here, so that nothing is claimed of it."""
    task: Mapping[str, list[Line]] = {
        name: [line for line in lines if line.task.startswith(name)]
        for name in ("list", "search", "export", "cold start")
    }
    (listed,), (exported_,), (started,) = task["list"], task["export"], task["cold start"]
    return {
        "list: a hundred times the RRU": listed.ratio(RRU) >= 100,
        "search: at least five times the RRU": all(one.ratio(RRU) >= 5 for one in task["search"]),
        "list and search: at least 1.5 times the processor time": all(
            one.ratio(MILLISECONDS) >= 1.5 for one in (listed, *task["search"])
        ),
        "export: at least 2.5 times the processor time": exported_.ratio(MILLISECONDS) >= 2.5,
        # Not the whole peaks: the interpreter and the libraries, loaded, are in both.
        "export: it adds at least 1.5 times the memory": exported_.ratio(ADDED) >= 1.5,
        "cold start: more processor time": started.ratio(MILLISECONDS) > 1,
    }


if __name__ == "__main__":
    sys.exit(main())
