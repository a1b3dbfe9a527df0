"""What marketing is told: once for each scheduled export, with a link that keeps its word."""

import re
from typing import cast

import pytest
from botocore.awsrequest import AWSPreparedRequest

from chalicelib import aws
from chalicelib.errors import ExportGoneError, StoreUnavailableError, UnauthenticatedError
from chalicelib.exports import delivery, jobs
from chalicelib.settings import settings
from tests.builders import author, hooked, lead, save
from tests.exporting import (
    At,
    Clock,
    before,
    deliver,
    die,
    finished,
    queued,
    stop_clock,
    unreachable,
)
from tests.scheduled import Inbox, failed_run_for_new, fire, run, subscribed

pytestmark = pytest.mark.usefixtures("cloud")
FIRST, SECOND = "2026-03-02T11:00:00Z", "2026-03-09T11:00:00Z"
WEEK_SECONDS = 7 * 86_400


@pytest.fixture
def now(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs tables
    save(lead("led_1", registered_at="2026-03-01T12:00:00Z"))
    return stop_clock(monkeypatch, FIRST)


@pytest.fixture
def inbox(cloud: None) -> Inbox:  # noqa: ARG001 - needs the topic
    return subscribed()


def test_marketing_is_told_in_spanish_of_both_files(now: Clock, inbox: Inbox) -> None:
    run(now, FIRST)
    save(lead("led_2", registered_at="2026-03-05T12:00:00Z"))
    inbox.take()
    everyone, new = run(now, SECOND)
    of_all, of_new = inbox.take()
    assert of_all.subject == "Waizant Store: todos los leads, 2 filas"
    assert of_all.text == (
        "Archivo: store-users-leads-2026-03-09-060005.xlsx\n"
        "Filas: 2\n"
        "Registrados: desde siempre\n"
        "Disponible hasta: 2026-03-16T11:00:05Z\n"
        "\n"
        f"Descargar: https://store-users.example/api/v1/exports/{everyone.id}/file"
        f"?token={of_all.token}\n"
    )
    assert of_new.subject == "Waizant Store: leads nuevos, 1 filas"
    assert of_new.text == (
        "Archivo: store-users-leads-new-2026-03-09-060005.xlsx\n"
        "Filas: 1\n"
        "Registrados: 2026-03-02 06:00 → 2026-03-09 06:00\n"
        "Disponible hasta: 2026-03-16T11:00:05Z\n"
        "\n"
        f"Descargar: https://store-users.example/api/v1/exports/{new.id}/file"
        f"?token={of_new.token}\n"
    )
    assert of_new.facts == {
        "export_id": new.id,
        "file_name": "store-users-leads-new-2026-03-09-060005.xlsx",
        "rows": "1",
    }


def test_marketing_is_told_in_english_where_that_is_configured(
    now: Clock, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETING_LANGUAGE", "en")
    settings.cache_clear()
    _, new = run(now, FIRST)
    assert new.language == "en"
    of_all, of_new = inbox.take()
    assert of_all.subject == "Waizant Store: all leads, 1 rows"
    assert of_new.subject == "Waizant Store: new leads, 1 rows"
    assert of_new.text == (
        "File: store-users-leads-new-2026-03-02-060005.xlsx\n"
        "Rows: 1\n"
        "Registered: until 2026-03-02 06:00\n"
        "Available until: 2026-03-09T11:00:05Z\n"
        "\n"
        f"Download: https://store-users.example/api/v1/exports/{new.id}/file"
        f"?token={of_new.token}\n"
    )


def test_a_subject_fits_what_sns_takes(now: Clock, inbox: Inbox) -> None:
    """ASCII, one line, at most 100 characters."""
    run(now, FIRST)
    for mail in inbox.take():
        assert re.fullmatch(r"[!-~][ -~]{0,99}", mail.subject)


def test_a_message_says_nothing_about_a_lead(now: Clock, inbox: Inbox) -> None:
    run(now, FIRST)
    for mail in inbox.take():
        assert not re.search(r"Juan|Pérez|example\.com|3001112233", mail.subject + mail.text)


def test_the_link_opens_its_own_file_until_the_week_is_over(now: Clock, inbox: Inbox) -> None:
    everyone, new = run(now, FIRST)
    of_all, of_new = inbox.take()
    delivery.check_token(everyone.id, of_all.token)
    delivery.check_token(new.id, of_new.token)
    delivery.check_token(new.id, of_new.token)
    with pytest.raises(UnauthenticatedError):
        delivery.check_token(everyone.id, of_new.token)
    with pytest.raises(UnauthenticatedError):
        delivery.check_token(new.id, of_new.token[:-1])
    now.goes_on(WEEK_SECONDS - 1)
    delivery.check_token(new.id, of_new.token)
    now.goes_on(1)
    with pytest.raises(ExportGoneError):
        delivery.check_token(new.id, of_new.token)


def test_nobody_is_told_of_an_export_that_a_person_asked_for(now: Clock, inbox: Inbox) -> None:
    now.goes_on(5)
    finished(format="xlsx")
    assert inbox.take() == []


def test_nobody_is_told_of_a_run_that_failed(now: Clock, inbox: Inbox) -> None:
    failed_run_for_new(now, FIRST)
    assert inbox.take() == []


def test_nobody_is_told_of_an_export_that_was_deleted(now: Clock, inbox: Inbox) -> None:
    now.goes_on(5)
    everyone, _ = map(jobs.find, fire(FIRST))
    jobs.delete(everyone, author("admin@example.com"), "req-2")
    for message in queued():
        deliver(message)
    assert [mail.subject for mail in inbox.take()] == ["Waizant Store: leads nuevos, 1 filas"]


# --- once ---------------------------------------------------------------------------------------


def test_a_delivery_after_the_announcement_announces_nothing(now: Clock, inbox: Inbox) -> None:
    now.goes_on(5)
    fire(FIRST)
    messages = queued()
    for message in messages:
        deliver(message)
    assert len(inbox.take()) == 2
    now.goes_on(3600)
    for message in messages:
        deliver(message)
    assert inbox.take() == []


def test_a_topic_that_fails_is_tried_again_and_the_file_is_not_made_again(
    now: Clock, inbox: Inbox
) -> None:
    now.goes_on(5)
    _, new = fire(FIRST)
    for message in queued():
        with before(aws.sns(), "sns.Publish", unreachable), pytest.raises(StoreUnavailableError):
            deliver(message)
        assert inbox.take() == []
        deliver(message)
        assert len(inbox.take()) == 1
        deliver(message)
        assert inbox.take() == []
    job = jobs.find(new)
    assert (job.status, job.attempt) == ("succeeded", 1)


def test_a_worker_that_dies_before_the_announcement_is_followed_by_one_that_announces(
    now: Clock, inbox: Inbox
) -> None:
    now.goes_on(5)
    fire(FIRST)
    message, _ = queued()
    with before(aws.sns(), "sns.Publish", At(1, die)), pytest.raises(SystemExit):
        deliver(message)
    deliver(message)
    assert len(inbox.take()) == 1


def test_a_worker_that_dies_before_it_notes_the_announcement_lets_it_be_made_twice(
    now: Clock, inbox: Inbox
) -> None:
    """Twice rather than never: see docs/decisions/0007-the-schedule.md."""
    now.goes_on(5)
    fire(FIRST)
    message = next(one for one in queued() if "leads-all" in one["job"]["fingerprint"]["S"])

    def die_at_the_note(request: AWSPreparedRequest) -> None:
        if "announced_at" in cast("bytes", request.body).decode():
            die()

    with hooked("UpdateItem", die_at_the_note), pytest.raises(SystemExit):
        deliver(message)
    deliver(message)
    deliver(message)
    assert [mail.subject for mail in inbox.take()] == [
        "Waizant Store: todos los leads, 1 filas",
        "Waizant Store: todos los leads, 1 filas",
    ]
