"""Standings: what the switch last decided about a customer, whatever the shop writes later.

A standing is an item of the table of ecosystems, under `customer#<id>`: no ecosystem has such an
id, no gateway can ask for it, and the shop cannot write it. Each ecosystem of a suspended customer
is suspended from its first record on, and a customer who takes over a suspended ecosystem is
suspended with it. Only the switch lifts that. See docs/decisions/0026.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.dynamodb import ConditionFailedError
from chalicelib.settings import settings
from chalicelib.users.item import access_change_attribute, access_change_of
from chalicelib.users.model import Access, AccessChange
from chalicelib.users.tables import store


@dataclass(frozen=True, slots=True)
class Standing:
    """The access of a customer as the switch left it; `epoch` grows with each change."""

    access: Access
    change: AccessChange | None
    epoch: int
    not_before: str | None


def find(customer_id: str) -> Standing | None:
    """Return the customer's standing as of now; None where the switch was never used on them."""
    answer = store().get_item(settings().ecosystems_table, _key(customer_id), consistent_read=True)
    item = answer.get("Item")
    if item is None:
        return None
    return Standing(
        access=Access(item["access"]["S"]),
        change=access_change_of(item),
        epoch=int(item["epoch"]["N"]),
        not_before=item.get("not_before", {}).get("S"),
    )


def put_kwargs(
    customer_id: str,
    access: Access,
    change: AccessChange | None,
    at: str,
    condition: Condition | None = None,
) -> dict[str, Any]:
    """The update that makes the standing, for a transaction. `at` is its instant, RFC 3339."""
    kept = Path("access_change")
    actions: list[Action] = [
        Path("access").set(str(access)),
        kept.set(access_change_attribute(change)) if change else kept.remove(),
        *epoch_actions(access, at),
    ]
    return store().get_operation_kwargs(
        settings().ecosystems_table, _key(customer_id), actions=actions, condition=condition
    )


def check_kwargs(customer_id: str, seen: Standing | None) -> dict[str, Any]:
    """The check that the standing is as seen, for a transaction."""
    return store().get_operation_kwargs(
        settings().ecosystems_table, _key(customer_id), condition=is_as(seen)
    )


def forget(customer_id: str) -> None:
    """Remove what the standing says of people: of a suspension, who made it and why.

    The suspension stays, under the id alone: it would be lifted by erasing.
    """
    table, key = settings().ecosystems_table, _key(customer_id)
    access = Path("access")
    with suppress(ConditionFailedError):
        store().delete_item(table, key, condition=access == str(Access.ACTIVE))
    with suppress(ConditionFailedError):
        actions = [Path("access_change").remove()]
        store().update_item(table, key, actions=actions, condition=access == str(Access.SUSPENDED))


def epoch_actions(access: Access, at: str) -> list[Action]:
    """What each change of an answer adds to a record: a greater epoch, and since when.

    An epoch begins with the milliseconds of its first change, so that it also grows when a record
    was deleted and is made again, be it within the same second. No session or token from before
    `not_before` may be let in.
    """
    begun = int(clock.now().timestamp() * 1000)
    epoch = Path("epoch")
    grown = epoch.set((epoch | begun) + 1)
    return [grown, Path("not_before").set(at)] if access is Access.SUSPENDED else [grown]


def is_as(seen: Standing | None) -> Condition:
    """The condition that the standing is as seen."""
    condition: Condition = (
        Path("id").does_not_exist() if seen is None else Path("epoch") == seen.epoch
    )
    return condition


def _key(customer_id: str) -> str:
    return f"customer#{customer_id}"
