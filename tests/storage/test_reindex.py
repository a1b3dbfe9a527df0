"""When reindexing takes a user for derived anew."""

from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.errors import NotFoundError
from chalicelib.users import access
from chalicelib.users.model import Ecosystem
from infra import reindex
from infra.derivation import Derivation
from infra.reindex import Reindexing
from infra.target import Target
from tests.builders import client, customer, lead, save
from tests.feed import Feed
from tests.following import follow, invoke

pytestmark = pytest.mark.usefixtures("cloud")


class InProcess(Derivation):
    """The derivation of tables whose function runs here."""

    def apply(self, records: Sequence[Any]) -> int:
        """Apply the records; how many of them made no sense."""
        return invoke(list(records))["poisoned"]


def reindexing() -> Reindexing:
    """A run over the tables of the test."""
    place = Target("test", "us-east-1")
    return Reindexing(InProcess("users", "totals", "ecosystems", "", "", place))


@pytest.mark.parametrize("is_deleted", [True, False])
def test_an_ecosystem_that_was_left_while_the_stream_was_lost_cannot_be_entered(
    *, is_deleted: bool
) -> None:
    feed = Feed()
    save(customer(), customer("cus_2", ecosystem=Ecosystem("eco_2", "two", None)))
    follow(feed)
    if is_deleted:
        client().delete_item(TableName="users", Key={"id": {"S": "cus_0042"}})
    else:
        save(customer(ecosystem=Ecosystem("eco_18", "eighteen", None)))
    feed.position = len(feed.records())
    run = reindexing()
    run.touch(int)
    follow(feed)
    assert access.of_ecosystem("eco_17").access == "active"
    assert run.sweep() == (2 if is_deleted else 1)
    with pytest.raises(NotFoundError):
        access.of_ecosystem("eco_17")
    assert access.of_ecosystem("eco_2").access == "active"
    assert run.sweep() == 0


def test_a_user_whose_entries_are_still_being_written_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reindex, "_PATIENCE_SECONDS", 0.1)
    feed = Feed()
    save(lead())
    follow(feed)
    run = reindexing()
    assert run.touch(int) == 1
    assert run.wait(int) == 1
    follow(feed)
    assert run.wait(int) == 0

    client().update_item(
        TableName="totals",
        Key={"list": {"S": "user#led_0007"}, "bucket": {"S": "state"}},
        UpdateExpression="SET lease_until = :later",
        ExpressionAttributeValues={":later": {"S": "2999-01-01T00:00:00Z"}},
    )
    assert run.wait(int) == 1
