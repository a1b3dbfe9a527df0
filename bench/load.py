"""The whole API under load: `python -m bench.load [--soak MINUTES]`.

Callers make the requests of a day (95 reads, 4 switches, 1 export in a hundred) as fast as they
are answered: 1, 2, 4, 8 at a time, each in a process of its own as on Lambda, on DynamoDB Local
for the figures of requests and units, with moto's queue and the bucket of bench.bucket. A worker
runs the exports meanwhile. The stream is not followed. The soak has four callers go on for so many
minutes and looks whether memory, open files or the queue grow. Ends with the criteria, and with
status 1 where one is not met.
"""

import argparse
import contextlib
import io
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from pathlib import Path
from statistics import median
from typing import Any

import boto3

from bench import tables
from bench.bucket import bucket
from bench.callers import Caller, Notes
from bench.engine import EngineError, engine, free_port, wait_until_ready
from bench.people import people
from bench.search import BUCKETS
from chalicelib.settings import settings

_PEOPLE = 20_000
_LEADS_SINCE = "2025-09-20"
"""The last week of the invented people: some 70 leads a file."""

_CONCURRENCIES = (1, 2, 4, 8)
_SECONDS = 5
_SOAKING_CALLERS = 4
_SAMPLE_SECONDS = 5.0
_SHARES = (0.5, 0.95, 0.99)
_MAX_GROWTH = 1.05

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process holds at a moment: resident MiB, open files."""

    process: str
    resident_mib: float
    open_files: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is: the addresses of engine, bucket and queue."""

    dynamodb: str
    s3: str
    sqs: str
    queue_url: str

    def point_code_here(self) -> None:
        """Have the code of this process use it."""
        tables.point_code_at(self.dynamodb)
        os.environ.update(
            AWS_ENDPOINT_URL_S3=self.s3,
            AWS_ENDPOINT_URL_SQS=self.sqs,
            EXPORTS_QUEUE_URL=self.queue_url,
            S3_ADDRESSING_STYLE="path",
            # A caller stands for many people, each of whom may have some exports running.
            MAX_RUNNING_EXPORTS="100",
        )
        settings.cache_clear()

    def queue_depth(self) -> int:
        """Messages that wait, and that are being worked on."""
        names: Any = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ]
        found = _sqs(self.sqs).get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)
        return sum(int(number) for number in found["Attributes"].values())


def main() -> int:
    """Measure, tell, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES")
    given = parser.parse_args()
    try:
        with _place() as place:
            place.point_code_here()
            tables.create(place.dynamodb)
            tables.fill(place.dynamodb, people(_PEOPLE, customers=0.5), BUCKETS)
            judged = _soak(place, given.soak * 60) if given.soak else _rising(place)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for text, holds in judged.items():
        print(f"- {'PASS' if holds else 'FAIL'}: {text}")
    return 0 if all(judged.values()) else 1


def _rising(place: Place) -> dict[str, bool]:
    print(f"{_PEOPLE:,} people; {_SECONDS} s each\n")
    print("| callers | requests/s | p50 ms | p95 ms | p99 ms | errors |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    total = Notes()
    for callers in _CONCURRENCIES:
        notes, _, _ = _run(place, callers, _SECONDS)
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
    notes, samples, depths = _run(place, _SOAKING_CALLERS, seconds)
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


def _run(place: Place, callers: int, seconds: float) -> tuple[Notes, list[Sample], list[int]]:
    """Let callers and worker go on for so long; their notes, their samples, the queue's depths."""
    noted: Queue[Notes] = _SPAWN.Queue()
    samples: Queue[Sample] = _SPAWN.Queue()
    begin, done = _SPAWN.Barrier(callers + 2), _SPAWN.Event()
    calling = [
        _SPAWN.Process(
            target=_call, args=(place, number, callers, seconds, begin, noted, samples), daemon=True
        )
        for number in range(callers)
    ]
    working = _SPAWN.Process(target=_work, args=(place, begin, done, samples), daemon=True)
    for process in (*calling, working):
        process.start()
    begin.wait()
    depths, found = [], list[Sample]()
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(_SAMPLE_SECONDS, left))
        _all_alive([*calling, working])
        depths.append(place.queue_depth())
        found += _taken(samples)
    total = Notes()
    for _ in calling:
        total.merge(noted.get(timeout=60))
    done.set()
    found += _taken(samples)
    for process in (*calling, working):
        process.join()
    _all_alive([*calling, working])
    return total, found, depths


def _all_alive(processes: Iterable[SpawnProcess]) -> None:
    """Or ended well; nothing that one of them cannot do may pass for a measurement."""
    if any(process.exitcode for process in processes):
        message = "a process of the load failed"
        raise EngineError(message)


def _taken(samples: "Queue[Sample]") -> Iterator[Sample]:
    while not samples.empty():
        yield samples.get()


def _call(  # noqa: PLR0913, PLR0917 - what a process has to be told
    place: Place,
    number: int,
    callers: int,
    seconds: float,
    begin: Any,
    noted: "Queue[Notes]",
    samples: "Queue[Sample]",
) -> None:
    """A process: one caller, as fast as the answers come."""
    place.point_code_here()
    own = [
        user.id
        for at, user in enumerate(people(_PEOPLE, customers=0.5))
        if user.ecosystem and at % callers == number
    ]
    caller, notes = Caller(number, own, _LEADS_SINCE), Notes()
    begin.wait()
    deadline, next_sample = time.monotonic() + seconds, 0.0
    while (now := time.monotonic()) < deadline:
        caller.go_on(notes)
        if now >= next_sample:
            samples.put(_sample(f"caller {number}"))
            next_sample = now + _SAMPLE_SECONDS
    noted.put(notes)


def _work(place: Place, begin: Any, done: Any, samples: "Queue[Sample]") -> None:
    """A process: the function that the queue invokes, one message at a time, until all is done."""
    from chalicelib.triggers.worker import worker

    place.point_code_here()
    client, next_sample = _sqs(place.sqs), 0.0
    begin.wait()
    while not (done.is_set() and place.queue_depth() == 0):
        received = client.receive_message(QueueUrl=place.queue_url, WaitTimeSeconds=1)
        for message in received.get("Messages", ()):
            with contextlib.redirect_stdout(io.StringIO()):
                worker(_delivery(message), _Context())
            client.delete_message(QueueUrl=place.queue_url, ReceiptHandle=message["ReceiptHandle"])
        if time.monotonic() >= next_sample:
            samples.put(_sample("worker"))
            next_sample = time.monotonic() + _SAMPLE_SECONDS


class _Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000


def _delivery(message: Any) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    record = {"body": message["Body"], "receiptHandle": message["ReceiptHandle"]}
    return {"Records": [record]}


def _sample(process: str) -> Sample:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    resident = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return Sample(process, resident, len(list(Path("/proc/self/fd").iterdir())))


@contextlib.contextmanager
def _place() -> Iterator[Place]:
    with engine() as dynamodb, bucket() as s3, _queues() as sqs:
        queue_url = _sqs(sqs).create_queue(QueueName="exports")["QueueUrl"]
        yield Place(dynamodb, s3, sqs, queue_url)


@contextlib.contextmanager
def _queues() -> Iterator[str]:
    """The address of moto's queues, which end with the block."""
    port = free_port()
    command: Sequence[str] = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", f"-p{port}"]
    with subprocess.Popen(  # noqa: S603 - our own words
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until_ready(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _sqs(endpoint: str) -> Any:
    return boto3.client("sqs", endpoint_url=endpoint, region_name="us-east-1")


if __name__ == "__main__":
    sys.exit(main())
