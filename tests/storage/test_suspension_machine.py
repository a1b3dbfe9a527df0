"""No interleaving of the shop, the staff and the stream turns a suspension into access.

A state machine: two customers and three ecosystems, every write that docs/data.md allows the shop,
the switch, and a stream that is late, repeats itself and goes back. After each step every gateway
is asked. `SUSPENSION_STEPS` sets how many steps are made.
"""

import contextlib
import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chalicelib.errors import (
    NoEcosystemError,
    NotFoundError,
    StoreUnavailableError,
    VersionConflictError,
)
from chalicelib.users import access, listing
from chalicelib.users.access import Wish
from chalicelib.users.item import to_item
from chalicelib.users.model import Access, Ecosystem, Kind
from tests.builders import author, client, customer, save_item, stored
from tests.feed import Feed
from tests.following import empty

CUSTOMERS = ("cus_1", "cus_2")
ECOSYSTEMS = ("eco_1", "eco_2", "eco_3")
STEPS_AN_EXAMPLE = 50
STEPS = int(os.environ.get("SUSPENSION_STEPS", "10000"))

customers = st.sampled_from(CUSTOMERS)
ecosystems = st.none() | st.sampled_from(ECOSYSTEMS)
accesses = st.sampled_from([None, "active", "suspended"])


class Suspensions(RuleBasedStateMachine):
    """`closed` are the ecosystems and customers that a suspension holds: the oracle."""

    def __init__(self) -> None:
        super().__init__()
        empty("users", "ecosystems", "audit")
        self.feed = Feed()
        self.closed: set[str] = set()
        self.copies: list[dict[str, Any]] = []

    # The shop.

    @rule(user_id=customers, ecosystem=ecosystems, access=accesses, kind=st.sampled_from(Kind))
    def put(self, user_id: str, ecosystem: str | None, access: str | None, kind: Kind) -> None:
        """Insert a store user, or overwrite the whole item, derived attributes and all."""
        deployed = Ecosystem(ecosystem, "sol", None) if ecosystem else None
        user = replace(customer(user_id, ecosystem=deployed, access=access, version=0), kind=kind)
        item = to_item(user)
        self.copies.append(item)
        save_item(item)

    @rule(back=st.integers(1, 6))
    def put_a_stale_copy(self, back: int) -> None:
        if self.copies:
            save_item(self.copies[-min(back, len(self.copies))])

    @rule(user_id=customers)
    def copy(self, user_id: str) -> None:
        """Read an item, to write it back later."""
        if item := stored(user_id):
            self.copies.append(item)

    @rule(user_id=customers, ecosystem=ecosystems)
    def update_the_ecosystem(self, user_id: str, ecosystem: str | None) -> None:
        if stored(user_id):
            deployed: Any = {"Value": {"M": {"id": {"S": ecosystem}}}} if ecosystem else {}
            action: Any = {"Action": "PUT" if ecosystem else "DELETE", **deployed}
            key = {"id": {"S": user_id}}
            client().update_item(TableName="users", Key=key, AttributeUpdates={"ecosystem": action})

    @rule(user_id=customers)
    def delete(self, user_id: str) -> None:
        client().delete_item(TableName="users", Key={"id": {"S": user_id}})

    # The staff.

    @rule(user_id=customers, to=st.sampled_from(Access))
    def switch(self, user_id: str, to: Access) -> None:
        with contextlib.suppress(
            NotFoundError, NoEcosystemError, VersionConflictError, StoreUnavailableError
        ):
            seen = listing.find(Kind.CUSTOMER, user_id)
            by = author("ana")
            wish = Wish(access=to, reason="why", version=seen.version, by=by, request_id="r")
            after = access.change(user_id, wish)
            held = {user_id} | ({after.ecosystem.id} if after.ecosystem else set())
            self.closed = self.closed | held if to is Access.SUSPENDED else self.closed - held

    # The stream.

    @rule(count=st.integers(1, 8))
    def follow(self, count: int) -> None:
        for _ in range(count):
            with contextlib.suppress(StoreUnavailableError, ValueError):
                self.feed.step()

    @rule(count=st.integers(1, 12))
    def go_back(self, count: int) -> None:
        """The stream delivers older records again, after newer ones."""
        self.feed.position = max(0, self.feed.position - count)

    # What must never be.

    @invariant()
    def no_gateway_lets_in_what_is_closed(self) -> None:
        for ecosystem_id in ECOSYSTEMS:
            with contextlib.suppress(NotFoundError):
                answer = access.of_ecosystem(ecosystem_id)
                if ecosystem_id in self.closed or self._owner(ecosystem_id) in self.closed:
                    assert answer.access == Access.SUSPENDED, ecosystem_id

    def _owner(self, ecosystem_id: str) -> str:
        record = stored(ecosystem_id, "ecosystems") or {}
        owner: str = record.get("customer_id", {}).get("S", "")
        return owner


@pytest.mark.usefixtures("cloud")
def test_no_interleaving_turns_suspended_into_active() -> None:
    run_state_machine_as_test(
        Suspensions,
        settings=settings(
            max_examples=STEPS // STEPS_AN_EXAMPLE,
            stateful_step_count=STEPS_AN_EXAMPLE,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
