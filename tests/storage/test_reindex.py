"""When reindexing takes a user for derived anew."""

import pytest

from infra import reindex
from infra.derivation import Derivation
from infra.reindex import Reindexing
from infra.target import Target
from tests.builders import client, lead, save
from tests.feed import Feed
from tests.following import follow

pytestmark = pytest.mark.usefixtures("cloud")


def test_a_user_whose_entries_are_still_being_written_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reindex, "_PATIENCE_SECONDS", 0.1)
    feed = Feed()
    save(lead())
    follow(feed)
    run = Reindexing(Derivation("users", "totals", "", "", Target("test", "us-east-1")))
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
