"""Functions that end before their work does: by their time limit, or by their memory."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.exports import lease
from chalicelib.users import ranges
from tests.builders import client, lead, save
from tests.exporting import (
    At,
    Clock,
    LambdaContext,
    audited,
    before,
    deliver,
    die,
    ids,
    object_keys,
    ordered,
    stop_clock,
    stored_job,
)

pytestmark = pytest.mark.usefixtures("cloud")
LEASE_SECONDS = 60


@pytest.fixture(autouse=True)
def clock(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs tables
    """Five leads, read two at a time: three pages to count, three to write."""
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    stopped = stop_clock(monkeypatch)
    save(*(lead(f"led_{number}") for number in range(5)))
    return stopped


def _out_of_time(message: Mapping[str, Any]) -> None:
    """A delivery whose function is about to be ended when it has read a page."""
    with pytest.raises(lease.OutOfTimeError):
        deliver(message, LambdaContext(29))


def test_a_worker_near_its_time_limit_hands_over_before_it_is_ended() -> None:
    message = ordered()
    _out_of_time(message)
    job = stored_job(message)
    assert (job.status, job.attempt) == ("queued", 1)
    assert job.error is None
    assert object_keys() == []
    deliver(message)
    job = stored_job(message)
    assert (job.status, job.attempt, len(ids(job))) == ("succeeded", 2, 5)
    assert object_keys() == [job.object_key]
    assert audited(job) == ["export.requested", "export.succeeded"]


def test_an_export_that_takes_longer_than_a_function_may_fails_and_says_what_to_do() -> None:
    message = ordered()
    _out_of_time(message)
    _out_of_time(message)
    deliver(message, LambdaContext(29))
    job = stored_job(message)
    assert (job.status, job.attempt) == ("failed", 3)
    assert job.error == (
        "No se pudo terminar en el tiempo de una ejecución, en 3 intentos; "
        "acote el listado con filtros y vuelva a pedirla"
    )
    assert object_keys() == []
    assert audited(job) == ["export.failed", "export.requested"]


def test_an_export_whose_workers_all_died_fails_and_says_what_to_do(clock: Clock) -> None:
    message = ordered()
    for _ in range(3):
        with before(client(), "dynamodb.Query", At(2, die)), pytest.raises(SystemExit):
            deliver(message)
        clock.goes_on(LEASE_SECONDS + 1)
    deliver(message)
    job = stored_job(message)
    assert job.status == "failed"
    assert job.error == "3 intentos terminaron sin dar señales; acote el listado con filtros"
