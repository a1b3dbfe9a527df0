"""Two at one export, at each step of either: one right file whoever is first, or none left."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import jobs, upload
from chalicelib.exports.running import BusyError
from tests.builders import author, client, lead, save
from tests.exporting import (
    At,
    Clock,
    audited,
    deliver,
    ids,
    object_keys,
    ordered,
    stop_clock,
    stored_job,
    unfinished_uploads,
)

pytestmark = pytest.mark.usefixtures("cloud")
LEASE_IS_OVER = 61
"""Seconds."""

_PATIENCE_SECONDS = 30
_MOST_WRITES = 20
_READING = ("Get", "List", "Head", "Query")


@pytest.fixture(autouse=True)
def clock(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs tables
    save(lead())
    return stop_clock(monkeypatch)


@pytest.fixture
def _in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file goes in parts, which S3 takes however small they are."""
    monkeypatch.setattr(upload, "PART_BYTES", 100)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)


def _try(message: Mapping[str, Any]) -> None:
    """A delivery, which may end in the errors that bring the message back."""
    with suppress(BusyError, StoreUnavailableError):
        deliver(message)


def _ordered(name: str) -> Mapping[str, Any]:
    """A person's first export."""
    return ordered(by=author(f"{name}@example.com"), key=name)


@contextmanager
def _before_each_write(act: Callable[[], None]) -> Iterator[None]:
    """Act before each change in DynamoDB and S3: what is read before it may be old by then."""

    def handler(model: Any, **_: object) -> None:
        if not model.name.startswith(_READING):
            act()

    clients: list[Any] = [client(), aws.s3()]
    for one in clients:
        one.meta.events.register_first("before-call", handler)
    try:
        yield
    finally:
        for one in clients:
            one.meta.events.unregister("before-call", handler)


class _Worker(threading.Thread):
    """A delivery that stands still before its write of that number, until it may go on."""

    def __init__(self, message: Mapping[str, Any], number: int) -> None:
        super().__init__(daemon=True)
        self._message = message
        self._left = number
        self._stands_still = threading.Event()
        self._may_go = threading.Event()

    def run(self) -> None:
        try:
            _try(self._message)
        finally:
            self._stands_still.set()

    def stop_where_due(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._stands_still.set()
            assert self._may_go.wait(_PATIENCE_SECONDS)

    def begin(self) -> bool:
        """Let it come as far as that; whether it does before its end."""
        self.start()
        assert self._stands_still.wait(_PATIENCE_SECONDS)
        return self._left <= 0

    def end(self) -> None:
        """Let it go on to its end."""
        self._may_go.set()
        self.join(_PATIENCE_SECONDS)
        assert not self.is_alive()


def _stop_workers() -> None:
    running = threading.current_thread()
    if isinstance(running, _Worker):
        running.stop_where_due()


def _meet(clock: Clock, message: Mapping[str, Any], first: int, second: int) -> tuple[bool, bool]:
    """One stands still at its step until its lease is over, another comes as far as its own.

    Then the first one ends, and then the second; whether they came so far.
    """
    slow, other = _Worker(message, first), _Worker(message, second)
    has_come = slow.begin()
    clock.goes_on(LEASE_IS_OVER)
    came_too = other.begin()
    slow.end()
    other.end()
    return has_come, came_too


def _assert_one_right_file(message: Mapping[str, Any]) -> None:
    job = stored_job(message)
    assert (job.status, job.rows) == ("succeeded", 1)
    assert object_keys(f"exports/{job.id}/") == [job.object_key]
    assert (ids(job), unfinished_uploads()) == (["led_0007"], [])
    assert audited(job) == ["export.requested", "export.succeeded"]


@pytest.mark.parametrize(
    ("way", "begin"),
    [
        pytest.param("whole", 1, id="whole"),
        pytest.param("parts", 4, id="in parts, of which what comes before them knows nothing"),
    ],
)
def test_two_workers_at_one_export_leave_one_right_file_wherever_they_meet(
    clock: Clock, way: str, begin: int, request: pytest.FixtureRequest
) -> None:
    """The first is thought dead, and wakes up while the second one is at any step."""
    if way == "parts":
        request.getfixturevalue("_in_parts")
    met = 0
    with _before_each_write(_stop_workers):
        for first in range(begin, _MOST_WRITES):
            for second in range(1, _MOST_WRITES):
                message = _ordered(f"{first}-{second}")
                has_come, came_too = _meet(clock, message, first, second)
                clock.goes_on(LEASE_IS_OVER)
                _try(message)
                _assert_one_right_file(message)
                if not (has_come and came_too):
                    break
                met += 1
            if not has_come:
                break
    assert met > 25, "workers write more often than that"


def _delete(message: Mapping[str, Any]) -> None:
    jobs.delete(stored_job(message), author("admin@example.com"), "req-2")


def _assert_nothing_is_left(message: Mapping[str, Any]) -> None:
    job = stored_job(message)
    assert job.deleted_at is not None
    assert (object_keys(), unfinished_uploads()) == ([], [])
    assert audited(job)[:2] == ["export.deleted", "export.requested"]
    assert audited(job)[2:] == (["export.succeeded"] if job.status == "succeeded" else [])


@pytest.mark.parametrize("way", ["whole", "parts"])
def test_an_export_that_is_deleted_at_any_step_of_its_worker_leaves_nothing(
    way: str, request: pytest.FixtureRequest
) -> None:
    if way == "parts":
        request.getfixturevalue("_in_parts")
    for number in range(1, _MOST_WRITES):
        message = _ordered(str(number))
        delete = At(number, lambda message=message: _delete(message))  # type: ignore[misc]
        with _before_each_write(delete):
            _try(message)
        if delete.left > 0:
            break
        _try(message)
        _assert_nothing_is_left(message)
    assert number > 5, "a worker writes more often than that"


def test_an_export_that_is_run_at_any_step_of_its_deletion_leaves_nothing() -> None:
    for number in range(1, _MOST_WRITES):
        message = _ordered(str(number))
        run = At(number, lambda message=message: _try(message))  # type: ignore[misc]
        with _before_each_write(run):
            _delete(message)
        if run.left > 0:
            break
        _try(message)
        _assert_nothing_is_left(message)
    assert number > 1, "a deletion writes more often than that"
