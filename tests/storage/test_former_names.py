"""Erasing a person who had another name, and whose name stands in reasons for acts on others."""

from dataclasses import replace

import pytest

from chalicelib import aws
from chalicelib.exports import jobs
from chalicelib.users import access, audit
from chalicelib.users.model import Access
from chalicelib.users.tables import ExportItem
from infra.erase import traces
from tests.builders import author, client, save
from tests.erasing import (
    NEIGHBOUR,
    PERSON,
    dead_letters_of_exports,
    run_command,
    stored_texts,
)
from tests.exporting import finished, object_keys, stop_clock
from tests.feed import Feed
from tests.following import follow, items

pytestmark = pytest.mark.usefixtures("cloud")

FORMER = replace(
    PERSON,
    first_name="Sami",
    last_name="Condori & <Hijos>",
    company_email="sami@inti-raymi.example",
    phone_number="+51911222333",
    company_name='"Tambo",\nsegundo piso',
)
ALSO = "Sami Condori; sami@inti-raymi.example, +51 911 222 333, Tambo"
TRACES = ("sami", "condori", "inti-raymi", "911222333", "911 222", "tambo")


@pytest.fixture
def dead_exports() -> str:
    return dead_letters_of_exports()


def _renamed(monkeypatch: pytest.MonkeyPatch) -> dict[str, ExportItem]:
    """Exports of when the person had the former name; the files of searches are gone by now."""
    stop_clock(monkeypatch)
    feed = Feed()
    save(FORMER, NEIGHBOUR)
    follow(feed)
    made = {
        q: finished(key=q, resource="customers", filters={"q": q})
        for q in ("sami condori", "raymi.example", "911 222 333", "tambo", "clinica sol")
    }
    for job in made.values():
        aws.s3().delete_object(Bucket="exports-bucket", Key=job.object_key)
    save(PERSON)
    follow(feed)
    return made


def _found() -> set[str]:
    return {word for _, text in stored_texts() for word in TRACES if word in text.lower()}


def _switch(reason: str, user_id: str = "cus_00421") -> None:
    """Switch the access over, whichever it is."""
    user = next(one for one in items("users") if one["id"]["S"] == user_id)
    is_suspended = user["access"]["S"] == "suspended"
    wish = access.Wish(
        access=Access.ACTIVE if is_suspended else Access.SUSPENDED,
        reason=reason,
        version=int(user["version"]["N"]),
        by=author("simon@example"),
        request_id="r",
    )
    access.change(user_id, wish)


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_files_that_are_kept_tell_how_a_person_was_called(
    format_: str, dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_clock(monkeypatch)
    save(FORMER, NEIGHBOUR)
    finished(key="all", resource="customers", format=format_)
    finished(key="own", resource="customers", format=format_, filters={"q": "sami"})
    made = _renamed(monkeypatch)
    assert _found(), "the former names are there"

    assert run_command(monkeypatch, dead_exports, "--user", "cus_0042") == 0

    assert _found() == set()
    kept = {q: jobs.find(job.id).filters["q"] for q, job in made.items()}
    assert kept.pop("clinica sol") == "clinica sol"
    assert set(kept.values()) == {traces.ERASED}
    assert object_keys() == []


def test_names_that_nothing_tells_are_told_by_the_person(
    dead_exports: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _renamed(monkeypatch)
    capsys.readouterr()
    assert run_command(monkeypatch, dead_exports, "--user", "cus_0042") == 0
    assert "that ALSO did not tell, stay" in capsys.readouterr().out.replace("\n", " ")
    assert {"sami", "condori", "tambo"} <= _found()

    assert run_command(monkeypatch, dead_exports, "--user", "cus_0042", "--also", ALSO) == 0

    assert "     4  searches in jobs of exports\n" in capsys.readouterr().out
    assert _found() == set()
    assert jobs.find(made["clinica sol"].id).filters == {"q": "clinica sol"}


def test_who_was_removed_by_the_shop_before_is_found_by_what_is_told(
    dead_exports: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = Feed()
    save(FORMER)
    follow(feed)
    _switch("Wayra Quispe lo pide", "cus_0042")
    job = finished(key="1", resource="customers", filters={"q": "sami condori"})
    aws.s3().delete_object(Bucket="exports-bucket", Key=job.object_key)
    client().delete_item(TableName="users", Key={"id": {"S": "cus_0042"}})
    follow(feed)
    capsys.readouterr()

    assert run_command(monkeypatch, dead_exports, "--user", "cus_0042") == 0
    assert "Nothing says what they were called" in capsys.readouterr().out
    assert jobs.find(job.id).filters == {"q": "sami condori"}

    assert (
        run_command(monkeypatch, dead_exports, "--user", "cus_0042", "--also", "Sami Condori") == 0
    )
    assert "Nothing says what they were called" not in capsys.readouterr().out
    assert jobs.find(job.id).filters == {"q": traces.ERASED}


def test_reasons_of_others_that_may_mention_the_person_are_listed_and_kept(
    dead_exports: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _renamed(monkeypatch)
    telling = [
        "Lo pidió WAYRA, por teléfono",
        "Véase quispé",
        "Según wayra@puma-punku.example",
        "Llamar al (987) 654-321",
        "Como en cus_0042",
        "Comparte eco_17",
        "Igual que Consultorio Puma",
        "Antes Sami",
    ]
    others = ["Otra cosa", "Como en cus_00421", "Un puma", "Consultorio cerrado", "Caso 4711"]
    for reason in telling + others:
        _switch(reason)
    _switch("Wayra Quispe lo pide", "cus_0042")
    capsys.readouterr()

    assert run_command(monkeypatch, dead_exports, "--user", "cus_0042", "--also", ALSO) == 0

    lines = capsys.readouterr().out.splitlines()
    at = lines.index("     8  reasons for acts on others that may mention them")
    assert sorted(lines[at + 1 : at + 9]) == sorted(
        f"        cus_00421, 2026-03-02T11:00:00Z, simon@example: {reason}" for reason in telling
    )
    assert "Nothing says" not in "".join(lines)
    acts = audit.page(audit.customer("cus_00421"), None, 100).items
    assert {audit.from_item(one).facts["reason"] for one in acts} == {*telling, *others}


def test_names_are_told_of_one_person_alone(
    dead_exports: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_command(monkeypatch, dead_exports, "--again", "--also", "Sami")
    assert stopped.value.code == 2
