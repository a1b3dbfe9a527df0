"""The other ways in, called as Lambda calls them: the table's stream and the queue of exports."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from chalicelib import aws
from chalicelib.errors import StoreUnavailableError
from chalicelib.settings import settings
from chalicelib.triggers.stream import stream
from chalicelib.triggers.worker import worker
from tests.builders import client, lead, save, save_ecosystem, save_item, stored, stored_ecosystem
from tests.exporting import (
    At,
    before,
    deliver,
    event,
    ids,
    ordered,
    queued,
    stop_clock,
    stored_job,
    taken,
    unreachable,
)

pytestmark = pytest.mark.usefixtures("cloud")
PERSONAL = re.compile(r"Mar.a|G.mez|clinica-sol|573001234567|Juan|P.rez|Luz|and.")
REMOVED, POISON = 3, 1


@pytest.fixture
def records() -> Any:
    """A new customer, a robot (which makes no sense), a changed lead, a customer who is gone.

    The tables are as they are when the stream tells of it.
    """
    batch = event("dynamodb_stream")
    for record in batch["Records"]:
        if "NewImage" in record["dynamodb"]:
            save_item(_without_binary(record["dynamodb"]["NewImage"]))
    save_ecosystem(id="eco_99", name="consultorio-luz", customer_id="cus_0099")
    return batch


def _without_binary(image: dict[str, Any]) -> dict[str, Any]:
    """Lambda hands binary values as base64, which is not how they are written."""
    return {name: value for name, value in image.items() if "B" not in value}


def _dead_letters() -> list[Any]:
    return [json.loads(body) for body in taken(settings().projection_dead_letters_url)]


def _text(user_id: str, name: str) -> str:
    item = stored(user_id)
    assert item is not None
    return str(next(iter(item.get(name, {"": ""}).values())))


def _everything() -> list[Any]:
    tables = ("users", "ecosystems", "search", "totals")
    found = [item for name in tables for item in client().scan(TableName=name)["Items"]]
    return sorted(found, key=json.dumps)


def _assert_all_but_the_robot_are_applied() -> None:
    assert _text("cus_0042", "sort_name") == "maria jose gomez ruiz"
    assert _text("cus_0042", "sort_ends_on") == "2027-02-28"
    assert (_text("cus_0042", "version"), _text("cus_0042", "access")) == ("1", "active")
    ecosystem = stored_ecosystem("eco_17")
    assert ecosystem is not None
    assert (ecosystem["customer_id"], ecosystem["access"]) == ("cus_0042", "active")
    assert _text("led_0007", "sort_name") == "juan perez nunez"
    assert stored_ecosystem("eco_99") is None


# --- the stream -------------------------------------------------------------------------------


def test_a_poison_record_goes_whole_to_the_dead_letters_and_the_rest_goes_on(records: Any) -> None:
    assert stream(records, None) == {"records": 4, "poisoned": 1}
    assert _dead_letters() == [event("dynamodb_stream")["Records"][POISON]]
    _assert_all_but_the_robot_are_applied()


def test_a_dead_letter_can_be_replayed_as_it_is(records: Any) -> None:
    """Whoever has mended the data hands the letter to the function again."""
    stream(records, None)
    (letter,) = _dead_letters()
    letter["dynamodb"]["NewImage"]["kind"] = {"S": "lead"}
    save_item(_without_binary(letter["dynamodb"]["NewImage"]))
    stream({"Records": [letter]}, None)
    assert _text("bot_0001", "sort_name") == "nandu 😀"
    assert _dead_letters() == []


def test_a_batch_that_comes_again_changes_nothing(records: Any) -> None:
    stream(records, None)
    known = _everything()
    stream(records, None)
    assert _everything() == known


@pytest.mark.parametrize("update", [1, 2])
def test_a_table_that_fails_leaves_the_batch_to_the_retries_and_nothing_is_skipped(
    records: Any, update: int
) -> None:
    with (
        before(client(), "dynamodb.UpdateItem", At(update, unreachable)),
        pytest.raises(StoreUnavailableError),
    ):
        stream(records, None)
    assert all(letter == records["Records"][POISON] for letter in _dead_letters())
    assert stored_ecosystem("eco_99") is not None  # the last record was not reached
    stream(records, None)
    _assert_all_but_the_robot_are_applied()


def test_a_dead_letter_queue_that_fails_leaves_the_batch_to_the_retries(records: Any) -> None:
    """A record that is neither applied nor kept would be lost."""
    with (
        before(aws.sqs(), "sqs.SendMessage", unreachable),
        pytest.raises((StoreUnavailableError, BotoCoreError)),
    ):
        stream(records, None)
    assert _dead_letters() == []
    stream(records, None)
    assert _dead_letters() == [records["Records"][POISON]]
    _assert_all_but_the_robot_are_applied()


def test_no_record_is_odd_enough_to_hold_up_the_shard(records: Any) -> None:
    odd: list[dict[str, Any]] = [
        {},
        {"dynamodb": {}},
        {"dynamodb": {"NewImage": {"id": {"S": "x"}}}},
        {"dynamodb": {"NewImage": {"id": "x", "kind": "lead"}}},
        {"dynamodb": {"NewImage": []}},
    ]
    records["Records"][POISON : POISON + 1] = odd
    stream(records, None)
    letters = _dead_letters()
    assert all(letter in odd for letter in letters)
    assert {} in letters
    _assert_all_but_the_robot_are_applied()


def test_the_log_counts_records_and_says_nothing_about_a_person(
    records: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    stream(records, None)
    logged = capsys.readouterr().out
    poison, batch = map(json.loads, logged.splitlines())
    assert (poison["level"], poison["event"]) == ("ERROR", "projection.poison")
    assert poison["error"] == ["ValueError"]
    assert (batch["event"], batch["records"], batch["poisoned"]) == ("projection", 4, 1)
    assert batch["dynamodb_requests"] > 0
    assert batch["ms"] > 0
    assert not PERSONAL.search(logged)


def test_the_log_says_how_late_the_oldest_change_is_derived_from(
    records: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_clock(monkeypatch, "2026-03-02T11:00:42Z")
    capsys.readouterr()
    stream(records, None)
    batch = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert batch["lag_seconds"] == 42
    (directive,) = batch["_aws"]["CloudWatchMetrics"]
    assert {"Name": "lag_seconds", "Unit": "Seconds"} in directive["Metrics"]


def test_the_log_says_which_record_was_poison(
    records: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The id is no personal data, and without it nobody finds the letter that belongs to a line."""
    stream(records, None)
    lines = [line for line in capsys.readouterr().out.splitlines() if "projection.poison" in line]
    assert "c81e728d9d4c2f636f067f89cc14862c" in lines[0] or "bot_0001" in lines[0]


# --- the queue of exports -----------------------------------------------------------------------


def test_a_message_of_the_queue_runs_its_export() -> None:
    save(lead())
    message = ordered()
    deliver(message)
    job = stored_job(message)
    assert (job.status, ids(job)) == ("succeeded", ["led_0007"])


def test_a_message_as_sqs_keeps_it_is_all_that_the_worker_needs() -> None:
    """Text in, text out: the job survives its way through JSON, filters and period included."""
    save(
        lead("led_1", registered_at="2026-02-28T00:00:00Z"),
        lead("led_2", registered_at="2026-03-01T00:00:00Z"),
        lead("led_3", registered_at="2026-03-02T00:00:00Z"),
    )
    message = ordered(
        filters={"registered_to": "2026-03-01"},
        period=("2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z"),
        origin="scheduled",
    )
    client().delete_item(TableName="exports", Key={"id": message["job"]["id"]})
    deliver(message)
    job = stored_job(message)
    assert job.filters == {"registered_to": "2026-03-01"}
    assert ids(job) == ["led_2"]


def test_a_job_of_the_first_version_which_kept_no_request_id_is_run() -> None:
    """It waited in the queue while the deployment was brought up: its message and its item."""
    save(lead())
    message = ordered()
    del message["job"]["request_id"]
    client().update_item(
        TableName="exports",
        Key={"id": message["job"]["id"]},
        UpdateExpression="REMOVE request_id",
    )
    deliver(message | {"request_id": "req-1"})
    job = stored_job(message)
    assert (job.status, ids(job)) == ("succeeded", ["led_0007"])


def test_a_message_that_is_damaged_is_left_to_the_dead_letters() -> None:
    """An error is what makes SQS give it three tries and put it aside."""
    delivery = event("sqs")
    delivery["Records"][0]["body"] = "not JSON"
    with pytest.raises(json.JSONDecodeError):
        worker(delivery, None)
    assert queued() == []
