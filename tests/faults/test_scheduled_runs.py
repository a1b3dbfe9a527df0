"""The scheduled lead export under faults: no lead twice, none missing, and failures are told."""

from datetime import timedelta

import pytest

from chalicelib import clock
from chalicelib.exports import jobs
from chalicelib.settings import settings
from chalicelib.users.tables import ExportItem
from tests.builders import lead, save
from tests.exporting import event, ids, object_keys, unfinished_uploads
from tests.faults.cloud import Cloud, Message, Running
from tests.faults.exports import LEASE_IS_OVER, kill_at
from tests.faults.faults import lost_answer, refused
from tests.scheduled import subscribed

FIRST, BETWEEN, SECOND = "2026-03-02T11:00:00Z", "2026-03-05T11:00:00Z", "2026-03-09T11:00:00Z"
WEEK_SECONDS = 7 * 86_400
REFUSED = refused(403, "AccessDenied")
CLAIM, STATE = ("schedule-leads", "telling"), ("schedule-leads", "period_to")
ANNOUNCED, SUCCESS = ("announced_at",), ("export.succeeded",)
"""What the write holds that keeps others away, moves the period, notes the mail, ends the job."""


def _fire(cloud: Cloud, due_at: str, *, ahead_seconds: float = 0) -> Running:
    due = {**event("scheduler"), "time": due_at}
    return cloud.start("schedule", due, ahead_seconds=ahead_seconds)


def _ordered(cloud: Cloud, due_at: str, *, ahead_seconds: float = 0) -> Message:
    """Let a run be ordered; the message of its new leads. That of all leads is left aside."""
    _fire(cloud, due_at, ahead_seconds=ahead_seconds).succeeds()
    return next(message for message in _queued(cloud) if _is_new(message))


def _run(cloud: Cloud, due_at: str, *, ahead_seconds: float = 0) -> list[str]:
    """A run that nothing happens to; the new leads that it delivers."""
    message = _ordered(cloud, due_at, ahead_seconds=ahead_seconds)
    cloud.work(message, ahead_seconds=ahead_seconds).succeeds()
    return _delivered(message)


def _queued(cloud: Cloud) -> list[Message]:
    messages = []
    while (message := cloud.receive_if_any()) is not None:
        messages.append(message)
    return messages


def _is_new(message: Message) -> bool:
    return "leads-new" in message.body


def _job(message: Message) -> ExportItem:
    return jobs.find(message.export_id)


def _delivered(message: Message) -> list[str]:
    """Who is in the file of the job, which is a success."""
    job = _job(message)
    assert job.status == "succeeded"
    return sorted(ids(job))


def _register(*names: str, hours_ago: float = 0.001) -> None:
    """They have registered: some seconds ago, for a run leaves its own second to the next one."""
    moment = clock.instant(clock.now() - timedelta(hours=hours_ago))
    save(*(lead(name, registered_at=moment) for name in names))


# --- the function that orders -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "nth"),
    [
        pytest.param("sqs.SendMessage", 1, id="its first message is sent"),
        pytest.param("dynamodb.TransactWriteItems", 1, id="its first job is written"),
        pytest.param("sqs.SendMessage", 2, id="its second message is sent"),
    ],
)
def test_a_run_whose_order_is_killed_when_is_completed_by_the_retry_of_lambda(
    cloud: Cloud, operation: str, nth: int
) -> None:
    _register("led_1", "led_2")
    inbox = subscribed()
    kill_at(cloud, lambda: _fire(cloud, FIRST), operation, how="after", nth=nth)
    _fire(cloud, FIRST).succeeds()
    messages = _queued(cloud)
    for message in messages:
        cloud.work(message).succeeds()
    assert {tuple(_delivered(message)) for message in messages} == {("led_1", "led_2")}
    assert len(object_keys()) == 2
    assert [mail.facts["rows"] for mail in inbox.take()] == ["2", "2"]


def test_a_run_that_is_ordered_twice_at_once_is_one(cloud: Cloud) -> None:
    """Both have found no job, and neither has sent a message, when they go on."""
    _register("led_1", "led_2")
    inbox = subscribed()
    with (
        cloud.endpoint.holding("sqs.SendMessage", times=1) as one,
        cloud.endpoint.holding("sqs.SendMessage", nth=2, times=1) as other,
    ):
        orders = [_fire(cloud, FIRST), _fire(cloud, FIRST)]
        one.wait_for_it()
        other.wait_for_it()
        one.let_go()
        other.let_go()
        for ordering in orders:
            ordering.ends()
    _fire(cloud, FIRST).succeeds()  # as Lambda does where one of them failed
    messages = _queued(cloud)
    assert len(messages) >= 3
    for message in messages:
        cloud.work(message).succeeds()
    assert {tuple(_delivered(message)) for message in messages} == {("led_1", "led_2")}
    assert len(object_keys()) == 2
    assert [mail.facts["rows"] for mail in inbox.take()] == ["2", "2"]


def test_a_run_that_was_never_ordered_is_caught_up_by_the_next(cloud: Cloud) -> None:
    _register("led_1")
    assert _run(cloud, FIRST) == ["led_1"]
    _register("led_2")
    kill_at(cloud, lambda: _fire(cloud, BETWEEN), "sqs.SendMessage")
    _register("led_3")
    assert _run(cloud, SECOND, ahead_seconds=WEEK_SECONDS) == ["led_2", "led_3"]
    assert _run(cloud, "2026-03-16T11:00:00Z", ahead_seconds=WEEK_SECONDS + 60) == []


# --- the worker -------------------------------------------------------------------------------


def test_a_run_whose_worker_is_killed_before_its_success_delivers_everybody_once(
    cloud: Cloud,
) -> None:
    _register("led_1")
    message = _ordered(cloud, FIRST)
    inbox = subscribed()
    kill_at(cloud, lambda: cloud.work(message), "dynamodb.TransactWriteItems", containing=SUCCESS)
    assert inbox.take() == []
    cloud.work(message, ahead_seconds=LEASE_IS_OVER).succeeds()
    assert (_delivered(message), len(object_keys())) == (["led_1"], 1)
    assert [mail.facts["rows"] for mail in inbox.take()] == ["1"]
    assert _run(cloud, SECOND, ahead_seconds=WEEK_SECONDS) == []


@pytest.mark.parametrize(
    ("operation", "how", "containing", "mails"),
    [
        pytest.param("sns.Publish", "dropping", (), 1, id="it tells marketing"),
        pytest.param("sns.Publish", "after", (), 2, id="it has told marketing"),
        pytest.param("dynamodb.UpdateItem", "after", CLAIM, 1, id="it is about to tell marketing"),
        pytest.param("dynamodb.UpdateItem", "after", STATE, 1, id="it has moved the period"),
        pytest.param("dynamodb.UpdateItem", "after", ANNOUNCED, 1, id="it has noted it"),
    ],
)
def test_a_run_whose_worker_is_killed_when_is_told_of_and_delivers_nobody_twice(
    cloud: Cloud, operation: str, how: str, containing: tuple[str, ...], mails: int
) -> None:
    """Marketing may be told twice of the same file, and is never not told of it."""
    _register("led_1")
    message = _ordered(cloud, FIRST)
    inbox = subscribed()
    kill_at(cloud, lambda: cloud.work(message), operation, how, containing=containing)
    cloud.work(message).succeeds()
    assert [mail.facts["export_id"] for mail in inbox.take()] == [message.export_id] * mails
    assert _delivered(message) == ["led_1"]
    assert _run(cloud, SECOND, ahead_seconds=WEEK_SECONDS) == []


def test_a_message_to_marketing_whose_answer_is_lost_is_sent_again(cloud: Cloud) -> None:
    _register("led_1")
    message = _ordered(cloud, FIRST)
    inbox = subscribed()
    cloud.endpoint.fail("sns.Publish", lost_answer)
    cloud.work(message).succeeds()
    assert [mail.facts["export_id"] for mail in inbox.take()] == [message.export_id] * 2
    assert _run(cloud, SECOND, ahead_seconds=WEEK_SECONDS) == []


# --- failures ---------------------------------------------------------------------------------


def test_a_run_that_fails_is_told_of_on_the_alarm_topic_and_repaired_by_the_next(
    cloud: Cloud,
) -> None:
    """The topic fails as well, the first time: what is to be told is not forgotten."""
    _register("led_1")
    message = _ordered(cloud, FIRST)
    alarms = subscribed(settings().alarm_topic_arn)
    cloud.endpoint.fail("s3.PutObject", REFUSED, times=3)
    cloud.endpoint.fail("sns.Publish", REFUSED)
    for _ in range(3):
        cloud.work(message).fails_with("StoreRefusedError")
    assert alarms.take_raw() == []
    cloud.work(message).succeeds()
    (alarm,) = alarms.take_raw()
    assert alarm["Subject"] == "Store Users: a scheduled lead export failed"
    assert message.export_id in alarm["Message"]
    assert "Se desistió tras 3 intentos" in alarm["Message"]
    assert (_job(message).status, object_keys(), unfinished_uploads()) == ("failed", [], [])
    cloud.work(message).succeeds()
    assert alarms.take_raw() == []
    _register("led_2")
    assert _run(cloud, SECOND, ahead_seconds=WEEK_SECONDS) == ["led_1", "led_2"]


# --- those who register meanwhile ---------------------------------------------------------------


@pytest.mark.parametrize("how", ["before", "after"])
def test_leads_that_register_while_a_run_reads_are_in_exactly_one_run(
    cloud: Cloud, how: str
) -> None:
    """One with the present time; one that the shop writes an hour late."""
    _register("led_1")
    message = _ordered(cloud, FIRST)
    # It counts, asks the counters where to cut, and reads.
    with cloud.endpoint.holding("dynamodb.Query", how=how, nth=3) as reading:
        worker = cloud.work(message)
        reading.wait_for_it()
        _register("led_2", hours_ago=0)
        _register("led_3", hours_ago=1)
        reading.let_go()
        worker.succeeds()
    assert _job(message).total == _job(message).rows
    first = _delivered(message)
    second = _run(cloud, SECOND, ahead_seconds=WEEK_SECONDS)
    assert sorted(first + second) == ["led_1", "led_2", "led_3"]
    assert first == (["led_1", "led_3"] if how == "before" else ["led_1"])


@pytest.mark.parametrize("skew_minutes", [-10, 10])
def test_leads_are_in_exactly_one_run_though_the_clock_of_a_worker_is_off(
    cloud: Cloud, skew_minutes: int
) -> None:
    _register("led_1")
    _register("led_2", hours_ago=1)
    message = _ordered(cloud, FIRST)
    cloud.work(message, ahead_seconds=60 * skew_minutes).succeeds()
    _register("led_3", hours_ago=0)
    second = _run(cloud, SECOND, ahead_seconds=WEEK_SECONDS)
    assert sorted(_delivered(message) + second) == ["led_1", "led_2", "led_3"]
    assert "led_2" not in second


def test_of_two_runs_that_end_at_once_one_is_told_of_and_no_lead_is_in_both(cloud: Cloud) -> None:
    """The second one ends while the first is about to tell marketing, and has not done so."""
    _register("led_1")
    first, second = _ordered(cloud, FIRST), _ordered(cloud, BETWEEN)
    inbox = subscribed()
    with cloud.endpoint.holding("sns.Publish", containing=(first.export_id,)) as hold:
        telling = cloud.work(first)
        hold.wait_for_it()
        _register("led_2", hours_ago=0)
        cloud.work(second, ahead_seconds=60).fails_with("StoreUnavailableError")
        hold.let_go()
        telling.succeeds()
    superseded = cloud.work(second, ahead_seconds=60)
    superseded.succeeds()
    assert "export.superseded" in superseded.events()
    assert [mail.facts["export_id"] for mail in inbox.take()] == [first.export_id]
    assert _delivered(first) == ["led_1"]
    assert _run(cloud, SECOND, ahead_seconds=90) == ["led_2"]
    assert [mail.facts["rows"] for mail in inbox.take()] == ["1"]


def test_a_run_that_was_to_be_told_of_and_never_is_keeps_the_next_one_from_nothing(
    cloud: Cloud,
) -> None:
    """Whoever was about to tell of it died, and its message never came again."""
    _register("led_1")
    first, second = _ordered(cloud, FIRST), _ordered(cloud, BETWEEN)
    inbox = subscribed()
    kill_at(cloud, lambda: cloud.work(first), "sns.Publish")
    cloud.work(second).fails_with("StoreUnavailableError")
    assert inbox.take() == []
    cloud.work(second, ahead_seconds=121).succeeds()
    assert [mail.facts["export_id"] for mail in inbox.take()] == [second.export_id]
    assert _delivered(second) == ["led_1"]


def test_a_run_that_was_told_of_is_told_of_once_though_its_memory_cannot_be_cleared(
    cloud: Cloud,
) -> None:
    _register("led_1")
    assert _run(cloud, FIRST) == ["led_1"]
    _register("led_2", hours_ago=0)
    message = _ordered(cloud, SECOND, ahead_seconds=WEEK_SECONDS)
    inbox = subscribed()
    cloud.endpoint.fail("s3.DeleteObject", REFUSED, times=10)
    cloud.work(message, ahead_seconds=WEEK_SECONDS).succeeds()
    assert [mail.facts["export_id"] for mail in inbox.take()] == [message.export_id]


def test_a_run_that_another_one_overtakes_is_not_told_of_and_delivers_nobody(
    cloud: Cloud,
) -> None:
    """The other one is told of between the end of its file and its success."""
    _register("led_1")
    first = _ordered(cloud, FIRST)
    inbox = subscribed()
    success = (first.export_id, "export.succeeded")
    with cloud.endpoint.holding("dynamodb.TransactWriteItems", containing=success) as hold:
        overtaken = cloud.work(first)
        hold.wait_for_it()
        _register("led_2", hours_ago=0)
        second = _ordered(cloud, BETWEEN, ahead_seconds=60)
        cloud.work(second, ahead_seconds=60).succeeds()
        hold.let_go()
        overtaken.succeeds()
    assert "export.superseded" in overtaken.events()
    assert _delivered(second) == ["led_1", "led_2"]
    assert [mail.facts["export_id"] for mail in inbox.take()] == [second.export_id]
    assert _run(cloud, SECOND, ahead_seconds=WEEK_SECONDS) == []


def test_a_period_without_leads_says_so_and_has_no_link_though_its_worker_was_killed(
    cloud: Cloud,
) -> None:
    message = _ordered(cloud, FIRST)
    inbox = subscribed()
    kill_at(cloud, lambda: cloud.work(message), "s3.PutObject")
    cloud.work(message, ahead_seconds=LEASE_IS_OVER).succeeds()
    (mail,) = inbox.take()
    assert mail.text.startswith("No hay leads nuevos en este periodo; no hay archivo que descargar")
    assert "token=" not in mail.text
