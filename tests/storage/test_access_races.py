"""The switch while others use it, while answers get lost, and while DynamoDB refuses."""

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from chalicelib.errors import StoreUnavailableError, VersionConflictError
from chalicelib.users import access, audit, listing
from chalicelib.users.access import Wish
from chalicelib.users.filters import Filters
from chalicelib.users.item import to_item
from chalicelib.users.model import Access, Ecosystem, Kind, StoreUser
from tests.builders import (
    customer,
    hooked,
    lost_answers,
    operations,
    refusals,
    save,
    save_ecosystem,
    sent_requests,
    stored,
    stored_ecosystem,
)

ANA = Wish(access=Access.SUSPENDED, reason="Privacy 4711", version=7, by="ana", request_id="req-a")
BOB = replace(ANA, by="bob", reason="Policy", request_id="req-b")


@pytest.fixture
def waits(cloud: None, monkeypatch: pytest.MonkeyPatch) -> list[float]:  # noqa: ARG001 - the tables
    """A customer with an ecosystem; and how long the SDK wants to wait between attempts."""
    save(customer())
    save_ecosystem()
    noted: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=noted.append))
    return noted


pytestmark = pytest.mark.usefixtures("waits")


def _now() -> StoreUser:
    return listing.find(Kind.CUSTOMER, "cus_0042")


def _by() -> list[str]:
    """Who used the switch, newest first."""
    items = access.history("cus_0042", None, 100).items
    return [audit.from_item(item).by for item in items]


def _assert_changed_once(by: str) -> None:
    assert (_now().access, _now().version) == ("suspended", 8)
    assert access.of_ecosystem("eco_17").version == 8
    assert _by() == [by]


def _assert_untouched() -> None:
    assert _now() == customer()
    assert (stored_ecosystem() or {})["access"] == "active"
    assert _by() == []


@pytest.mark.parametrize("hers", [ANA, replace(ANA, access=Access.ACTIVE)], ids=["same", "other"])
def test_of_two_people_at_once_one_wins_and_the_other_gets_the_conflict(hers: Wish) -> None:
    """Bob's whole change happens between Ana's read and her write."""
    if hers.access == Access.ACTIVE:
        save(customer(access="suspended"))
    his = replace(BOB, access=hers.access)
    turn = iter([his])

    def let_bob_go_first(_: object) -> None:
        for wish in turn:
            access.change("cus_0042", wish)

    with (
        hooked("TransactWriteItems", let_bob_go_first),
        pytest.raises(VersionConflictError) as lost,
    ):
        access.change("cus_0042", hers)
    assert lost.value.current == _now()
    assert (_now().version, _now().access) == (8, hers.access)
    assert _by() == ["bob"]


def test_of_two_real_threads_one_wins_and_the_other_gets_the_conflict() -> None:
    both_have_read = threading.Barrier(2, timeout=10)
    moto_takes_one_at_a_time = threading.Lock()
    outcomes: list[str] = []

    def wait(_: object) -> None:
        both_have_read.wait()
        moto_takes_one_at_a_time.acquire()

    def release(_: object) -> None:
        moto_takes_one_at_a_time.release()

    def change(wish: Wish) -> None:
        try:
            outcomes.append(f"{access.change('cus_0042', wish).version} {wish.by}")
        except VersionConflictError as error:
            outcomes.append(f"conflict at {error.current.version}")

    threads = [threading.Thread(target=change, args=[wish]) for wish in (ANA, BOB)]
    with (
        hooked("TransactWriteItems", wait),
        hooked("TransactWriteItems", release, last=True),
    ):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
    winner = _by()[0]
    assert sorted(outcomes) == [f"8 {winner}", "conflict at 8"]
    _assert_changed_once(winner)


def test_an_ecosystem_exchanged_between_read_and_write_is_a_conflict() -> None:
    """The shop writes without raising the version: the ecosystem that was seen stays as it is."""
    new = customer(ecosystem=Ecosystem("eco_18", "new", None))

    def redeploy(_: object) -> None:
        save(new)

    with hooked("TransactWriteItems", redeploy), pytest.raises(VersionConflictError) as caught:
        access.change("cus_0042", ANA)
    assert caught.value.current == new
    assert (stored_ecosystem() or {})["access"] == "active"
    assert stored_ecosystem("eco_18") is None
    assert _by() == []


def test_a_retry_of_the_sdk_after_a_lost_answer_changes_nothing_twice(waits: list[float]) -> None:
    with lost_answers("TransactWriteItems"), sent_requests() as sent:
        after = access.change("cus_0042", ANA)
    tokens = [
        one.body["ClientRequestToken"] for one in sent if one.operation == "TransactWriteItems"
    ]
    assert len(tokens) == 2
    assert tokens[0] == tokens[1]
    assert len(waits) == 1
    assert after == _now()
    _assert_changed_once("ana")


def test_a_retry_of_the_client_after_a_lost_answer_changes_nothing_twice() -> None:
    with lost_answers("TransactWriteItems", times=4), pytest.raises(StoreUnavailableError):
        access.change("cus_0042", ANA)
    _assert_changed_once("ana")
    with sent_requests() as sent:
        assert access.change("cus_0042", ANA) == _now()
    assert set(operations(sent)) == {"GetItem"}
    _assert_changed_once("ana")


def test_a_wish_sent_again_under_another_request_id_is_still_the_same_wish() -> None:
    first = access.change("cus_0042", ANA)
    assert access.change("cus_0042", replace(ANA, request_id="req-again")) == first
    _assert_changed_once("ana")


@pytest.mark.parametrize("changes", [{"by": "bob"}, {"reason": "another"}, {"version": 6}], ids=str)
def test_another_wish_for_the_version_before_is_a_conflict(changes: dict[str, object]) -> None:
    access.change("cus_0042", ANA)
    other = Wish(**{**{name: getattr(ANA, name) for name in ANA.__slots__}, **changes})
    with pytest.raises(VersionConflictError) as caught:
        access.change("cus_0042", other)
    assert caught.value.current == _now()
    _assert_changed_once("ana")


def test_a_retry_that_comes_after_somebody_undid_the_change_does_not_redo_it() -> None:
    access.change("cus_0042", ANA)
    access.change("cus_0042", replace(BOB, access=Access.ACTIVE, version=8))
    with pytest.raises(VersionConflictError):
        access.change("cus_0042", ANA)
    assert access.of_ecosystem("eco_17").access == "active"
    assert _by() == ["bob", "ana"]


def test_a_retry_that_comes_after_the_shop_wrote_is_answered_with_the_row_as_it_is() -> None:
    access.change("cus_0042", ANA)
    save(replace(_now(), company_name="Sol Nueva", version=9))
    after = access.change("cus_0042", ANA)
    assert (after.version, after.company_name, after.access) == (9, "Sol Nueva", "suspended")
    assert _by() == ["ana"]


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_throttled_reads_are_the_stores_fault_after_four_attempts(
    code: str, waits: list[float]
) -> None:
    with refusals("GetItem", code), sent_requests() as sent:
        for ask in (
            lambda: access.change("cus_0042", ANA),
            lambda: access.of_ecosystem("eco_17"),
            lambda: listing.find(Kind.CUSTOMER, "cus_0042"),
        ):
            with pytest.raises(StoreUnavailableError):
                ask()
    assert operations(sent) == ["GetItem"] * 12
    assert len(waits) == 9
    assert max(waits) <= 4
    with refusals("Query", code), pytest.raises(StoreUnavailableError):
        listing.page(Kind.CUSTOMER, Filters(), "name", None, 1)


def test_a_throttle_that_passes_is_not_noticed() -> None:
    with refusals("GetItem", "ThrottlingException", times=2):
        assert access.change("cus_0042", ANA).version == 8
    _assert_changed_once("ana")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ProvisionedThroughputExceededException", None),
        ("TransactionInProgressException", None),
        ("InternalServerError", None),
        ("TransactionCanceledException", "TransactionConflict"),
        ("TransactionCanceledException", "ThrottlingError"),
    ],
)
def test_a_transaction_that_dynamodb_cannot_do_now_can_be_tried_again(
    code: str, reason: str | None
) -> None:
    reasons = [{"Code": "None"}, {"Code": reason, "Message": "busy"}, {"Code": "None"}]
    members: dict[str, Any] = {"CancellationReasons": reasons} if reason else {}
    with refusals("TransactWriteItems", code, **members), pytest.raises(StoreUnavailableError):
        access.change("cus_0042", ANA)
    _assert_untouched()
    access.change("cus_0042", ANA)
    _assert_changed_once("ana")


@pytest.mark.parametrize("error", [ConnectTimeoutError, EndpointConnectionError])
def test_a_store_that_cannot_be_reached_is_unavailable(error: Any) -> None:
    def fail(_: object) -> None:
        raise error(endpoint_url="https://dynamodb.example")

    with hooked("TransactWriteItems", fail), pytest.raises(StoreUnavailableError):
        access.change("cus_0042", ANA)
    assert stored("cus_0042") == to_item(customer())
    _assert_untouched()
