"""A file of any kind → its header and its rows, or why it cannot be loaded."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.load.sources import RawRow, SourceError, open_source
from tests.unit.load.reading import error_of, read


@given(content=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_fault_of_the_file(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        for name in ("people.csv", "people.jsonl", "people.xlsx"):
            path = Path(folder) / name
            path.write_bytes(content)
            with suppress(SourceError), open_source(path) as source:
                list(source.rows)


def test_json_lines_are_rows_of_one_cell(tmp_path: Path) -> None:
    text = '\ufeff{"id": "u1"}\r\n\r\n  \nnothing\n[1]\n'
    for name in ("people.jsonl", "people.ndjson", "PEOPLE.JSON"):
        header, rows = read(tmp_path / name, text.encode())
        assert header == ("row",)
        assert rows == [
            RawRow(1, ('{"id": "u1"}',)),
            RawRow(4, ("nothing",)),
            RawRow(5, ("[1]",)),
        ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("people.json", '[{"id": "u1"}]'),
        ("people.json", "\n[\n"),
        ("people.jsonl", '[{"id": "u1"},\n{"id": "u2"}]'),
        ("people.jsonl", '{\n  "id": "u1"\n}'),
    ],
)
def test_one_json_document_is_told_from_json_lines(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert error_of(path) == (
        "is one JSON document: JSON Lines has one object a line (jq -c '.[]' makes it so)"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("people.csv", b"", "is empty"),
        ("people.csv", b"\xef\xbb\xbf\r\n \r\n", "has no header: there is nothing in it"),
        ("people.jsonl", b"\n", "has no header: there is nothing in it"),
        ("people.csv", "id,kind\n".encode("utf-16"), "is UTF-16 text: save it as UTF-8"),
        (
            "people.csv",
            b"id,tel\xe9fono\n",
            "has a header that cannot be read: it must be a line of UTF-8 text",
        ),
        (
            "people.csv",
            b'id,"kind\nu1,lead\n',
            "has a header that cannot be read: it must be a line of UTF-8 text",
        ),
        (
            "people.xls",
            b"x",
            (
                "has another extension than those that can be read:"
                " .csv, .tsv, .xlsx, .jsonl, .ndjson, .json"
            ),
        ),
        (
            "people.xlsx",
            b"id,kind\n",
            "is no workbook that can be read: is it damaged, or protected by a password?",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_told_why(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert error_of(path) == message


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    assert error_of(tmp_path / "people.csv") == "cannot be read: no such file or directory"
    (tmp_path / "folder.csv").mkdir()
    assert error_of(tmp_path / "folder.csv") == "cannot be read: is a directory"
