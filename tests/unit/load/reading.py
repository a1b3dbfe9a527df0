"""What the tests of sources share: a file → its header and rows, or why there are none."""

from pathlib import Path

import pytest

from infra.load.sources import RawRow, SourceError, open_source


def read(path: Path, content: bytes) -> tuple[tuple[str, ...], list[RawRow]]:
    path.write_bytes(content)
    with open_source(path) as source:
        return source.header, list(source.rows)


def read_csv(folder: Path, content: bytes) -> tuple[tuple[str, ...], list[RawRow]]:
    return read(folder / "people.csv", content)


def error_of(path: Path) -> str:
    with pytest.raises(SourceError) as raised, open_source(path) as source:
        list(source.rows)
    return str(raised.value)
