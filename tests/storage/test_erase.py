"""Erasing a person: nothing of them is left in any table, object or queue."""

import json
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.exports import jobs
from chalicelib.settings import settings
from chalicelib.users import access, audit
from chalicelib.users.model import Access
from infra.erase import traces
from infra.erase.__main__ import Queues, erase
from infra.erase.person import Record, erased_before, find
from tests.builders import author, lead, save, stored
from tests.erasing import (
    NEIGHBOUR,
    PERSON,
    TABLES,
    dead_letters_of_exports,
    erase_person,
    stored_texts,
)
from tests.exporting import (
    content,
    finished,
    ids,
    object_keys,
    ordered,
    stop_clock,
    stored_job,
    taken,
    unfinished_uploads,
)
from tests.feed import Feed
from tests.following import counters, entries, follow, items
from tests.scheduled import run

pytestmark = pytest.mark.usefixtures("cloud")

LEAD = lead("led_0007", registered_at="2026-02-27T08:00:00Z")
LEFT = [("audit", "id"), ("audit", "id"), ("ecosystems", "eco_17"), ("ecosystems", "id")]
"""The ecosystem that stays suspended, with nothing but its id; that its customer was suspended; and
the notes that somebody of that id was to be erased and was, when and by whom."""

TRACES = ("wayra", "quispe", "puma", "51987654321", "987654321", "eco_17", "sospecha")


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def dead_exports() -> str:
    return dead_letters_of_exports()


def _found(*, of: tuple[str, ...] = TRACES) -> list[tuple[str, str]]:
    """Where there is a trace of the person: by any word of theirs, or their id by itself."""
    found = []
    for place, text in stored_texts():
        by_id = "cus_0042" in text.replace("cus_00421", "")
        found += [(place, word) for word in of if word in text.lower()]
        found += [(place, "id")] if by_id else []
    return found


def _switch(user_id: str, reason: str) -> None:
    wish = access.Wish(
        access=Access.SUSPENDED,
        reason=reason,
        version=7,
        by=author("simon@example"),
        request_id="r",
    )
    access.change(user_id, wish)


def _live(feed: Feed, dead_exports: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A life of three people in the system: listed, switched, exported, announced, put aside."""
    now = stop_clock(monkeypatch)
    save(PERSON, NEIGHBOUR, LEAD)
    follow(feed)
    _switch("cus_0042", "Sospecha de Wayra")
    _switch("cus_00421", "Otra cosa")
    follow(feed)
    made = {
        "book": finished(key="1", resource="customers", format="xlsx"),
        "csv": finished(key="2", resource="customers", format="csv"),
        "other": finished(key="3", resource="customers", filters={"q": "clinica"}),
        "search": finished(key="4", format="xlsx", filters={"q": "quispe wayra"}),
    }
    save(lead("cus_0042", first_name="Wayra", registered_at="2026-02-28T15:04:05Z"))
    run(now, "2026-03-02T11:00:00Z")
    save(PERSON)
    follow(feed)
    dead = aws.sqs()
    record = {"eventID": "1", "dynamodb": {"Keys": {"id": {"S": "cus_0042"}}}}
    other = {"eventID": "2", "dynamodb": {"Keys": {"id": {"S": "cus_00421"}}}}
    for message in (record, other):
        dead.send_message(
            QueueUrl=settings().projection_dead_letters_url, MessageBody=json.dumps(message)
        )
    for job in (made["search"], made["other"]):
        dead.send_message(QueueUrl=dead_exports, MessageBody=json.dumps({"job": job.serialize()}))
    return made


def test_nothing_of_an_erased_person_is_left_anywhere(
    feed: Feed, dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _live(feed, dead_exports, monkeypatch)
    before = {place.split("/")[0] for place, _ in _found()}
    assert before == {*TABLES, "exports", "schedule"}, "the test finds the traces that are there"

    erase_person(dead_exports)
    follow(feed)

    assert sorted(_found()) == LEFT
    left = [*taken(settings().projection_dead_letters_url), *taken(dead_exports)]
    assert [json.loads(one).get("eventID", "an export") for one in left] == ["2", "an export"]
    assert not any(word in text.lower() for text in left for word in TRACES)


def test_nothing_of_them_is_left_in_uploads_that_died_or_in_older_versions_of_files(
    feed: Feed, dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, bucket = aws.s3(), "exports-bucket"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    made = _live(feed, dead_exports, monkeypatch)
    dead = s3.create_multipart_upload(Bucket=bucket, Key=f"exports/{made['csv'].id}/7")
    s3.upload_part(
        Bucket=bucket, Key=dead["Key"], UploadId=dead["UploadId"], PartNumber=1, Body=b"Wayra"
    )
    # A run that began after the person was gone is none of our business.
    running = stored_job(ordered(key="9"))
    under_way = f"exports/{running.id}/1"
    s3.create_multipart_upload(Bucket=bucket, Key=under_way)
    # Nor is what somebody else has begun beside the exports.
    s3.create_multipart_upload(Bucket=bucket, Key="by-hand")
    monkeypatch.setattr(traces, "wait_for_exports", lambda _: None)

    assert erase_person(dead_exports).remnants > 0

    assert sorted(unfinished_uploads()) == ["by-hand", under_way]
    versions = s3.list_object_versions(Bucket=bucket)
    assert "DeleteMarkers" not in versions
    kept = {one["Key"] for one in versions["Versions"]}
    assert kept == {*object_keys(), *object_keys("schedule/")}
    assert all(one["IsLatest"] for one in versions["Versions"])
    assert ids(made["other"])
    assert sorted(_found()) == LEFT


def test_the_others_keep_what_is_theirs(
    feed: Feed, dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _live(feed, dead_exports, monkeypatch)

    done = erase_person(dead_exports)
    follow(feed)

    assert stored("cus_00421")
    assert stored("eco_18", "ecosystems")
    assert {entry.rpartition("#")[2] for _, entry, _ in entries()} == {"cus_00421", "led_0007"}
    assert counters()["customer", "month#2026-03"]["n"] == 1
    (act,) = audit.page(audit.customer("cus_00421"), None, 10).items
    assert audit.from_item(act).facts["reason"] == "Otra cosa"
    kept = jobs.find(made["other"].id)
    assert jobs.status(kept) == "succeeded"
    assert ids(kept) == ["cus_00421"]
    assert content(kept)
    assert (done.person.is_stored, done.acts, done.letters, done.deliveries) == (True, 1, 2, 1)


def test_a_file_that_held_the_person_is_gone_and_its_job_says_expired(
    feed: Feed, dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _live(feed, dead_exports, monkeypatch)

    erase_person(dead_exports)

    for name in ("book", "csv", "search"):
        job = jobs.find(made[name].id)
        assert jobs.status(job) == "expired"
        assert object_keys(f"exports/{job.id}/") == []
        entries_of_job = audit.page(audit.export(job.id), None, 10).items
        assert {audit.from_item(one).action for one in entries_of_job} == {
            "export.requested",
            "export.succeeded",
            "export.expired",
        }
    assert jobs.find(made["search"].id).filters == {"q": traces.ERASED}


def test_what_the_staff_did_is_kept_without_saying_to_whom(
    feed: Feed, dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _live(feed, dead_exports, monkeypatch)

    erase_person(dead_exports)

    (act,) = [
        audit.from_item(item)
        for item in items("audit")
        if item["subject"]["S"].startswith("customer#erased-")
    ]
    assert (act.by.name, act.at, act.action) == (
        "simon@example",
        "2026-03-02T11:00:00Z",
        "access.changed",
    )
    assert act.facts == {"from": "active", "to": "suspended", "reason": "(erased)"}
    assert erased_before() == ["cus_0042"]


def test_erasing_again_does_no_harm_and_erases_who_came_back(
    feed: Feed, dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _live(feed, dead_exports, monkeypatch)
    erase_person(dead_exports)
    again = erase_person(dead_exports)
    assert (again.person.is_stored, again.files, again.acts) == (False, [], 0)

    save(PERSON)  # As a restored table has them.
    follow(feed)
    back = erase_person(dead_exports)
    assert back.person.is_stored
    assert set(_found(of=TRACES)) == set(LEFT)
    assert erased_before() == ["cus_0042"]


def test_nobody_is_known_of_an_id_that_never_was() -> None:
    save(NEIGHBOUR)
    assert not find("cus_0042").is_known
    assert find("cus_00421").is_known


def test_an_erasure_that_dies_half_way_is_finished_by_the_next(
    feed: Feed, dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _live(feed, dead_exports, monkeypatch)

    def die(_: Record) -> int:
        raise KeyboardInterrupt

    queues = Queues(settings().projection_dead_letters_url, dead_exports)
    with pytest.raises(KeyboardInterrupt):
        erase(find("cus_0042"), author("operator"), die, queues)  # type: ignore[arg-type]
    assert stored("cus_0042") is None

    erase_person(dead_exports)
    assert sorted(_found()) == LEFT
