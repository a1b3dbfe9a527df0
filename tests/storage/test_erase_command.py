"""The command that erases a person: whom it asks, what it waits for, where it looks."""

import io

import pytest

from chalicelib import aws
from chalicelib.exports import jobs
from chalicelib.settings import settings
from infra.erase import files, traces
from infra.erase.__main__ import is_confirmed
from infra.erase.person import ErasureError, find
from tests.builders import author, save
from tests.erasing import PERSON, dead_letters_of_exports, erase_person
from tests.exporting import ordered, stop_clock, stored_job, taken
from tests.feed import Feed
from tests.following import follow

pytestmark = pytest.mark.usefixtures("cloud")


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def dead_exports() -> str:
    return dead_letters_of_exports()


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

    jobs.delete(job, author("ana"), "r")
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
            assert (files.look_for(name, "cus_0042") is not None) is expected, (size, name)
    assert files.look_for("gone", "cus_0042") is None


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
    erase_person(dead_exports)
    assert [taken(queue) for queue in queues] == [[nonsense.format("cus_00421")]] * 2
