"""The switch while others use it, and while answers get lost: once, and a conflict for others."""

import threading
from dataclasses import replace

import pytest

from chalicelib.errors import NotFoundError, StoreUnavailableError, VersionConflictError
from chalicelib.users import access, suspensions
from chalicelib.users.access import Wish
from chalicelib.users.item import to_item
from chalicelib.users.model import Access, Ecosystem
from tests.builders import (
    author,
    client,
    customer,
    hooked,
    lost_answers,
    operations,
    save,
    save_item,
    sent_requests,
    stored,
    stored_ecosystem,
)
from tests.switching import ANA, BOB, assert_changed_once, by, now

pytestmark = pytest.mark.usefixtures("switch_waits")


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
    assert lost.value.current == now()
    assert (now().version, now().access) == (8, hers.access)
    assert by() == ["bob"]


def test_a_suspension_of_the_moment_in_which_the_standing_is_forgotten_stays() -> None:
    lift = replace(ANA, access=Access.ACTIVE, version=access.change("cus_0042", ANA).version)
    version = access.change("cus_0042", lift).version
    turn = iter([replace(ANA, version=version)])

    def suspend(_: object) -> None:
        for wish in turn:
            access.change("cus_0042", wish)

    with hooked("DeleteItem", suspend):
        suspensions.forget("cus_0042")
    standing = suspensions.find("cus_0042")
    assert standing is not None
    assert (standing.access, standing.change) == (Access.SUSPENDED, None)


def test_a_wish_that_is_sent_again_while_it_is_being_done_is_done_once_and_both_are_told() -> None:
    """As by a client that has waited too long: the first is between its read and its write."""
    turn = iter([ANA])

    def send_again(_: object) -> None:
        for wish in turn:
            access.change("cus_0042", wish)

    with hooked("TransactWriteItems", send_again):
        assert access.change("cus_0042", ANA) == now()
    assert_changed_once("ana")


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
            outcomes.append(f"{access.change('cus_0042', wish).version} {wish.by.name}")
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
    winner = by()[0]
    assert sorted(outcomes) == [f"8 {winner}", "conflict at 8"]
    assert_changed_once(winner)


def test_of_two_whose_answers_are_lost_one_has_switched_and_the_other_is_told() -> None:
    """Bob's change happens between Ana's read and her write; he hears nothing of it, nor does she.

    The repetition of her transaction, which the SDK sends, is refused for the same reason.
    """
    turn = iter([BOB])

    def let_bob_go_first(_: object) -> None:
        for wish in turn:
            with lost_answers("TransactWriteItems", times=4), pytest.raises(StoreUnavailableError):
                access.change("cus_0042", wish)

    with (
        hooked("TransactWriteItems", let_bob_go_first),
        pytest.raises(VersionConflictError) as lost,
    ):
        access.change("cus_0042", ANA)
    assert lost.value.current == now()
    for _ in range(2):
        assert access.change("cus_0042", BOB).version == 8
        with pytest.raises(VersionConflictError):
            access.change("cus_0042", ANA)
    assert_changed_once("bob")


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
    assert by() == []


def test_a_customer_who_is_deleted_meanwhile_is_not_made_again_by_lifting_a_suspension() -> None:
    """The item that the shop wrote has no version: a condition on what is missing would hold."""
    access.change("cus_0042", ANA)
    bare = to_item(customer(ecosystem=None, access=None))
    save_item({name: value for name, value in bare.items() if name != "version"})

    def delete(_: object) -> None:
        client().delete_item(TableName="users", Key={"id": {"S": "cus_0042"}})

    lift = replace(ANA, access=Access.ACTIVE, version=0)
    with hooked("TransactWriteItems", delete), pytest.raises(NotFoundError):
        access.change("cus_0042", lift)
    assert stored("cus_0042") is None


def test_a_retry_of_the_sdk_after_a_lost_answer_changes_nothing_twice(
    switch_waits: list[float],
) -> None:
    with lost_answers("TransactWriteItems"), sent_requests() as sent:
        after = access.change("cus_0042", ANA)
    tokens = [
        one.body["ClientRequestToken"] for one in sent if one.operation == "TransactWriteItems"
    ]
    assert len(tokens) == 2
    assert tokens[0] == tokens[1]
    assert len(switch_waits) == 1
    assert after == now()
    assert_changed_once("ana")


def test_a_retry_of_the_client_after_a_lost_answer_changes_nothing_twice() -> None:
    with lost_answers("TransactWriteItems", times=4), pytest.raises(StoreUnavailableError):
        access.change("cus_0042", ANA)
    assert_changed_once("ana")
    with sent_requests() as sent:
        assert access.change("cus_0042", ANA) == now()
    assert set(operations(sent)) == {"GetItem"}
    assert_changed_once("ana")


def test_a_wish_sent_again_under_another_request_id_is_still_the_same_wish() -> None:
    first = access.change("cus_0042", ANA)
    assert access.change("cus_0042", replace(ANA, request_id="req-again")) == first
    assert_changed_once("ana")


@pytest.mark.parametrize(
    "changes", [{"by": author("bob")}, {"reason": "another"}, {"version": 6}], ids=str
)
def test_another_wish_for_the_version_before_is_a_conflict(changes: dict[str, object]) -> None:
    access.change("cus_0042", ANA)
    other = Wish(**{**{name: getattr(ANA, name) for name in ANA.__slots__}, **changes})
    with pytest.raises(VersionConflictError) as caught:
        access.change("cus_0042", other)
    assert caught.value.current == now()
    assert_changed_once("ana")


def test_a_retry_that_comes_after_somebody_undid_the_change_does_not_redo_it() -> None:
    access.change("cus_0042", ANA)
    access.change("cus_0042", replace(BOB, access=Access.ACTIVE, version=8))
    with pytest.raises(VersionConflictError):
        access.change("cus_0042", ANA)
    assert access.of_ecosystem("eco_17").access == "active"
    assert by() == ["bob", "ana"]


def test_a_retry_that_comes_after_the_shop_wrote_is_answered_with_the_row_as_it_is() -> None:
    access.change("cus_0042", ANA)
    save(replace(now(), company_name="Sol Nueva", version=9))
    after = access.change("cus_0042", ANA)
    assert (after.version, after.company_name, after.access) == (9, "Sol Nueva", "suspended")
    assert by() == ["ana"]
