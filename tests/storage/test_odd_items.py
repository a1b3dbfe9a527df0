"""Items that do not keep to the contract: the switch works all the same, and nobody is lost."""

import json
from typing import Any

import pytest

from chalicelib import aws
from chalicelib.errors import StoreRefusedError, StoreUnavailableError
from chalicelib.exports import delivery
from chalicelib.settings import settings
from chalicelib.triggers.stream import stream
from chalicelib.users import access, listing
from chalicelib.users.access import Wish
from chalicelib.users.item import to_item
from chalicelib.users.model import Access, Kind
from tests.builders import (
    RawItem,
    author,
    customer,
    lead,
    refusals,
    save,
    save_item,
    sent_requests,
    stored,
    stored_ecosystem,
)
from tests.exporting import configured
from tests.feed import Feed, record
from tests.following import invoke

pytestmark = pytest.mark.usefixtures("cloud")


def _switched_off(version: int) -> str | None:
    wish = Wish(
        access=Access.SUSPENDED, reason="why", version=version, by=author("ana"), request_id="r"
    )
    return access.change("cus_0042", wish).access


def _odd(**attributes: dict[str, Any]) -> RawItem:
    return {**to_item(customer()), **attributes}


def _letters() -> list[Any]:
    queue = settings().projection_dead_letters_url
    got = aws.sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in got.get("Messages", ())]


@pytest.mark.parametrize("identifier", [{"N": "4711"}, {"N": "-5"}, {"S": "4" * 39}], ids=str)
def test_an_ecosystem_whose_id_is_or_looks_like_a_number_can_be_switched(
    identifier: dict[str, str],
) -> None:
    """DynamoDB takes numbers of 38 digits at the most, also in a condition."""
    feed = Feed()
    save_item(_odd(ecosystem={"M": {"id": identifier, "name": {"S": "sol"}}}))
    feed.drain()
    with sent_requests() as made:
        assert _switched_off(7) == "suspended"
    (text,) = identifier.values()
    assert {"N": "4" * 39} not in [
        value
        for one in made
        for item in one.body.get("TransactItems", ())
        for write in item.values()
        for value in write.get("ExpressionAttributeValues", {}).values()
    ]
    assert access.of_ecosystem(text).access == "suspended"


@pytest.mark.parametrize("version", ["-5", "0", "1000000000000000", "1E30"])
def test_a_version_out_of_bounds_counts_as_none_and_is_made_one(version: str) -> None:
    feed = Feed()
    save_item(_odd(version={"N": version}))
    assert listing.find(Kind.CUSTOMER, "cus_0042").version == 0
    assert _switched_off(0) == "suspended"
    assert (stored("cus_0042") or {})["version"] == {"N": "1"}
    save_item(_odd(version={"N": version}, access={"S": "suspended"}))
    feed.drain()
    # One more than the switch had made: its change was overwritten, and is put back.
    assert (stored("cus_0042") or {})["version"] == {"N": "2"}


def test_who_has_no_moment_of_registration_is_told_of_and_still_sorted() -> None:
    item = _odd()
    for name in ("registered_at", "sort_name"):
        del item[name]
    save_item(item)
    stream({"Records": [{"eventID": "1", **record(None, item)}]}, None)
    assert [letter["eventID"] for letter in _letters()] == ["1"]
    assert (stored("cus_0042") or {})["sort_name"] == {"S": "maria jose gomez ruiz"}
    assert (stored_ecosystem() or {})["access"] == "active"


def test_an_ecosystem_that_no_gateway_can_ask_for_is_told_of() -> None:
    item = _odd(ecosystem={"M": {"id": {"S": "eco 17/ñ"}}})
    save_item(item)
    stream({"Records": [{"eventID": "1", **record(None, item)}]}, None)
    assert len(_letters()) == 1
    assert stored_ecosystem("eco 17/ñ") is None


def test_a_bad_record_too_large_for_a_message_is_kept_by_its_key_and_can_be_applied_again() -> None:
    item = _odd(access={"S": "blocked"}, notes={"S": "ñ" * 190_000})
    save_item(item)
    change = {**record(item, item)["dynamodb"], "Keys": {"id": item["id"]}, "SequenceNumber": "42"}
    stream({"Records": [{"eventID": "1", "dynamodb": change}]}, None)
    (letter,) = _letters()
    assert letter == {
        "eventID": "1",
        "dynamodb": {"Keys": {"id": {"S": "cus_0042"}}, "SequenceNumber": "42"},
    }
    save(customer())
    stream({"Records": [letter]}, None)
    assert (stored_ecosystem() or {})["access"] == "active"


def test_a_store_that_forbids_is_no_fault_of_the_record_and_nothing_is_put_aside() -> None:
    item = _odd()
    save_item(item)
    event = {"Records": [{"eventID": "1", **record(None, item)}]}
    with refusals("GetItem", "AccessDeniedException"), pytest.raises(StoreRefusedError):
        stream(event, None)
    assert _letters() == []
    stream(event, None)
    assert (stored_ecosystem() or {})["access"] == "active"


def test_a_transaction_that_may_not_be_made_is_no_fault_of_the_record() -> None:
    feed = Feed()
    save(lead())
    reasons = [{"Code": "None"}, {"Code": "AccessDenied"}]
    with (
        refusals("TransactWriteItems", "TransactionCanceledException", CancellationReasons=reasons),
        pytest.raises(StoreRefusedError),
    ):
        invoke(feed.records())
    assert _letters() == []


def test_a_write_that_meets_a_transaction_is_no_fault_of_the_record() -> None:
    """The projection completes a user whom somebody is switching at this moment."""
    item = _odd()
    del item["sort_name"]
    save_item(item)
    event = {"Records": [{"eventID": "1", **record(None, item)}]}
    with (
        refusals("UpdateItem", "TransactionConflictException"),
        pytest.raises(StoreUnavailableError),
    ):
        stream(event, None)
    assert _letters() == []
    stream(event, None)
    assert (stored("cus_0042") or {})["sort_name"] == {"S": "maria jose gomez ruiz"}


def test_a_presigned_link_names_the_host_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The global host redirects, and the signature does not hold where it redirects to."""
    with configured(monkeypatch, AWS_REGION="sa-east-1"):
        aws.s3.cache_clear()
        address = delivery.presigned_url("exports/exp_1/1")
    aws.s3.cache_clear()
    assert address.startswith(
        "https://exports-bucket.s3.sa-east-1.amazonaws.com/exports/exp_1/1?X-Amz-Algorithm=AWS4"
    )
