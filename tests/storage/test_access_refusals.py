"""The switch while DynamoDB throttles, refuses, or cannot be reached: done once, or not at all."""

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from chalicelib.errors import StoreUnavailableError
from chalicelib.users import access, listing
from chalicelib.users.filters import Filters
from chalicelib.users.item import to_item
from chalicelib.users.model import Kind
from tests.builders import customer, hooked, operations, refusals, sent_requests, stored
from tests.switching import ANA, assert_changed_once, assert_untouched

pytestmark = pytest.mark.usefixtures("switch_waits")


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_throttled_reads_are_the_stores_fault_after_four_attempts(
    code: str, switch_waits: list[float]
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
    assert len(switch_waits) == 9
    assert max(switch_waits) <= 4
    with refusals("Query", code), pytest.raises(StoreUnavailableError):
        listing.page(Kind.CUSTOMER, Filters(), "first_name", None, 1)


def test_a_throttle_that_passes_is_not_noticed() -> None:
    with refusals("GetItem", "ThrottlingException", times=2):
        assert access.change("cus_0042", ANA).version == 8
    assert_changed_once("ana")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ProvisionedThroughputExceededException", None),
        ("TransactionInProgressException", None),
        ("InternalServerError", None),
        ("TransactionCanceledException", "TransactionConflict"),
        ("TransactionCanceledException", "ThrottlingError"),
        ("TransactionCanceledException", "ProvisionedThroughputExceeded"),
    ],
)
def test_a_transaction_that_dynamodb_cannot_do_now_can_be_tried_again(
    code: str, reason: str | None
) -> None:
    reasons = [{"Code": "None"}, {"Code": reason, "Message": "busy"}, {"Code": "None"}]
    members: dict[str, Any] = {"CancellationReasons": reasons} if reason else {}
    with refusals("TransactWriteItems", code, **members), pytest.raises(StoreUnavailableError):
        access.change("cus_0042", ANA)
    assert_untouched()
    access.change("cus_0042", ANA)
    assert_changed_once("ana")


@pytest.mark.parametrize("error", [ConnectTimeoutError, EndpointConnectionError])
def test_a_store_that_cannot_be_reached_is_unavailable(error: Any) -> None:
    def fail(_: object) -> None:
        raise error(endpoint_url="https://dynamodb.example")

    with hooked("TransactWriteItems", fail), pytest.raises(StoreUnavailableError):
        access.change("cus_0042", ANA)
    assert stored("cus_0042") == to_item(customer())
    assert_untouched()
