"""Exports that fail, are retried, or give up."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn, cast

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError, ConnectionClosedError

from chalicelib import aws
from chalicelib.errors import StoreUnavailableError
from chalicelib.exports import csvfile
from chalicelib.users import ranges
from chalicelib.users.tables import ExportItem
from tests.builders import client, hooked, lead, save
from tests.exporting import (
    At,
    audited,
    before,
    deliver,
    ids,
    object_keys,
    ordered,
    stored_job,
    unreachable,
)

pytestmark = pytest.mark.usefixtures("cloud")
GAVE_UP = (
    "Se desistió tras 3 intentos: un servicio que hace falta no respondió; "
    "vuelva a pedirla dentro de un rato"
)
A_BUG = (
    "Algo falló por nuestra parte; los detalles están en el registro: "
    "diga a quien opera el sistema el id de la exportación"
)
PERSONAL = re.compile(r"Juan|Pérez|juan@example|3001112233|ana@example")
PAGES = [1, 5]


@pytest.fixture(autouse=True)
def _pages_of_two(cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Five leads, read two at a time: three pages to count, three to write."""
    monkeypatch.setattr(ranges, "_WALK_CHUNK", 2)
    save(*(lead(f"led_{number}") for number in range(5)))


def _aborted() -> NoReturn:
    raise ClientError({"Error": {"Code": "OperationAborted", "Message": "no"}}, "PutObject")


def _given_up() -> dict[str, Any]:
    """The message of a job whose three attempts failed."""
    message = ordered()
    with before(aws.s3(), "s3.PutObject", unreachable):
        _fails(message)
        _fails(message)
        deliver(message)
    return message


def _fails(message: Mapping[str, Any]) -> ExportItem:
    """A delivery that ends in an error, so that the message comes again."""
    with pytest.raises(StoreUnavailableError):
        deliver(message)
    return stored_job(message)


def _assert_succeeded(message: Mapping[str, Any], attempt: int) -> None:
    job = stored_job(message)
    assert (job.status, job.attempt, job.rows) == ("succeeded", attempt, 5)
    assert job.error is None
    assert len(ids(job)) == 5
    assert object_keys() == [job.object_key]
    assert audited(job) == ["export.requested", "export.succeeded"]


# --- what passes by itself ----------------------------------------------------------------------


@pytest.mark.parametrize("fault", [unreachable, _aborted])
def test_a_file_store_that_fails_is_tried_again_and_the_job_waits_meanwhile(
    fault: Callable[[], None],
) -> None:
    message = ordered()
    with before(aws.s3(), "s3.PutObject", fault):
        job = _fails(message)
        assert (job.status, job.attempt) == ("queued", 1)
        job = _fails(message)
        assert (job.status, job.attempt) == ("queued", 2)
    deliver(message)
    _assert_succeeded(message, attempt=3)


def test_a_file_store_that_fails_three_times_fails_the_job_and_says_why() -> None:
    job = stored_job(_given_up())
    assert (job.status, job.attempt, job.error) == ("failed", 3, GAVE_UP)
    assert job.finished_at is not None
    assert object_keys() == []
    assert audited(job) == ["export.failed", "export.requested"]


def test_a_job_that_gave_up_is_told_of_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever watches the log for `export.failed` must not miss the commonest reason."""
    _given_up()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [one for one in lines if one["event"] == "export.failed"]
    assert (line["level"], line["failed"], line["attempt"]) == ("ERROR", 1, 3)
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "failed", "Unit": "Count"}]


def test_a_failed_job_is_not_run_again() -> None:
    message = _given_up()
    deliver(message)
    assert stored_job(message).status == "failed"
    assert object_keys() == []


@pytest.mark.parametrize("page", PAGES)
def test_a_table_that_fails_at_a_page_is_read_again_from_the_start(page: int) -> None:
    message = ordered()
    with before(client(), "dynamodb.Query", At(page, unreachable)):
        assert _fails(message).status == "queued"
    deliver(message)
    _assert_succeeded(message, attempt=2)


@pytest.mark.parametrize("update", [1, 2, 3], ids=["taking", "first report", "last report"])
def test_a_table_that_fails_at_a_write_does_not_lose_the_job(update: int) -> None:
    message = ordered()
    with before(client(), "dynamodb.UpdateItem", At(update, unreachable)):
        assert _fails(message).status == "queued"
    deliver(message)
    job = stored_job(message)
    assert (job.status, job.rows, len(ids(job))) == ("succeeded", 5, 5)


# --- the end of a run, half done ----------------------------------------------------------------


@pytest.mark.parametrize("call", ["PutItem", "TransactWriteItems"])
def test_a_success_that_could_not_be_noted_in_the_audit_is_noted_with_the_next_delivery(
    call: str,
) -> None:
    """The audit tells of every export that was made: request, success, fingerprint."""
    message = ordered()
    with before(client(), f"dynamodb.{call}", unreachable), suppress(StoreUnavailableError):
        deliver(message)
    deliver(message)
    job = stored_job(message)
    assert (job.status, len(ids(job))) == ("succeeded", 5)
    assert audited(job) == ["export.requested", "export.succeeded"]


def test_a_success_whose_answer_got_lost_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore sends the write again; its condition does not hold any more, because it did."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    message = ordered()
    lost: list[str] = []

    def lose_the_last(request: AWSPreparedRequest) -> None:
        if not lost and '"succeeded"' in cast("bytes", request.body).decode():
            lost.append(request.url)
            raise ConnectionClosedError(endpoint_url=request.url)

    with hooked("*", lose_the_last, last=True):
        deliver(message)
    assert len(lost) == 1
    _assert_succeeded(message, attempt=1)


# --- bugs ---------------------------------------------------------------------------------------


def _bug(*_: Any) -> NoReturn:
    message = "Juan Pérez <juan@example.com> +573001112233"
    raise ValueError(message) from KeyError("ana@example.com")


def test_a_bug_fails_the_job_with_a_reason_and_without_a_word_about_a_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = ordered()
    monkeypatch.setattr(csvfile, "write", _bug)
    deliver(message)
    job = stored_job(message)
    assert (job.status, job.attempt, job.error) == ("failed", 1, A_BUG)
    assert audited(job) == ["export.failed", "export.requested"]
    assert object_keys() == []
    logged = capsys.readouterr().out
    assert not PERSONAL.search(logged)
    (line,) = [line for line in logged.splitlines() if '"traceback"' in line]
    record = json.loads(line)
    assert (record["level"], record["export_id"]) == ("ERROR", job.id)
    assert record["error"] == ["ValueError", "KeyError"]
    assert record["traceback"][-1].endswith(" _bug")
