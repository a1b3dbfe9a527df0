"""What the tests of rows share: cells or a record → a store user, or what is wrong."""

import json
from typing import Any

from chalicelib.users.model import StoreUser, Subscription
from infra.load.columns import Columns
from infra.load.rows import Checker, Row
from infra.load.sources import RawRow

LEAD = {"id": "u1", "kind": "lead", "registered_at": "2026-03-01T15:04:05Z"}
CUSTOMER = {**LEAD, "kind": "customer"}


def check_cells(cells: dict[str, str]) -> Row | list[str]:
    return Checker(Columns(list(cells))).check(RawRow(2, tuple(cells.values())))


def user_of(cells: dict[str, str]) -> StoreUser:
    row = check_cells(cells)
    assert isinstance(row, Row), row
    return row.user


def subscription_of(**cells: str) -> Subscription | None:
    return user_of({**CUSTOMER, **cells}).subscription


def faults_of(cells: dict[str, str]) -> list[str]:
    faults = check_cells(cells)
    assert isinstance(faults, list)
    return faults


def check_json(text: str) -> Row | list[str]:
    return Checker(Columns(["row"])).check(RawRow(1, (text,)))


def user_of_json(record: dict[str, Any]) -> StoreUser:
    row = check_json(json.dumps(record))
    assert isinstance(row, Row), row
    return row.user


def faults_of_json(record: dict[str, Any]) -> list[str]:
    faults = check_json(json.dumps(record))
    assert isinstance(faults, list)
    return faults
