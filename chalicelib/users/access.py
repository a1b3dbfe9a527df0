"""The switch: access to a customer's ecosystem, its history, and what the gateways ask."""

from contextlib import suppress
from dataclasses import dataclass, replace

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.dynamodb import TransactionCanceledError
from chalicelib.errors import (
    NoEcosystemError,
    NotFoundError,
    StoreUnavailableError,
    VersionConflictError,
)
from chalicelib.settings import settings
from chalicelib.users import audit, listing, paging, suspensions
from chalicelib.users.filters import has_ecosystem
from chalicelib.users.item import (
    SEGMENT_KEYS,
    VERSION_LIMIT,
    access_change_attribute,
    sort_keys,
)
from chalicelib.users.model import Access, AccessChange, Author, Ecosystem, Kind, StoreUser
from chalicelib.users.tables import NO_OWNER, EcosystemItem, store


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks of the switch: `version` is the customer's version that they saw."""

    access: Access
    reason: str | None
    version: int
    by: Author
    request_id: str


@dataclass(frozen=True, slots=True)
class EcosystemAccess:
    """May the users of this ecosystem come in? Instants are RFC 3339.

    `epoch` grows with each change; 0 is a record of before epochs. No session or token from before
    `not_before` may be let in: the last suspension ended them.
    """

    ecosystem_id: str
    access: str
    changed_at: str
    version: int
    epoch: int
    not_before: str | None


def change(customer_id: str, wish: Wish) -> StoreUser:
    """The customer after the wish: user, ecosystem and audit entry change in one transaction.

    The state it already has changes nothing; neither does a repetition of the wish that made the
    present version, which is what a client sends that lost the answer.
    Raises `NotFoundError`, `NoEcosystemError`, `VersionConflictError`, `StoreUnavailableError`.
    """
    customer = listing.find(Kind.CUSTOMER, customer_id)
    if _made_by(customer, wish) and _is_told(customer, wish.access):
        return customer
    if customer.ecosystem is None and not _can_be_lifted(customer, wish):
        message = "This customer has not deployed an ecosystem yet: there is nothing to switch"
        raise NoEcosystemError(message)
    if customer.version != wish.version:
        raise VersionConflictError(customer)
    before = customer.access or str(Access.ACTIVE)
    if before == wish.access:
        if _is_told(customer, wish.access):
            return customer
        before = str(_other(wish.access))
    return _switch(customer, wish, before)


def history(customer_id: str, token: str | None, limit: int) -> paging.Page:
    """The audit entries of the customer's switch, newest first; also of a deleted customer.

    Raises `NotFoundError`, `StaleCursorError`.
    """
    page = audit.page(audit.customer(customer_id), token, limit)
    if not page.items:
        listing.find(Kind.CUSTOMER, customer_id)
    return page


def of_ecosystem(ecosystem_id: str) -> EcosystemAccess:
    """The access to an ecosystem as of now: one strongly consistent GetItem.

    Raises `NotFoundError`.
    """
    answer = store().get_item(settings().ecosystems_table, ecosystem_id, consistent_read=True)
    record = EcosystemItem.from_raw_data(answer["Item"]) if "Item" in answer else None
    if record is None or record.is_gone:
        message = f"There is no ecosystem {ecosystem_id}"
        raise NotFoundError(message)
    return EcosystemAccess(
        ecosystem_id=record.id,
        access=record.access,
        changed_at=record.changed_at,
        version=int(record.version),
        epoch=int(record.epoch or 0),
        not_before=record.not_before,
    )


def _made_by(customer: StoreUser, wish: Wish) -> bool:
    """Whether the last change of the customer's access is this very wish, come true.

    RFC 9110 §13.1.1 lets a failed If-Match be answered with success in this one case.
    """
    last = customer.access_change
    if last is None or customer.access != wish.access:
        return False
    # Older changes have the name alone.
    is_theirs = last.by_id == wish.by.id if last.by_id else last.by == wish.by.name
    return is_theirs and (last.version, last.reason) == (wish.version + 1, wish.reason)


def _can_be_lifted(customer: StoreUser, wish: Wish) -> bool:
    """Return True if a suspension waits for the next ecosystem of the customer."""
    if wish.access is Access.SUSPENDED:
        return False
    return customer.access == Access.SUSPENDED or not _is_told(customer, Access.ACTIVE)


def _is_told(customer: StoreUser, access: Access) -> bool:
    """Return True if gateways are told so, now and of the customer's next ecosystem.

    The row alone does not say: the shop can have written the access, or written back a copy that it
    read before the last switch. Neither does the record: it can be that of a former owner.
    """
    ecosystem = _answered_ecosystem(customer)
    if ecosystem is not None:
        with suppress(NotFoundError):
            if of_ecosystem(ecosystem.id).access != access:
                return False
    standing = suspensions.find(customer.id)
    return (standing.access if standing else Access.ACTIVE) is access


def _answered_ecosystem(customer: StoreUser) -> Ecosystem | None:
    """Return the ecosystem if gateways can ask for it: else only the next one is switched."""
    ecosystem = customer.ecosystem
    return ecosystem if ecosystem is not None and ecosystem.has_valid_id else None


def _other(access: Access) -> Access:
    return Access.SUSPENDED if access is Access.ACTIVE else Access.ACTIVE


def _switch(customer: StoreUser, wish: Wish, before: str) -> StoreUser:
    at = clock.instant(clock.now())
    made = AccessChange(at, wish.by.name, wish.reason, customer.version + 1, wish.by.id)
    ecosystem = _answered_ecosystem(customer)
    try:
        audit.transact(
            _audit_entry(customer, wish, before, at),
            updates=[
                _user_update(customer, wish, made),
                suspensions.put_kwargs(customer.id, wish.access, made, at),
                *([_ecosystem_update(customer, ecosystem, wish, made)] if ecosystem else []),
            ],
        )
    except TransactionCanceledError as error:
        return _after_refusal(customer, wish, error)
    return replace(customer, access=wish.access, access_change=made, version=made.version)


def _after_refusal(customer: StoreUser, wish: Wish, error: TransactionCanceledError) -> StoreUser:
    current = listing.find(Kind.CUSTOMER, customer.id)
    if _made_by(current, wish) and _is_told(current, wish.access):
        return current
    if current.version != wish.version or current.ecosystem != customer.ecosystem:
        raise VersionConflictError(current) from error
    if "TransactionConflict" in error.codes:
        message = "Somebody is changing this customer at this moment; try again"
        raise StoreUnavailableError(message) from error
    message = "This ecosystem belongs to another customer: ask who runs the shop's data"
    raise NoEcosystemError(message) from error


def _user_update(customer: StoreUser, wish: Wish, made: AccessChange) -> dict[str, object]:
    ecosystem = customer.ecosystem
    unchanged = Path("version") == customer.version if customer.version else _no_version()
    keys = sort_keys(replace(customer, access=wish.access))
    return store().get_operation_kwargs(
        settings().users_table,
        customer.id,
        actions=[
            Path("access").set(str(wish.access)),
            Path("version").set(made.version),
            Path("access_change").set(access_change_attribute(made)),
            # So that the filters know at once; the projection would do it a moment later.
            *(Path(name).set(keys[name]) for name in SEGMENT_KEYS if name in keys),
        ],
        condition=(Path("kind") == str(Kind.CUSTOMER)) & unchanged & has_ecosystem(ecosystem),
    )


def _no_version() -> Condition:
    """No version, or one that is no number in bounds: all that is read as 0."""
    version = Path("version")
    none: Condition = version.does_not_exist() | ~version.is_type("N")
    none |= (version <= 0) | (version >= VERSION_LIMIT)
    return none


def _ecosystem_update(
    customer: StoreUser, ecosystem: Ecosystem, wish: Wish, made: AccessChange
) -> dict[str, object]:
    actions: list[Action] = [
        Path("name").set(ecosystem.name),
        Path("customer_id").set(customer.id),
        Path("access").set(str(wish.access)),
        Path("changed_at").set(made.at),
        Path("version").set(made.version),
        *suspensions.epoch_actions(wish.access, made.at),
    ]
    if wish.access is Access.ACTIVE:  # Records of before 1.0 do not say when they were suspended.
        not_before = Path("not_before")
        actions.append(not_before.set(not_before | made.at))
    owner = Path("customer_id")
    # A tombstone is anyone's: the projection has yet to give it to this customer.
    ours = Path("id").does_not_exist() | (owner == customer.id) | (owner == NO_OWNER)
    return store().get_operation_kwargs(
        settings().ecosystems_table, ecosystem.id, actions=actions, condition=ours
    )


def _audit_entry(customer: StoreUser, wish: Wish, before: str, at: str) -> audit.Entry:
    return audit.Entry(
        subject=audit.customer(customer.id),
        at=at,
        by=wish.by,
        action="access.changed",
        facts={"from": before, "to": str(wish.access), "reason": wish.reason},
        request_id=wish.request_id,
    )
