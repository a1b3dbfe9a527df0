"""Erasing a person: nothing of them is left in any table, object or queue."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from chalicelib import aws
from chalicelib.exports import jobs
from chalicelib.settings import settings
from chalicelib.users import access, audit
from chalicelib.users.model import Access, Ecosystem
from infra.erase import files, traces
from infra.erase.__main__ import Done, Queues, erase, is_confirmed
from infra.erase.person import ErasureError, Record, erased_before, find
from tests.builders import customer, lead, save, stored
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
from tests.following import counters, entries, follow, invoke, items
from tests.scheduled import run

pytestmark = pytest.mark.usefixtures("cloud")

TABLES = ("users", "ecosystems", "search", "totals", "audit", "exports")
PERSON = customer(
    "cus_0042",
    first_name="Wayra",
    last_name="Quispe",
    company_email="wayra@puma-punku.example",
    phone_number="+51987654321",
    company_name="Consultorio Puma",
    ecosystem=Ecosystem("eco_17", "puma-punku", "2026-03-01T16:00:00Z"),
    registered_at="2026-02-28T15:04:05Z",
)
NEIGHBOUR = customer(
    "cus_00421", ecosystem=Ecosystem("eco_18", "clinica-sol", "2026-03-01T17:00:00Z")
)
LEAD = lead("led_0007", registered_at="2026-02-27T08:00:00Z")
TRACES = ("wayra", "quispe", "puma", "51987654321", "987654321", "eco_17", "sospecha")


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def dead_exports() -> str:
    url: str = boto3.client("sqs", "us-east-1").create_queue(QueueName="dead")["QueueUrl"]
    return url


def _apply(records: Any) -> int:
    return invoke(list(records))["poisoned"]


def _erase(dead_exports: str, user_id: str = "cus_0042") -> Done:
    queues = Queues(settings().projection_dead_letters_url, dead_exports)
    return erase(find(user_id), "operator", _apply, queues)


def _texts() -> Iterator[tuple[str, str]]:
    """Everything that is stored, as text: tables, objects (unpacked), messages."""
    for table in TABLES:
        for item in items(table):
            yield table, json.dumps(item, ensure_ascii=False)
    for prefix in ("exports/", "schedule/"):
        for key in object_keys(prefix):
            body = aws.s3().get_object(Bucket="exports-bucket", Key=key)["Body"].read()
            yield key, _unpacked(body)


def _unpacked(body: bytes) -> str:
    if not zipfile.is_zipfile(io.BytesIO(body)):
        return body.decode()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist())


def _found(*, of: tuple[str, ...] = TRACES) -> list[tuple[str, str]]:
    """Where there is a trace of the person: by any word of theirs, or their id by itself."""
    found = []
    for place, text in _texts():
        by_id = "cus_0042" in text.replace("cus_00421", "")
        found += [(place, word) for word in of if word in text.lower()]
        found += [(place, "id")] if by_id else []
    return found


def _switch(user_id: str, reason: str) -> None:
    wish = access.Wish(
        access=Access.SUSPENDED, reason=reason, version=7, by="simon@example", request_id="r"
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

    _erase(dead_exports)
    follow(feed)

    # Alone the note that, when and by whom somebody of that id was erased.
    assert _found() == [("audit", "id")]
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
    monkeypatch.setattr(traces, "wait_for_exports", lambda _: None)

    assert _erase(dead_exports).remnants > 0

    assert unfinished_uploads() == [under_way]
    versions = s3.list_object_versions(Bucket=bucket)
    assert "DeleteMarkers" not in versions
    kept = {one["Key"] for one in versions["Versions"]}
    assert kept == {*object_keys(), *object_keys("schedule/")}
    assert all(one["IsLatest"] for one in versions["Versions"])
    assert ids(made["other"])
    assert _found() == [("audit", "id")]


def test_the_others_keep_what_is_theirs(
    feed: Feed, dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _live(feed, dead_exports, monkeypatch)

    done = _erase(dead_exports)
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

    _erase(dead_exports)

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

    _erase(dead_exports)

    (act,) = [
        audit.from_item(item)
        for item in items("audit")
        if item["subject"]["S"].startswith("customer#erased-")
    ]
    assert (act.by, act.at, act.action) == (
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
    _erase(dead_exports)
    again = _erase(dead_exports)
    assert (again.person.is_stored, again.files, again.acts) == (False, [], 0)

    save(PERSON)  # As a restored table has them.
    follow(feed)
    back = _erase(dead_exports)
    assert back.person.is_stored
    assert _found(of=TRACES) == [("audit", "id")] * 3
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
        erase(find("cus_0042"), "operator", die, queues)  # type: ignore[arg-type]
    assert stored("cus_0042") is None

    _erase(dead_exports)
    assert _found() == [("audit", "id")]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("cus_0042\n", True), ("cus_00421\n", False), ("yes\n", False), ("\n", False), ("", False)],
)
def test_it_is_confirmed_by_typing_the_id(
    typed: str,
    expected: bool,  # noqa: FBT001 - a parameter of the test
    feed: Feed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(PERSON)
    follow(feed)
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", _Terminal(typed))
    assert is_confirmed([find("cus_0042")], "store-users-test") is expected
    assert capsys.readouterr().out == (
        "To be erased from store-users-test, for good: cus_0042\n"
        "Gateways will let nobody into: eco_17\n"
        "Type the id (or ids) to confirm: "
    )


def test_without_a_person_to_ask_nothing_is_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("cus_0042\n"))
    assert not is_confirmed([find("cus_0042")], "store-users-test")


def test_an_export_that_runs_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)
    job = stored_job(ordered())
    with pytest.raises(ErasureError, match=job.id):
        traces.wait_for_exports(0)

    jobs.delete(job, "ana", "r")
    traces.wait_for_exports(0)


def test_an_id_is_found_across_the_parts_in_which_a_file_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = {
        "alone": (b"x" * 1_000 + b",cus_0042\r\n" + b"y" * 1_000, True),
        "at the end": (b"x" * 1_000 + b",cus_0042", True),
        "part of others": (b"x" * 1_000 + b",cus_00421\r\n,acus_0042" + b"y" * 1_000, False),
    }
    for size in (1, 7, 512, 1_005, 1_009, 1_010, 5_000):
        monkeypatch.setattr(files, "_CHUNK_BYTES", size)
        for name, (body, expected) in cases.items():
            aws.s3().put_object(Bucket="exports-bucket", Key=name, Body=body)
            assert files.holds(name, "cus_0042") is expected, (size, name)
    assert not files.holds("gone", "cus_0042")


@pytest.mark.parametrize(
    "nonsense", ["no json of {0}", '{{"x":"{0}"}}', '{{"dynamodb":null,"id":"{0}"}}']
)
def test_letters_that_make_no_sense_do_not_stop_an_erasure(
    feed: Feed, dead_exports: str, nonsense: str
) -> None:
    """They are what dead-letter queues are for; of them the id alone tells."""
    save(PERSON)
    follow(feed)
    queues = [settings().projection_dead_letters_url, dead_exports]
    for queue in queues:
        for user_id in ("cus_0042", "cus_00421"):
            aws.sqs().send_message(QueueUrl=queue, MessageBody=nonsense.format(user_id))
    _erase(dead_exports)
    assert [taken(queue) for queue in queues] == [[nonsense.format("cus_00421")]] * 2
