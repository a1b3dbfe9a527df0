"""Whatever the shop writes, and however late the stream is: the switch keeps what it answered."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import NoEcosystemError, NotFoundError, StoreUnavailableError
from chalicelib.users import access, listing
from chalicelib.users.access import Wish
from chalicelib.users.item import sort_keys, to_item
from chalicelib.users.model import Access, Ecosystem, Kind, StoreUser
from tests.builders import (
    SUBSCRIPTION,
    author,
    client,
    customer,
    hooked,
    save_item,
    stored,
    stored_ecosystem,
)
from tests.feed import Feed

ID = "cus_0042"
ECOSYSTEMS = ("eco_1", "eco_2")

ecosystems = st.none() | st.builds(
    Ecosystem, st.sampled_from(ECOSYSTEMS), st.sampled_from(["sol", "luna"]), st.none()
)
copies = st.builds(
    customer,
    user_id=st.just(ID),
    ecosystem=ecosystems,
    access=st.sampled_from([None, "active", "suspended"]),
    company_name=st.sampled_from(["", "Sol", "Luna"]),
    subscription=st.sampled_from([None, replace(SUBSCRIPTION, licences=(), encounters=None)]),
    version=st.integers(1, 9),
)
left_out = st.sets(st.sampled_from(["version", "sort_name", "sort_company", "sort_ends_on"]))
writes: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.tuples(st.just("write"), copies, left_out),
    st.tuples(st.just("write an older copy"), st.integers(1, 3), left_out),
    st.tuples(st.just("switch"), st.sampled_from(Access)),
    st.tuples(st.just("delete")),
)
steps = st.one_of(
    writes,
    st.tuples(st.just("project"), st.integers(1, 4)),
    st.tuples(st.just("replay"), st.integers(1, 6)),
    st.tuples(st.just("project with a write between"), writes, st.integers(1, 6)),
)


class Story:
    """The shop, the switch and the stream, and what the switch has promised the gateways."""

    def __init__(self) -> None:
        client().delete_item(TableName="users", Key={"id": {"S": ID}})
        for key in (*ECOSYSTEMS, f"customer#{ID}"):
            client().delete_item(TableName="ecosystems", Key={"id": {"S": key}})
        self.feed = Feed()
        self.promised: tuple[str, str] | None = None

    def do(self, step: tuple[Any, ...]) -> None:
        name, *arguments = step
        getattr(self, name.replace(" ", "_"))(*arguments)
        if self.promised:
            ecosystem_id, to = self.promised
            assert access.of_ecosystem(ecosystem_id).access == to

    def write(self, copy: StoreUser, left_out: set[str]) -> None:
        item = {name: value for name, value in to_item(copy).items() if name not in left_out}
        save_item(item)
        self._left(copy.ecosystem.id if copy.ecosystem else None)

    def write_an_older_copy(self, back: int, left_out: set[str]) -> None:
        images = [one["dynamodb"].get("OldImage") for one in self.feed.records()]
        if images and (image := images[-min(back, len(images))]):
            save_item({name: value for name, value in image.items() if name not in left_out})
            self._left(image.get("ecosystem", {}).get("M", {}).get("id", {}).get("S"))

    def delete(self) -> None:
        client().delete_item(TableName="users", Key={"id": {"S": ID}})
        self._left(None)

    def switch(self, to: Access) -> None:
        with contextlib.suppress(NotFoundError, NoEcosystemError):
            seen = listing.find(Kind.CUSTOMER, ID)
            wish = Wish(
                access=to, reason="why", version=seen.version, by=author("ana"), request_id="r"
            )
            after = access.change(ID, wish)
            assert after.access in (to, None)
            if after.ecosystem and stored_ecosystem(after.ecosystem.id):
                self.promised = (after.ecosystem.id, to)

    def project(self, count: int) -> None:
        for _ in range(count):
            self._step()

    def _step(self) -> None:
        """Apply the next record; one that met a change at that moment comes again."""
        with contextlib.suppress(StoreUnavailableError):
            self.feed.step()

    def replay(self, count: int) -> None:
        self.feed.position = max(0, self.feed.position - count)

    def project_with_a_write_between(self, step: tuple[Any, ...], number: int) -> None:
        """The write happens just before the request of that number, of those of one record."""
        requests = iter(range(1, 1_000))

        def write(_: object) -> None:
            if next(requests) == number:
                self.do(step)

        with hooked("*", write):
            self._step()

    def _left(self, ecosystem_id: str | None) -> None:
        """An ecosystem that its customer has left is promised nothing any more."""
        if self.promised and self.promised[0] != ecosystem_id:
            self.promised = None


def _assert_all_is_derived() -> None:
    item = stored(ID)
    if item is None:
        assert all(_is_released(one) for one in ECOSYSTEMS)
        return
    user = listing.find(Kind.CUSTOMER, ID)
    assert user.version >= 1
    assert {name: item[name]["S"] for name in sort_keys(user)} == sort_keys(user)
    assert user.access in {"active", "suspended"}
    for ecosystem_id in ECOSYSTEMS:
        record = stored_ecosystem(ecosystem_id)
        if user.ecosystem is None or user.ecosystem.id != ecosystem_id:
            assert _is_released(ecosystem_id)
        else:
            assert record
            assert (record["name"], record["access"]) == (user.ecosystem.name, user.access)


def _is_released(ecosystem_id: str) -> bool:
    """Return True if no customer has the ecosystem: without a record, or with a tombstone."""
    record = stored_ecosystem(ecosystem_id)
    return record is None or record["customer_id"] == ""


@pytest.mark.usefixtures("cloud")
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(steps, min_size=1, max_size=10))
def test_the_switch_holds_and_everything_derived_converges(told: list[tuple[Any, ...]]) -> None:
    story = Story()
    for step in told:
        story.do(step)
    for _ in range(100):
        story.do(("project", 1))
    assert story.feed.position == len(story.feed.records()), "the projection keeps itself busy"
    _assert_all_is_derived()
    before = (stored(ID), *(stored_ecosystem(one) for one in ECOSYSTEMS))
    story.do(("replay", 100))
    for _ in range(100):
        story.do(("project", 1))
    assert (stored(ID), *(stored_ecosystem(one) for one in ECOSYSTEMS)) == before
