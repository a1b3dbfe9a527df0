"""Who works while a load runs: callers and a worker, each in a process of its own, as on Lambda."""

import contextlib
import io
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from bench.callers import Caller, Notes
from bench.engine import EngineError
from bench.people import people
from bench.place import Place

PEOPLE = 20_000
_LEADS_SINCE = "2025-09-20"
"""The last week of the invented people: some 70 leads a file."""

_SAMPLE_SECONDS = 5.0

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process holds at a moment: resident MiB, open files."""

    process: str
    resident_mib: float
    open_files: int


def run(place: Place, callers: int, seconds: float) -> tuple[Notes, list[Sample], list[int]]:
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
        for at, user in enumerate(people(PEOPLE, customers=0.5))
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
    client, next_sample = place.queue(), 0.0
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
