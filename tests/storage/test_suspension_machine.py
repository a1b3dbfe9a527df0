"""No interleaving of writes, switches and stream deliveries turns a suspended ecosystem active.

A state machine plays the shop (every write that docs/data.md allows), the staff, and a stream that
is late, repeats itself and changes the order. After each step all gateways ask, and an oracle in
plain Python says which answers may have changed: `suspended` ends by the switch alone, a suspended
customer's new ecosystem starts suspended, the epoch grows with each change, and `not_before` never
falls. When everything is delivered, row, gateways and oracle agree.

`SUSPENSION_STEPS` sets how many steps are made.
"""

import contextlib
import copy
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from chalicelib import clock
from chalicelib.errors import (
    NoEcosystemError,
    NotFoundError,
    StoreUnavailableError,
    VersionConflictError,
)
from chalicelib.users import access, listing, projection
from chalicelib.users.access import EcosystemAccess, Wish
from chalicelib.users.item import from_item, to_item
from chalicelib.users.model import Access, Ecosystem, Kind, StoreUser
from tests.builders import RawItem, author, client, customer, save_item, stored
from tests.feed import Feed

STEPS = int(os.environ.get("SUSPENSION_STEPS", "10000"))
RULES_A_STORY = 50
"""A rule makes a step or more."""

STEPS_A_RUN = 1_000
"""Hypothesis remembers the stories of a run: one run of 100,000 steps takes 12 GB."""

FIRST_MS = 1_772_703_000_000
"""2026-03-05T09:30:00Z, in milliseconds."""

CUSTOMERS = ("cus_1", "cus_2")
ECOSYSTEMS = ("eco_1", "eco_2", "eco_3")
NO_ECOSYSTEM = "customer#cus_2"
"""The key of a suspension, which the shop can take for an id all the same."""

OMITTED = ("version", "access", "access_change", "sort_name", "sort_company", "segment")

REFUSALS = (NotFoundError, NoEcosystemError, VersionConflictError, StoreUnavailableError)

Action = tuple[Any, ...]
Answers = dict[str, EcosystemAccess | None]


def either(*strategies: st.SearchStrategy[Action]) -> st.SearchStrategy[Action]:
    """Each of them as often as the others; `|` counts the branches of each."""
    return st.sampled_from(strategies).flatmap(lambda one: one)


customer_ids = st.sampled_from([*CUSTOMERS, "cus_1", "cus_1"])
ecosystems = st.sampled_from([*ECOSYSTEMS, *ECOSYSTEMS, NO_ECOSYSTEM]).map(
    lambda one: Ecosystem(one, one, None)
)
omitted = st.sets(st.sampled_from(OMITTED), max_size=3)
accesses = st.sampled_from(Access)
shop_writes: st.SearchStrategy[Action] = st.one_of(
    st.tuples(
        st.just("put"),
        st.builds(
            customer,
            user_id=customer_ids,
            kind=st.sampled_from([Kind.CUSTOMER, Kind.CUSTOMER, Kind.CUSTOMER, Kind.LEAD]),
            ecosystem=ecosystems | ecosystems | st.none(),
            access=st.sampled_from([None, "active", "suspended"]),
            subscription=st.none(),
            version=st.integers(1, 9),
        ),
        omitted,
    ),
    st.tuples(st.just("put a copy"), st.integers(0, 99), omitted),
    st.tuples(st.just("deploy"), customer_ids, ecosystems),
    st.tuples(st.just("undeploy"), customer_ids),
    st.tuples(st.just("turn"), customer_ids, st.sampled_from(Kind)),
    st.tuples(st.just("activate"), customer_ids),
    st.tuples(st.just("delete"), customer_ids),
)
switches: st.SearchStrategy[Action] = st.tuples(st.just("switch"), customer_ids, accesses)
deliveries: st.SearchStrategy[Action] = st.one_of(
    st.tuples(st.just("deliver"), st.just(0)),
    st.tuples(st.just("deliver"), st.integers(0, 9)),
    st.tuples(st.just("deliver again"), st.integers(0, 99)),
)


@dataclass(slots=True)
class Oracle:
    """Which answers gateways may get.

    `suspended` are customers; `answers` are by ecosystem; `lifted` and `shut` are the ecosystems
    that the switch was used on in the present step; `heard` are the last epoch and
    `not_before` of each.
    """

    suspended: set[str] = field(default_factory=set)
    answers: Answers = field(default_factory=lambda: dict.fromkeys(ECOSYSTEMS))
    lifted: set[str | None] = field(default_factory=set)
    shut: set[str | None] = field(default_factory=set)
    heard: dict[str, tuple[int, str]] = field(default_factory=dict)

    def switched(self, customer_id: str, ecosystem_id: str | None, to: Access) -> None:
        """The switch answered 200."""
        if to is Access.SUSPENDED:
            self.suspended.add(customer_id)
            self.lifted.discard(ecosystem_id)
            self.shut.add(ecosystem_id)
        else:
            self.suspended.discard(customer_id)
            self.shut.discard(ecosystem_id)
            self.lifted.add(ecosystem_id)

    def check(self, answers: Answers, owners: dict[str, str]) -> None:
        """Compare what gateways hear with what they may hear; begin the next step."""
        for one, answer in answers.items():
            before, now = _access(self.answers[one]), _access(answer)
            if before == "suspended" and one not in self.lifted:
                assert now == "suspended", f"{one} was suspended and is {now}"
            if before is None and now == "active":
                assert owners[one] not in self.suspended, f"{one} of a suspended customer is active"
            assert now != "suspended" or one not in self.lifted, f"{one} was lifted in vain"
            assert now != "active" or one not in self.shut, f"{one} was suspended in vain"
            if answer:
                self._check_epoch(answer, has_changed=now != before)
        self.answers = answers
        self.lifted.clear()
        self.shut.clear()

    def _check_epoch(self, answer: EcosystemAccess, *, has_changed: bool) -> None:
        epoch, not_before = self.heard.get(answer.ecosystem_id, (0, ""))
        self.heard[answer.ecosystem_id] = answer.epoch, answer.not_before or ""
        assert answer.epoch > epoch if has_changed else answer.epoch >= epoch
        assert (answer.not_before or "") >= not_before
        assert answer.not_before or answer.access == "active"


class Story(RuleBasedStateMachine):
    """The shop, the staff and the stream, in any order and in between each other."""

    steps = 0
    clock = count(FIRST_MS)

    @classmethod
    def now(cls) -> datetime:
        """The time: a millisecond later whenever it is asked for."""
        return datetime.fromtimestamp(next(cls.clock) / 1000, tz=UTC)

    def __init__(self) -> None:
        super().__init__()
        for table in ("users", "ecosystems", "audit"):
            _moto_table(table).items.clear()
        Story.clock = count(FIRST_MS)
        self.feed = Feed()
        self.delivered: set[int] = set()
        self.letters: list[int] = []
        self.oracle = Oracle()

    @initialize(are_known=st.booleans())
    def begin(self, *, are_known: bool) -> None:
        """Two customers, each with an ecosystem; the stream has told of it, or has yet to."""
        for user_id, ecosystem_id in zip(CUSTOMERS, ECOSYSTEMS, strict=False):
            save_item(to_item(_customer(user_id, Ecosystem(ecosystem_id, "one", None))))
        if are_known:
            self.do(("drain",))

    @rule(actions=st.lists(either(shop_writes, switches), min_size=1, max_size=4))
    def people_are_faster(self, actions: list[Action]) -> None:
        """Shop and staff do several things before the stream delivers anything."""
        for action in actions:
            self.do(action)

    @rule(action=deliveries)
    def stream_delivers(self, action: Action) -> None:
        """A record of the stream arrives: in order, too early, or once more."""
        self.do(action)

    @rule(
        outer=either(deliveries, switches),
        inner=either(shop_writes, switches, deliveries),
        request=st.integers(1, 6),
    )
    def in_between(self, outer: Action, inner: Action, request: int) -> None:
        """`inner` happens just before the request of that number that `outer` makes."""
        requests = iter(range(1, 1_000))

        def disturb(**_: object) -> None:
            if next(requests) == request:
                self.do(inner)

        with _called_before_each_request(disturb):
            self.do(outer)

    @rule()
    def all_is_delivered(self) -> None:
        """The stream has caught up, and `make replay` has run: rows show what gateways hear."""
        self.do(("drain",))
        self.do(("replay",))
        self.do(("drain",))
        for user_id in CUSTOMERS:
            item = stored(user_id)
            user = from_item(item) if item else None
            if user is None or user.ecosystem is None:
                continue
            assert user.access == "suspended" or user_id not in self.oracle.suspended
            if not user.ecosystem.has_valid_id:
                continue
            answer = _access(_ask(user.ecosystem.id))
            owner = _owners()[user.ecosystem.id]
            if owner != user_id:  # Two customers claim it, and the other one has it.
                assert from_item(stored(owner) or {}).has_ecosystem(user.ecosystem.id)
                continue
            assert user.access == answer
            if answer == "suspended":
                self.oracle.suspended.add(user_id)

    def do(self, action: Action) -> None:
        """Do it; then all gateways ask."""
        name, *arguments = action
        act: Callable[..., None] = getattr(self, f"_{name.replace(' ', '_')}")
        act(*arguments)
        Story.steps += 1
        self.oracle.check({one: _ask(one) for one in ECOSYSTEMS}, _owners())

    def _put(self, copy: StoreUser, left_out: set[str]) -> None:
        save_item({name: value for name, value in to_item(copy).items() if name not in left_out})

    def _put_a_copy(self, number: int, left_out: set[str]) -> None:
        """The shop writes back a whole item that it read at any time before."""
        changes = [one["dynamodb"] for one in self.feed.records()]
        images = [one["NewImage"] for one in changes if "NewImage" in one]
        if images:
            image = images[-1 - number % len(images)]
            save_item({name: value for name, value in image.items() if name not in left_out})

    def _deploy(self, user_id: str, ecosystem: Ecosystem) -> None:
        inner = {"id": {"S": ecosystem.id}, "name": {"S": ecosystem.name}}
        _update(user_id, "SET ecosystem = :new", {":new": {"M": inner}})

    def _undeploy(self, user_id: str) -> None:
        _update(user_id, "REMOVE ecosystem")

    def _turn(self, user_id: str, kind: Kind) -> None:
        _update(user_id, "SET kind = :kind", {":kind": {"S": kind.value}})

    def _activate(self, user_id: str) -> None:
        _update(user_id, "SET #access = :active", {":active": {"S": "active"}}, access="access")

    def _delete(self, user_id: str) -> None:
        client().delete_item(TableName="users", Key={"id": {"S": user_id}})

    def _switch(self, user_id: str, to: Access) -> None:
        with contextlib.suppress(*REFUSALS):
            seen = listing.find(Kind.CUSTOMER, user_id)
            ana = author("ana")
            wish = Wish(access=to, reason="why", version=seen.version, by=ana, request_id="r")
            after = access.change(user_id, wish)
            self.oracle.switched(user_id, after.ecosystem.id if after.ecosystem else None, to)

    def _deliver(self, ahead: int) -> None:
        pending = [n for n in range(len(self.feed.records())) if n not in self.delivered]
        if pending:
            self._apply(pending[ahead % len(pending)])

    def _deliver_again(self, number: int) -> None:
        if self.feed.records():
            self._apply(number % len(self.feed.records()))

    def _drain(self) -> None:
        for _ in range(200):
            if len(self.delivered) == len(self.feed.records()):
                return
            self._deliver(0)
        message = "the projection keeps itself busy"
        raise AssertionError(message)

    def _replay(self) -> None:
        letters, self.letters = self.letters, []
        for number in letters:
            self._apply(number)

    def _apply(self, number: int) -> None:
        try:
            projection.apply(self.feed.records()[number])
        except StoreUnavailableError:
            self.delivered.discard(number)  # Something was written in between: it comes again.
            return
        except ValueError:
            self.letters.append(number)  # Two customers claim one ecosystem, or its id is none.
        self.delivered.add(number)


def _customer(user_id: str, ecosystem: Ecosystem) -> StoreUser:
    return customer(user_id, ecosystem=ecosystem, subscription=None)


def _ask(ecosystem_id: str) -> EcosystemAccess | None:
    try:
        return access.of_ecosystem(ecosystem_id)
    except NotFoundError:
        return None


def _access(answer: EcosystemAccess | None) -> str | None:
    return answer.access if answer else None


def _update(user_id: str, what: str, values: RawItem | None = None, **names: str) -> None:
    request: dict[str, Any] = {"UpdateExpression": what}
    if values:
        request["ExpressionAttributeValues"] = values
    if names:
        request["ExpressionAttributeNames"] = {f"#{name}": one for name, one in names.items()}
    with contextlib.suppress(client().exceptions.ConditionalCheckFailedException):
        client().update_item(
            TableName="users",
            Key={"id": {"S": user_id}},
            ConditionExpression="attribute_exists(id)",
            **request,
        )


def _owners() -> dict[str, str]:
    """The customer of each record."""
    records = [one.to_json()["Attributes"] for one in _moto_table("ecosystems").items.values()]
    return {one["id"]["S"]: one["customer_id"]["S"] for one in records if "customer_id" in one}


@contextmanager
def _called_before_each_request(handler: Callable[..., Any]) -> Iterator[None]:
    """Call the handler first; what it returns takes the place of the answer."""
    events = client().meta.events
    events.register_first("before-call.dynamodb", handler)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", handler)


def _read_quickly(model: Any, params: Any, **_: object) -> Any:
    """Answer GetItem from moto's tables: through botocore and moto it takes four times as long."""
    if model.name != "GetItem":
        return None
    asked = json.loads(params["body"])
    table = _moto_table(asked["TableName"])
    item = table.get_item(DynamoType(asked["Key"]["id"]))
    found = {"Item": copy.deepcopy(item.to_json()["Attributes"])} if item else {}
    return SimpleNamespace(status_code=200), found


def _moto_table(name: str) -> Any:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables[name]


@pytest.mark.usefixtures("cloud")
def test_no_interleaving_turns_suspended_into_active(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", Story.now)
    Story.steps = 0
    with _called_before_each_request(_read_quickly):
        while Story.steps < STEPS:  # Hypothesis cuts some stories short.
            run_state_machine_as_test(
                Story, settings=_stories(min(STEPS - Story.steps, STEPS_A_RUN))
            )


def _stories(steps: int) -> settings:
    return settings(
        deadline=None,
        derandomize=False,  # In CI, Hypothesis would tell the same stories in each run.
        max_examples=steps // RULES_A_STORY + 1,
        stateful_step_count=RULES_A_STORY,
        suppress_health_check=[HealthCheck.too_slow],
    )
