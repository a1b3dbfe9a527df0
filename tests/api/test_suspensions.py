"""A suspension sticks, whatever the shop writes: seen by the gateways, over HTTP.

The shop writes as docs/data.md allows: whole items, without `access`.
"""

import json
from dataclasses import dataclass, replace

import pytest

from chalicelib import aws
from chalicelib.settings import settings
from chalicelib.users.model import Ecosystem, Kind, StoreUser
from tests.api.client import Client
from tests.builders import ECOSYSTEM, client, customer, save, save_ecosystem, stored
from tests.feed import Feed
from tests.following import follow

REASON = "Privacy incident 4711"
OFF = {"access": "suspended", "reason": REASON}
ON = {"access": "active"}
OTHER = Ecosystem("eco_18", "clinica-luna", None)


@dataclass
class Shop:
    """The shop, which writes, and the stream, which follows."""

    api: Client
    feed: Feed

    def write(self, *users: StoreUser) -> None:
        save(*(replace(user, access=None, access_change=None, version=0) for user in users))
        follow(self.feed)

    def delete(self, user_id: str = "cus_0042") -> None:
        client().delete_item(TableName="users", Key={"id": {"S": user_id}})
        follow(self.feed)

    def asked(self, ecosystem_id: str) -> str:
        """What a gateway hears: the access, or the problem."""
        answer = self.api.get(f"/v1/ecosystems/{ecosystem_id}/access", "gateway")
        return str(answer.json["access"] if answer.status == 200 else answer.problem)

    def shown(self, user_id: str = "cus_0042") -> tuple[str, int]:
        """What the staff see: the access, and the version to switch it by."""
        row = self.api.get(f"/v1/customers/{user_id}", "support").json
        return row["access"], row["version"]

    def suspend(self, user_id: str) -> int:
        version = self.shown(user_id)[1]
        answer = self.api.switch(OFF, user_id=user_id, if_match=f'"{version}"')
        follow(self.feed)
        return int(answer.status)

    def lift(self, user_id: str = "cus_0042") -> int:
        version = self.shown(user_id)[1]
        answer = self.api.switch(ON, user_id=user_id, if_match=f'"{version}"')
        follow(self.feed)
        return int(answer.status)

    def actions(self, user_id: str = "cus_0042") -> list[tuple[str, str]]:
        """The history, oldest first: to what, and by whom."""
        answer = self.api.get(f"/v1/customers/{user_id}/access/history", "support")
        return [(one["to"], one["by"]) for one in reversed(answer.json["data"])]

    def last(self, user_id: str) -> dict[str, str | None]:
        """The newest entry of the history."""
        answer = self.api.get(f"/v1/customers/{user_id}/access/history", "support")
        entry: dict[str, str | None] = answer.json["data"][0]
        return entry


@pytest.fixture
def shop(api: Client) -> Shop:
    """A customer whose ecosystem is suspended."""
    shop = Shop(api, Feed())
    shop.write(customer())
    version = shop.shown()[1]
    assert api.switch(OFF, if_match=f'"{version}"').status == 200
    follow(shop.feed)
    return shop


def test_an_ecosystem_that_is_deployed_under_another_id_starts_suspended(shop: Shop) -> None:
    shop.write(customer(ecosystem=OTHER))
    assert (shop.asked("eco_17"), shop.asked("eco_18")) == ("suspended", "suspended")
    assert shop.shown()[0] == "suspended"
    assert shop.actions()[1:] == [("suspended", "system stream")]
    kept = shop.last("cus_0042")
    assert (kept["reason"], kept["kept_from"], kept["ecosystem_id"]) == (
        REASON,
        "customer",
        "eco_18",
    )


def test_an_ecosystem_that_was_removed_and_comes_back_is_suspended(shop: Shop) -> None:
    shop.write(customer(ecosystem=None))
    assert (shop.asked("eco_17"), shop.shown()[0]) == ("suspended", "suspended")
    shop.write(customer())
    assert (shop.asked("eco_17"), shop.shown()[0]) == ("suspended", "suspended")


def test_an_ecosystem_that_another_customer_takes_over_is_suspended(shop: Shop) -> None:
    shop.delete()
    assert shop.asked("eco_17") == "suspended"
    shop.write(customer("cus_2"))
    assert (shop.asked("eco_17"), shop.shown("cus_2")[0]) == ("suspended", "suspended")
    assert shop.actions("cus_2") == [("suspended", "system stream")]
    kept = shop.last("cus_2")
    assert (kept["reason"], kept["kept_from"], kept["ecosystem_id"]) == (
        None,
        "ecosystem",
        "eco_17",
    )
    shop.write(customer("cus_2", ecosystem=OTHER))
    assert shop.asked("eco_18") == "suspended"
    assert shop.lift("cus_2") == 200
    assert (shop.asked("eco_18"), shop.asked("eco_17")) == ("active", "suspended")


def test_a_customer_who_was_a_lead_in_between_is_suspended(shop: Shop) -> None:
    shop.write(customer(kind=Kind.LEAD, ecosystem=None, subscription=None))
    assert shop.asked("eco_17") == "suspended"
    shop.write(customer(ecosystem=OTHER))
    assert (shop.asked("eco_18"), shop.shown()[0]) == ("suspended", "suspended")


def test_a_customer_who_was_deleted_and_registers_again_is_suspended(shop: Shop) -> None:
    shop.delete()
    shop.write(customer(ecosystem=OTHER))
    assert (shop.asked("eco_18"), shop.shown()[0]) == ("suspended", "suspended")


def test_until_the_stream_has_followed_gateways_know_no_new_ecosystem(shop: Shop) -> None:
    save(replace(customer(ecosystem=OTHER), access="active"))
    assert shop.asked("eco_18") == "not-found"


def test_the_switch_lifts_what_waits_for_an_ecosystem(shop: Shop) -> None:
    shop.write(customer(ecosystem=None))
    assert shop.lift() == 200
    assert shop.shown()[0] == "active"
    shop.write(customer(ecosystem=OTHER))
    assert shop.asked("eco_18") == "active"
    version = shop.shown()[1]
    shop.write(customer(ecosystem=None))
    assert shop.api.switch(ON, if_match=f'"{version}"').problem == "no-ecosystem"


def test_an_ecosystem_that_left_and_came_back_around_a_lift_is_suspended_and_the_history_says_so(
    shop: Shop,
) -> None:
    """The stream tells of the removal when the ecosystem is there again."""
    save(replace(customer(ecosystem=None), access="suspended", version=shop.shown()[1]))
    assert shop.api.switch(ON, if_match=f'"{shop.shown()[1]}"').status == 200
    shop.write(customer())
    assert (shop.asked("eco_17"), shop.shown()[0]) == ("suspended", "suspended")
    assert [to for to, _ in shop.actions()] == ["suspended", "active", "suspended"]
    kept = shop.last("cus_0042")
    assert (kept["by"], kept["kept_from"]) == ("system stream", "ecosystem")


@pytest.mark.parametrize("user_id", ["cus_0042", "cus_2"])
def test_a_lifted_ecosystem_that_is_removed_and_comes_back_refuses_the_old_sessions(
    shop: Shop, user_id: str
) -> None:
    path = "/v1/ecosystems/eco_17/access"
    assert shop.lift() == 200
    before = shop.api.get(path, "gateway").json
    shop.delete()
    assert shop.asked("eco_17") == "not-found"
    shop.write(customer(user_id))
    after = shop.api.get(path, "gateway").json
    assert (after["access"], after["not_before"]) == ("active", before["not_before"])
    assert after["epoch"] > before["epoch"]


def test_a_removed_ecosystem_that_was_once_suspended_starts_with_what_the_shop_says(
    shop: Shop,
) -> None:
    assert shop.lift() == 200
    shop.delete()
    save(customer("cus_2", access="suspended"))
    follow(shop.feed)
    assert (shop.asked("eco_17"), shop.actions("cus_2")) == ("suspended", [])


def test_a_new_ecosystem_starts_with_what_the_switch_last_decided_not_with_an_old_copy(
    shop: Shop,
) -> None:
    assert shop.lift() == 200
    save(customer(ecosystem=OTHER, access="suspended"))
    follow(shop.feed)
    assert (shop.asked("eco_18"), shop.shown()[0]) == ("active", "active")


def test_the_switch_lifts_an_ecosystem_that_another_customer_has_taken_over(shop: Shop) -> None:
    shop.delete()
    shop.write(customer("cus_2"))
    assert shop.lift("cus_2") == 200
    assert shop.asked("eco_17") == "active"


@pytest.mark.parametrize("owner", ["", "cus_1"], ids=["a tombstone", "somebody else's"])
def test_the_switch_does_not_take_the_suspension_of_a_former_owner_for_the_customers(
    shop: Shop, owner: str
) -> None:
    """The shop says suspended, and so does the record: but nothing suspends this customer yet."""
    save_ecosystem(id="eco_18", access="suspended", customer_id=owner)
    save(customer("cus_2", ecosystem=OTHER, access="suspended"))
    answer = shop.api.switch(OFF, user_id="cus_2")
    assert answer.status == (409 if owner else 200)
    save(customer("cus_2", ecosystem=replace(OTHER, id="eco_19"), version=9))
    follow(shop.feed)
    assert shop.asked("eco_19") == ("active" if owner else "suspended")


def test_a_whole_item_does_not_drop_who_suspended_and_why(shop: Shop) -> None:
    before = shop.api.get("/v1/customers/cus_0042", "support").json["access_change"]
    shop.write(customer(first_name="María"))
    after = shop.api.get("/v1/customers/cus_0042", "support").json
    assert (after["access"], after["access_change"]) == ("suspended", before)
    assert after["access_change"]["reason"] == REASON


def test_the_history_of_a_deleted_customer_can_be_read(shop: Shop) -> None:
    before = shop.actions()
    shop.delete()
    assert shop.actions() == before != []
    unknown = shop.api.get("/v1/customers/cus_9/access/history", "support")
    assert unknown.problem == "not-found"


@pytest.mark.parametrize("legacy", ["redeployed", "removed", "touched"])
def test_a_suspension_of_an_earlier_version_sticks_as_well(api: Client, legacy: str) -> None:
    """It has a record alone, without epoch; the shop's next write, or a reindex, upgrades it."""
    shop = Shop(api, Feed())
    save(customer(access="suspended"))
    save_ecosystem(access="suspended")
    if legacy == "touched":
        shop.write(customer(access="suspended", first_name="Mar"))
    if legacy == "removed":
        shop.write(customer(ecosystem=None))
    shop.write(customer(ecosystem=OTHER))
    assert (shop.asked("eco_17"), shop.asked("eco_18")) == ("suspended", "suspended")
    assert shop.lift() == 200
    assert shop.asked("eco_18") == "active"


@pytest.mark.parametrize("is_followed", [True, False])
def test_a_record_of_an_earlier_version_is_told_with_epoch_and_the_instant_of_its_suspension(
    api: Client, *, is_followed: bool
) -> None:
    """The stream upgrades it; where the switch comes first, the lifting is the latest instant."""
    shop = Shop(api, Feed())
    save_ecosystem(access="suspended")
    save(customer(access="suspended"))
    if is_followed:
        follow(shop.feed)
    assert shop.lift() == 200
    answer = shop.api.get("/v1/ecosystems/eco_17/access", "gateway").json
    assert answer["not_before"] == ("2026-03-04T10:00:00Z" if is_followed else answer["changed_at"])
    assert answer["epoch"] > 0


def test_an_ecosystem_that_two_customers_claim_stays_with_the_first_and_an_alarm_rings(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ProjectionDeadLettersAlarm` watches the queue; the log says what is wrong."""
    capsys.readouterr()
    shop.write(customer("cus_2"))
    log = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [line["message"] for line in log if line["event"] == "projection.poison"]
    assert set(told) == {"the ecosystem belongs to another customer"}
    queue = settings().projection_dead_letters_url
    received = aws.sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    letters = [json.loads(one["Body"])["dynamodb"]["NewImage"]["id"]["S"] for one in received]
    assert letters == ["cus_2"] * len(told)
    assert shop.asked("eco_17") == "suspended"
    assert (stored("eco_17", "ecosystems") or {})["customer_id"] == {"S": "cus_0042"}
    assert ECOSYSTEM.id == "eco_17"


def test_a_suspended_customer_who_claims_the_ecosystem_of_another_is_shown_as_suspended(
    shop: Shop,
) -> None:
    shop.write(customer("cus_2", ecosystem=OTHER))
    shop.write(customer(ecosystem=OTHER))
    assert (shop.asked("eco_18"), shop.shown()[0]) == ("active", "suspended")
    shop.write(customer("cus_2", ecosystem=None), customer(ecosystem=OTHER))
    assert (shop.asked("eco_18"), shop.shown()[0]) == ("suspended", "suspended")


@pytest.mark.parametrize("access", ["active", "suspended"])
def test_an_ecosystem_changes_hands_whichever_of_the_two_changes_arrives_first(
    api: Client, access: str
) -> None:
    shop = Shop(api, Feed())
    shop.write(customer(ecosystem=None), customer("cus_2"))
    if access == "suspended":
        assert shop.suspend("cus_2") == 200
    save(customer(), customer("cus_2", ecosystem=None))
    follow(shop.feed)
    assert (shop.asked("eco_17"), shop.shown()[0]) == (access, access)


@pytest.mark.parametrize("ecosystem_id", ["customer#cus_9", "customer#cus_2", "e" * 3000])
def test_an_ecosystem_whose_id_no_gateway_can_ask_for_touches_no_suspension(
    shop: Shop, ecosystem_id: str
) -> None:
    """Suspensions of customers lie beside the records of ecosystems, as `customer#<id>`."""
    shop.write(customer("cus_2", ecosystem=replace(OTHER, id=ecosystem_id)))
    assert shop.suspend("cus_2") == 200
    shop.write(customer("cus_9", ecosystem=OTHER))
    assert shop.asked("eco_18") == "active"
    assert shop.suspend("cus_9") == 200
    assert shop.lift("cus_2") == 200
    shop.write(customer("cus_9", ecosystem=replace(OTHER, id="eco_19")))
    assert shop.asked("eco_19") == "suspended"


def test_a_suspension_is_kept_while_the_id_of_the_ecosystem_is_not_valid(shop: Shop) -> None:
    shop.write(customer("cus_2", ecosystem=replace(OTHER, id="customer#cus_0042")))
    assert shop.suspend("cus_2") == 200
    assert shop.shown("cus_2")[0] == "suspended"
    shop.write(customer("cus_2", ecosystem=OTHER))
    assert (shop.asked("eco_18"), shop.lift("cus_2"), shop.asked("eco_18")) == (
        "suspended",
        200,
        "active",
    )
