"""What watches all other tests for personal data in logs can itself fail."""

import pytest

from chalicelib import log
from tests.builders import customer, lead
from tests.invented import is_strange_to_logs
from tests.privacy import told, watching, words_of


@pytest.mark.parametrize(
    "text",
    [
        "María José",
        "maria",
        "GÓMEZ",
        "mj@clinica-sol.co",
        "+57 (300) 123-4567",
        "300-123-4567",
        "Clínica Sol",
    ],
)
def test_a_line_that_tells_of_a_person_is_found_however_it_is_written(text: str) -> None:
    with watching() as watch:
        customer()
        log.event("request", detail=f"could not read {text}.")
    ((found, line),) = watch.leaks()
    assert found
    assert '"could not read' in line


def test_a_word_within_the_frames_of_an_error_is_found() -> None:
    with watching() as watch:
        lead(first_name="Wayra")
        log.event("projection.poison", traceback=["stream.py:7 wayra"], error=["ValueError"])
    assert [found for found, _ in watch.leaks()] == [{"wayra"}]


@pytest.mark.parametrize(
    "text", ["Bearer abc", "eyJhbGciOiJub25lIn0", "/v1/exports/exp_1/file?token=1.a.b"]
)
def test_a_token_is_found(text: str) -> None:
    assert told(text, set())


def test_a_line_of_ids_and_counts_tells_of_nobody() -> None:
    known = words_of(customer()) | words_of(lead())
    assert "gomez" in known
    line = '{"event": "request", "actor_id": "0b8f2a64", "route": "/v1/customers", "ms": 12.5}'
    assert told(line, known) == set()


def test_a_person_who_is_called_as_json_calls_nothing_is_told_of_by_no_line() -> None:
    """Hypothesis finds such names."""
    assert (
        told('{"request_id": null}', words_of(lead(first_name="Null", last_name="True"))) == set()
    )


def test_people_who_come_out_of_a_table_are_watched_for_as_well() -> None:
    from chalicelib.users.item import from_item

    item = {"id": {"S": "led_1"}, "kind": {"S": "lead"}, "first_name": {"S": "Illari"}}
    with watching() as watch:
        from_item(item)
        log.event("request", q="illari")
    assert len(watch.leaks()) == 1


@pytest.mark.parametrize(
    "word", ["unit", "UNITS", "Milliseconds", "\N{FULLWIDTH LATIN SMALL LETTER U}nit"]
)
def test_no_person_of_a_property_test_is_called_by_a_word_of_the_log(word: str) -> None:
    assert not is_strange_to_logs(f"añb {word} x")
    assert is_strange_to_logs("añb 一二三四 abc x")
