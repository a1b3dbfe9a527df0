"""The ecosystems' records: what the shop's writes make of them, and what they may not undo.

A suspension wins: where the customer's standing or the record of the ecosystem is suspended, both
are, until the switch lifts it. A record without a customer becomes a tombstone if it was ever
suspended, and is deleted otherwise. A suspended tombstone still answers so; an active one is not
found, and keeps `epoch` and `not_before` for those who register the ecosystem again.
"""

from contextlib import suppress
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.dynamodb import ConditionFailedError, TransactionCanceledError
from chalicelib.errors import SenselessChangeError, StoreUnavailableError
from chalicelib.settings import settings
from chalicelib.users import audit, suspensions
from chalicelib.users.filters import has_ecosystem
from chalicelib.users.item import from_item
from chalicelib.users.model import (
    Access,
    AccessChange,
    Author,
    Ecosystem,
    KeptFrom,
    StoreUser,
)
from chalicelib.users.suspensions import Standing
from chalicelib.users.tables import NO_OWNER, EcosystemItem, store

SYSTEM = Author.system("stream")
"""Who keeps a suspension, in the audit."""

_LONGEST_KEY_BYTES = 2048
"""DynamoDB refuses to look for a longer one."""


def record_of(identifier: str) -> EcosystemItem | None:
    """Return the record of the ecosystem as of now, or None."""
    if len(identifier.encode()) > _LONGEST_KEY_BYTES:
        return None
    table = settings().ecosystems_table
    stored = store().get_item(table, identifier, consistent_read=True).get("Item")
    return EcosystemItem.from_raw_data(stored) if stored else None


def release(record: EcosystemItem) -> None:
    """Take the record from its customer, unless the switch was used since it was read."""
    table = settings().ecosystems_table
    unchanged = _is_as(record) & (Path("changed_at") == record.changed_at)
    if record.access == Access.ACTIVE and record.not_before is None:
        with suppress(ConditionFailedError):
            store().delete_item(table, record.id, condition=unchanged)
        return
    actions = [Path(name).set(NO_OWNER) for name in ("customer_id", "name")]
    tombstone = store().get_operation_kwargs(table, record.id, actions=actions, condition=unchanged)
    standing = []
    is_suspended = record.access == Access.SUSPENDED
    if is_suspended and suspensions.find(record.customer_id) is None:  # Of before standings.
        at = clock.instant(clock.now())
        nothing = suspensions.is_as(None)
        standing = [suspensions.put_kwargs(record.customer_id, Access.SUSPENDED, None, at, nothing)]
    _write([tombstone, *standing], [], None)


def keep(
    user: StoreUser, ecosystem: Ecosystem, standing: Standing | None
) -> tuple[str, AccessChange | None]:
    """Bring the record of the customer's ecosystem up to now; what is due in the customer's item.

    That is the access and the last use of the switch. Raises `SenselessChangeError` where the
    ecosystem is another customer's or has no valid id, and `StoreUnavailableError` where another
    process changes it at this moment.
    """
    if not ecosystem.has_valid_id:
        raise SenselessChangeError(user.id, "no gateway can ask for the id of the ecosystem")
    record = _claimed_record(user, ecosystem)
    access = _due(user, standing, record)
    if _is_settled(user, standing, record, access):
        if record is not None and record.name != ecosystem.name:
            _rename(record, ecosystem.name)
        return str(access), standing.change if standing else None
    return str(access), _settle(user, ecosystem, standing, record, access)


def _claimed_record(user: StoreUser, ecosystem: Ecosystem) -> EcosystemItem | None:
    """Return the record that the customer is to have. Raises `SenselessChangeError`."""
    record = record_of(ecosystem.id)
    if record is None or record.customer_id in (user.id, NO_OWNER):
        return record
    owner = store().get_item(settings().users_table, record.customer_id, consistent_read=True)
    if "Item" in owner and from_item(owner["Item"]).has_ecosystem(ecosystem.id):
        raise SenselessChangeError(user.id, "the ecosystem belongs to another customer")
    # The stream has yet to tell that they left it: it orders the changes of one user alone.
    release(record)
    return _claimed_record(user, ecosystem)


def _due(user: StoreUser, standing: Standing | None, record: EcosystemItem | None) -> Access:
    known = [] if standing is None else [standing.access]
    if record is not None and not record.is_gone:
        known.append(Access(record.access))
    if not known:
        return Access(user.access or Access.ACTIVE)
    return Access.SUSPENDED if Access.SUSPENDED in known else Access.ACTIVE


def _is_settled(
    user: StoreUser, standing: Standing | None, record: EcosystemItem | None, access: Access
) -> bool:
    if record is None or record.customer_id != user.id or record.access != access:
        return False
    if access is Access.ACTIVE:
        return True
    return standing is not None and standing.access is access and record.not_before is not None


def _settle(
    user: StoreUser,
    ecosystem: Ecosystem,
    standing: Standing | None,
    record: EcosystemItem | None,
    access: Access,
) -> AccessChange | None:
    """Write record, standing and audit in one transaction; the last use of the switch."""
    at = clock.instant(clock.now())
    change = standing.change if standing else user.access_change
    becomes_suspended = access is Access.SUSPENDED and (
        standing is None or standing.access is Access.ACTIVE
    )
    if becomes_suspended and _is_carried(user, standing, record):
        change = AccessChange(at, SYSTEM.name, None, user.version)
    updates = [_record_update(user, ecosystem, record, access, at)]
    still_theirs = has_ecosystem(ecosystem)
    users = settings().users_table
    checks = [store().get_operation_kwargs(users, user.id, condition=still_theirs)]
    entry = None
    if becomes_suspended:
        seen = suspensions.is_as(standing)
        updates.append(suspensions.put_kwargs(user.id, access, change, at, seen))
    else:
        checks.append(suspensions.check_kwargs(user.id, standing))
    if access is Access.SUSPENDED and _is_carried(user, standing, record):
        source = KeptFrom.ECOSYSTEM if becomes_suspended else KeptFrom.CUSTOMER
        entry = _kept_entry(user, ecosystem, source, change, at)
    _write(updates, checks, entry)
    return change


def _is_carried(user: StoreUser, standing: Standing | None, record: EcosystemItem | None) -> bool:
    """Return True if the suspension comes from elsewhere than this customer's own record."""
    if record is None or record.is_gone:
        return standing is not None
    if record.customer_id != user.id or record.access == Access.ACTIVE:
        return True
    # Suspended before the ecosystem left, which the stream has yet to tell, and lifted since then.
    return standing is not None and standing.access is Access.ACTIVE


def _record_update(
    user: StoreUser,
    ecosystem: Ecosystem,
    record: EcosystemItem | None,
    access: Access,
    at: str,
) -> dict[str, Any]:
    actions: list[Action] = [
        Path("name").set(ecosystem.name),
        Path("customer_id").set(user.id),
    ]
    if record is None or record.is_gone or record.access != access:
        actions += _answer_actions(user, record, access, at)
    elif record.not_before is None:  # Suspended before 1.0, and only now told since when.
        actions += _answer_actions(user, record, access, record.changed_at)
    condition = _is_as(record) if record else Path("id").does_not_exist()
    return store().get_operation_kwargs(
        settings().ecosystems_table, ecosystem.id, actions=actions, condition=condition
    )


def _answer_actions(
    user: StoreUser, record: EcosystemItem | None, access: Access, at: str
) -> list[Action]:
    return [
        Path("access").set(str(access)),
        Path("changed_at").set(at),
        Path("version").set(max(user.version, int(record.version) if record else 1)),
        *suspensions.epoch_actions(access, at),
    ]


def _is_as(record: EcosystemItem) -> Condition:
    """The condition that nobody has switched, taken or released the ecosystem since."""
    condition: Condition = (
        (Path("customer_id") == record.customer_id)
        & (Path("version") == int(record.version))
        & (Path("access") == record.access)
    )
    return condition


def _kept_entry(
    user: StoreUser, ecosystem: Ecosystem, source: KeptFrom, change: AccessChange | None, at: str
) -> audit.Entry:
    facts = {
        "from": str(user.access or Access.ACTIVE),
        "to": str(Access.SUSPENDED),
        "reason": change.reason if change else None,
        "ecosystem_id": ecosystem.id,
        "kept_from": str(source),
        "suspended_by": change.by if change else None,
        "suspended_by_id": change.by_id if change else None,
    }
    return audit.Entry(
        subject=audit.customer(user.id),
        at=at,
        by=SYSTEM,
        action="access.kept",
        facts=facts,
        request_id="",
    )


def _write(
    updates: list[dict[str, Any]], checks: list[dict[str, Any]], entry: audit.Entry | None
) -> None:
    try:
        if entry is not None:
            audit.transact(entry, checks=checks, updates=updates)
            return
        store().transact_write_items(
            condition_check_items=checks, delete_items=[], put_items=[], update_items=updates
        )
    except TransactionCanceledError as error:
        message = "The access to this ecosystem is being changed at this moment"
        raise StoreUnavailableError(message) from error


def _rename(record: EcosystemItem, name: str) -> None:
    unchanged = (Path("customer_id") == record.customer_id) & (Path("name") == record.name)
    actions = [Path("name").set(name)]
    try:
        store().update_item(
            settings().ecosystems_table, record.id, actions=actions, condition=unchanged
        )
    except ConditionFailedError:
        return  # Somebody else was here first, and has a record of the stream of their own.
