"""Whether work grows as its rows do: the processor time of each tenth of them."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

_T = TypeVar("_T")


class Tenths:
    """Looks at the clock whenever another tenth of so many rows has gone by."""

    def __init__(self, rows: int) -> None:
        """Nothing has gone by."""
        self._rows = rows
        self._marks: list[float] = []

    def of(self, chunks: Iterable[Sequence[_T]]) -> Iterator[Sequence[_T]]:
        """The chunks, unchanged."""
        gone = 0
        self._marks.append(time.process_time())
        for chunk in chunks:
            yield chunk
            gone += len(chunk)
            if gone * 10 >= self._rows * len(self._marks):
                self._marks.append(time.process_time())

    def seconds(self) -> dict[str, float]:
        """By tenth, once all have gone by: `tenth_1` to `tenth_10`."""
        return {
            f"tenth_{number}": end - begin
            for number, (begin, end) in enumerate(pairwise(self._marks), start=1)
        }
