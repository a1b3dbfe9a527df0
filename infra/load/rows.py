"""A raw row → a store user, or everything that is wrong with it by the item contract of DATA.md."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.users.model import (
    VALID_ID,
    Access,
    BillingPeriod,
    Ecosystem,
    Encounters,
    Kind,
    Licences,
    StoreUser,
    Subscription,
)
from infra.load.columns import TEXTS, CellError, Columns
from infra.load.fields import Fields, has_surrogates, is_empty
from infra.load.sources import RawRow

_ID_RULE = "1 to 64 of the characters A-Z, a-z, 0-9, _ and -"
_KIND = re.compile("|".join(Kind))
_ACCESS = re.compile("|".join(Access))
_BILLING_PERIOD = re.compile("|".join(BillingPeriod))
# Not the model's states alone: one that the shop adds must be shown, not be refused.
_STATE = re.compile(r"[a-z][a-z_]{0,31}")
_STATE_RULE = "a lower-case word, such as active or past_due"

_RECORD = ("id", "kind", "registered_at", *TEXTS, "access", "version", "ecosystem", "subscription")
_ECOSYSTEM = ("id", "name", "deployed_at")
_SUBSCRIPTION = (
    "plan",
    "billing_period",
    "status",
    "starts_on",
    "ends_on",
    "encounters",
    "licences",
)

NO_SUBSCRIPTION = Subscription(None, None, None, None, None, None, ())
"""A subscription that nothing is said about: the same as none."""


@dataclass(frozen=True, slots=True)
class Row:
    """A good row. `given` names the columns that the file has; what it lacks stays as stored."""

    raw: RawRow
    user: StoreUser
    given: frozenset[str]


class Checker:
    """Checks the rows of one file; `unknown_members` collects what JSON has and nobody knows."""

    def __init__(self, columns: Columns) -> None:
        """Start a file that has these columns."""
        self.unknown_members: set[str] = set()
        self._columns = columns
        self._given_without_access = columns.given - {"access"}
        self._lines_of_ids: dict[str, int] = {}
        self._lines_of_ecosystems: dict[str, int] = {}

    def check(self, raw: RawRow) -> Row | list[str]:
        """The store user that the row holds, or every fault found in it."""
        problem = raw.problem or self._unreadable(raw.cells)
        if problem:
            return [problem]
        try:
            record = self._columns.record(raw.cells)
        except CellError as error:
            return [str(error)]
        fields = Fields(self.unknown_members)
        user = _user(fields, record)
        faults = fields.faults or self._repeated(user, raw.line)
        silent = is_empty(record.get("access"))
        given = self._given_without_access if silent else self._columns.given
        return faults or Row(raw, user, given)

    def _unreadable(self, cells: Sequence[str]) -> str:
        text = "".join(cells)
        if has_surrogates(text):
            return "the row is not UTF-8 text: save the file as UTF-8"
        if "\0" in text:
            return "the row holds a NUL character"
        if len(cells) != len(self._columns.names):
            return f"the row has {len(cells)} cells, the header {len(self._columns.names)}"
        return ""

    def _repeated(self, user: StoreUser, line: int) -> list[str]:
        ecosystem_id = user.ecosystem.id if user.ecosystem else ""
        same_id = self._lines_of_ids.get(user.id)
        if same_id:
            return [f"line {same_id} has the same id"]
        same_ecosystem = self._lines_of_ecosystems.get(ecosystem_id)
        if same_ecosystem:
            return [f"line {same_ecosystem} has the same ecosystem_id"]
        self._lines_of_ids[user.id] = line
        if ecosystem_id:
            self._lines_of_ecosystems[ecosystem_id] = line
        return []


def _user(fields: Fields, record: Mapping[str, Any]) -> StoreUser:
    for name in ("id", "kind", "registered_at"):
        fields.require(name, record.get(name))
    fields.note_unknown(record, _RECORD, "")
    is_lead = fields.word("kind", record.get("kind"), _KIND, "lead or customer") == Kind.LEAD
    texts: dict[str, Any] = {name: fields.text(name, record.get(name)) for name in TEXTS}
    return StoreUser(
        id=fields.word("id", record.get("id"), VALID_ID, _ID_RULE),
        kind=Kind.LEAD if is_lead else Kind.CUSTOMER,
        registered_at=fields.instant("registered_at", record.get("registered_at")),
        version=fields.whole("version", record.get("version"), least=1) or 1,
        **texts,
        **(_nothing_more if is_lead else _customer)(fields, record),
    )


def _nothing_more(fields: Fields, record: Mapping[str, Any]) -> dict[str, Any]:
    fields.faults.extend(
        f"a lead has no {name}"
        for name in ("access", "ecosystem", "subscription")
        if not is_empty(record.get(name))
    )
    return {}


def _customer(fields: Fields, record: Mapping[str, Any]) -> dict[str, Any]:
    access = fields.word("access", record.get("access"), _ACCESS, "active or suspended")
    return {
        "access": access or str(Access.ACTIVE),
        "ecosystem": _ecosystem(fields, record.get("ecosystem")),
        "subscription": _subscription(fields, record.get("subscription")),
    }


def _ecosystem(fields: Fields, value: Any) -> Ecosystem | None:
    inner = fields.members("ecosystem", value, _ECOSYSTEM)
    if all(is_empty(inner.get(name)) for name in _ECOSYSTEM):
        return None
    fields.require("ecosystem_id", inner.get("id"))
    identifier = fields.word("ecosystem_id", inner.get("id"), VALID_ID, _ID_RULE)
    name = fields.text("ecosystem_name", inner.get("name"))
    deployed_at = fields.instant("ecosystem_deployed_at", inner.get("deployed_at"))
    return Ecosystem(identifier, name or identifier, deployed_at or None)


def _subscription(fields: Fields, value: Any) -> Subscription | None:
    inner = fields.members("subscription", value, _SUBSCRIPTION)
    period = inner.get("billing_period")
    starts_on = fields.day("starts_on", inner.get("starts_on"))
    ends_on = fields.day("ends_on", inner.get("ends_on"))
    if starts_on and ends_on and ends_on < starts_on:
        fields.faults.append("ends_on is before starts_on")
    subscription = Subscription(
        plan=fields.text("plan", inner.get("plan")) or None,
        billing_period=fields.word("billing_period", period, _BILLING_PERIOD, "monthly or annual")
        or None,
        status=fields.word("status", inner.get("status"), _STATE, _STATE_RULE) or None,
        starts_on=starts_on or None,
        ends_on=ends_on or None,
        encounters=_encounters(fields, inner.get("encounters")),
        licences=_licences(fields, inner.get("licences")),
    )
    return None if subscription == NO_SUBSCRIPTION else subscription


def _encounters(fields: Fields, value: Any) -> Encounters | None:
    inner = fields.members("encounters", value, ("included", "used"))
    included = fields.whole("encounters_included", inner.get("included"))
    used = fields.whole("encounters_used", inner.get("used"))
    return None if included is None and used is None else Encounters(included, used)


def _licences(fields: Fields, value: Any) -> tuple[Licences, ...]:
    licences = [_licence(fields, one) for one in fields.listed("licences", value)]
    states = {licence.status for licence in licences}
    if len(states) < len(licences):
        fields.faults.append("licences name a state twice")
    return tuple(licences)


def _licence(fields: Fields, value: Any) -> Licences:
    inner = fields.members("licences", value, ("status", "count"))
    rule = f"{_STATE_RULE}, in each of its states"
    for name in ("status", "count"):
        fields.require(f"licences: a {name}", inner.get(name))
    status = fields.word("licences", inner.get("status"), _STATE, rule)
    return Licences(status, fields.whole("licences: a count", inner.get("count")) or 0)
