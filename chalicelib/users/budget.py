"""How much one request may read: rows evaluated, and read units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_ROWS = 8_000
MAX_UNITS = 120.0
"""What a page may cost at the most, in read request units (8 kB each, eventually consistent)."""

MAX_CHUNK = 1_500
"""Rows evaluated in one Query at the most: below the megabyte at which DynamoDB cuts."""

UNITS_A_GET = 0.5
"""A row that is read by its id; below 4 kB, as all are."""

_UNITS_A_ROW = 0.07
"""Assumed until something was read: a row of a list, of 460 bytes, takes 0.06."""


@dataclass(slots=True)
class Budget:
    """What is left of the bound on a page; `reserve` units are kept for what comes after."""

    reserve: float = 0.0
    max_rows: float = MAX_ROWS
    max_units: float = MAX_UNITS
    rows: int = 0
    units: float = 0.0

    def note(self, answer: Mapping[str, Any]) -> None:
        """Take off what the answer to a Query cost."""
        self.rows += answer["ScannedCount"]
        self.units += (answer.get("ConsumedCapacity") or {}).get("CapacityUnits", 0.0)

    def chunk(self, wanted: int) -> int:
        """How many rows may be evaluated next, `wanted` at the most; below 1: none."""
        per_row = self.units / self.rows if self.rows and self.units else _UNITS_A_ROW
        affordable = (self.max_units - self.reserve - self.units) / per_row
        return int(min(wanted, MAX_CHUNK, self.max_rows - self.rows, affordable))

    def gets(self, wanted: int) -> int:
        """How many of so many rows may be read by id; they are taken off."""
        affordable = (self.max_units - self.units) / UNITS_A_GET
        number = int(max(0, min(wanted, affordable)))
        self.units += number * UNITS_A_GET
        return number

    def for_hits(self, wanted: int, found: int) -> int:
        """How many rows to evaluate next for so many hits, by the share of hits so far."""
        return self.chunk(max(wanted, wanted * self.rows // max(found, 1)))
