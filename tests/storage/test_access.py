"""The switch: what it changes, what it refuses, its history, and what the gateways are told."""

from dataclasses import replace

import pytest

from chalicelib import clock
from chalicelib.errors import NoEcosystemError, NotFoundError, VersionConflictError
from chalicelib.users import access, audit, listing, suspensions
from chalicelib.users.access import EcosystemAccess, Wish
from chalicelib.users.item import to_item
from chalicelib.users.model import Access, AccessChange, Ecosystem, Kind
from chalicelib.users.suspensions import Standing
from tests.builders import (
    author,
    customer,
    lead,
    operations,
    save,
    save_ecosystem,
    save_item,
    sent_requests,
    stored,
    stored_ecosystem,
)

pytestmark = pytest.mark.usefixtures("cloud")

EPOCH = str(1_772_703_000_000 + 1)
"""The first epoch of what is changed at 2026-03-05T09:30:00Z: its milliseconds, and one."""

SUSPEND = Wish(
    access=Access.SUSPENDED,
    reason="Privacy incident 4711",
    version=7,
    by=author("ana"),
    request_id="req-1",
)
ACTIVATE = Wish(access=Access.ACTIVE, reason=None, version=8, by=author("bob"), request_id="req-2")


def _entries(customer_id: str = "cus_0042") -> list[audit.Entry]:
    return [audit.from_item(item) for item in access.history(customer_id, None, 100).items]


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = clock.parse_instant("2026-03-05T09:30:00Z")
    monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.mark.usefixtures("still")
def test_the_switch_changes_user_ecosystem_and_audit_in_one_transaction() -> None:
    save(customer())
    save_ecosystem()
    with sent_requests() as sent:
        after = access.change("cus_0042", SUSPEND)
    assert operations(sent) == ["GetItem", "Query", "TransactWriteItems"]
    assert sent[0].body["ConsistentRead"] is True
    written = [next(iter(one.values())) for one in sent[2].body["TransactItems"]]
    tables = sorted(one["TableName"] for one in written)
    assert tables == ["audit", "ecosystems", "ecosystems", "users"]
    assert sent[2].body["ClientRequestToken"]
    made = AccessChange("2026-03-05T09:30:00Z", "ana", "Privacy incident 4711", 8, "sub-of-ana")
    expected = customer(access="suspended", access_change=made, version=8)
    assert after == listing.find(Kind.CUSTOMER, "cus_0042") == expected
    assert stored("cus_0042") == to_item(expected)
    assert stored_ecosystem() == {
        "id": "eco_17",
        "name": "clinica-sol",
        "customer_id": "cus_0042",
        "access": "suspended",
        "changed_at": "2026-03-05T09:30:00Z",
        "version": "8",
        "epoch": EPOCH,
        "not_before": "2026-03-05T09:30:00Z",
    }
    standing = suspensions.find("cus_0042")
    assert standing == Standing(Access.SUSPENDED, made, int(EPOCH), "2026-03-05T09:30:00Z")
    assert _entries() == [
        audit.Entry(
            subject="customer#cus_0042",
            at="2026-03-05T09:30:00Z",
            by=author("ana"),
            action="access.changed",
            facts={"from": "active", "to": "suspended", "reason": "Privacy incident 4711"},
            request_id="req-1",
        )
    ]


@pytest.mark.usefixtures("still")
def test_a_suspended_ecosystem_is_refused_from_the_next_call_and_an_active_one_let_in() -> None:
    save(customer())
    save_ecosystem()
    assert access.of_ecosystem("eco_17").access == "active"
    access.change("cus_0042", SUSPEND)
    asked = access.of_ecosystem("eco_17")
    at = "2026-03-05T09:30:00Z"
    assert asked == EcosystemAccess("eco_17", "suspended", at, 8, int(EPOCH), at)
    access.change("cus_0042", ACTIVATE)
    assert access.of_ecosystem("eco_17") == EcosystemAccess(
        "eco_17", "active", at, 9, int(EPOCH) + 1, at
    )
    assert listing.find(Kind.CUSTOMER, "cus_0042").access_change == AccessChange(
        "2026-03-05T09:30:00Z", "bob", None, 9, "sub-of-bob"
    )


def test_an_ecosystem_that_the_projection_has_not_seen_yet_can_be_suspended() -> None:
    save(customer())
    access.change("cus_0042", SUSPEND)
    assert access.of_ecosystem("eco_17").access == "suspended"


def test_gateways_are_answered_by_one_strongly_consistent_get_item() -> None:
    save_ecosystem(access="suspended", version=3)
    with sent_requests() as sent:
        answer = access.of_ecosystem("eco_17")
    assert answer == EcosystemAccess("eco_17", "suspended", "2026-03-04T10:00:00Z", 3, 0, None)
    assert operations(sent) == ["GetItem"]
    assert sent[0].body["ConsistentRead"] is True
    with pytest.raises(NotFoundError, match=r"^There is no ecosystem eco_99$"):
        access.of_ecosystem("eco_99")


@pytest.mark.parametrize("version", [6, 8, 0])
def test_a_version_that_is_not_the_present_one_is_a_conflict_and_shows_the_row(
    version: int,
) -> None:
    save(customer())
    save_ecosystem()
    with sent_requests() as sent, pytest.raises(VersionConflictError) as caught:
        access.change("cus_0042", replace(SUSPEND, version=version))
    assert caught.value.current == customer()
    assert operations(sent) == ["GetItem"]


def test_the_state_it_already_has_changes_nothing() -> None:
    save(customer())
    suspended = access.change("cus_0042", SUSPEND)
    with sent_requests() as sent:
        assert access.change("cus_0042", replace(SUSPEND, by=author("bob"), version=8)) == suspended
    assert operations(sent) == ["GetItem"] * 3
    assert len(_entries()) == 1


@pytest.mark.parametrize(("row", "record"), [("suspended", "active"), ("active", "suspended")])
def test_the_answer_of_the_switch_holds_for_gateways_where_the_row_was_wrong(
    row: str, record: str
) -> None:
    """The shop wrote a copy that differs, and the projection has not put it right yet."""
    save(customer(access=row))
    save_ecosystem(access=record, version=7)
    after = access.change("cus_0042", replace(SUSPEND, access=Access(row)))
    assert after.access == row
    assert access.of_ecosystem("eco_17").access == row


def test_the_history_tells_what_the_gateways_were_told_before() -> None:
    save(customer(access="suspended"))
    save_ecosystem(access="active")
    access.change("cus_0042", SUSPEND)
    assert (_entries()[0].facts["from"], _entries()[0].facts["to"]) == ("active", "suspended")


def test_a_repeated_wish_is_not_confirmed_by_a_copy_from_before_it_was_undone() -> None:
    """Ana suspends, the shop reads, Bob activates, the shop writes back, Ana's client retries."""
    save(customer())
    suspended = access.change("cus_0042", SUSPEND)
    access.change("cus_0042", ACTIVATE)
    save(suspended)
    with pytest.raises(VersionConflictError):
        access.change("cus_0042", SUSPEND)
    assert access.of_ecosystem("eco_17").access == "active"


def test_a_customer_without_access_counts_as_active() -> None:
    save(customer(access=None))
    save_ecosystem()
    with sent_requests() as sent:
        assert access.change("cus_0042", replace(ACTIVATE, version=7)) == customer(access=None)
    assert set(operations(sent)) == {"GetItem"}
    assert access.change("cus_0042", SUSPEND).access == "suspended"
    assert _entries()[0].facts["from"] == "active"


def test_without_an_ecosystem_there_is_nothing_to_switch() -> None:
    save(customer(ecosystem=None))
    with pytest.raises(NoEcosystemError, match=r"^This customer has not deployed"):
        access.change("cus_0042", SUSPEND)
    assert stored("cus_0042") == to_item(customer(ecosystem=None))


def test_who_is_unknown_or_a_lead_is_not_found() -> None:
    save(lead())
    for user_id in ("cus_9999", "led_0007"):
        with pytest.raises(NotFoundError, match=rf"^There is no customer {user_id}$"):
            access.change(user_id, replace(SUSPEND, version=1))
        with pytest.raises(NotFoundError):
            access.history(user_id, None, 10)


def test_the_ecosystem_of_another_customer_stays_untouched() -> None:
    save(customer())
    save_ecosystem(customer_id="cus_0001", name="hers")
    before = stored_ecosystem()
    with pytest.raises(NoEcosystemError, match=r"^This ecosystem belongs to another customer"):
        access.change("cus_0042", SUSPEND)
    assert stored_ecosystem() == before
    assert stored("cus_0042") == to_item(customer())
    assert _entries() == []


@pytest.mark.parametrize("version", [{}, {"N": "0"}, {"NULL": True}], ids=repr)
def test_a_customer_without_a_version_counts_as_version_0(version: dict[str, str]) -> None:
    item = to_item(customer())
    del item["version"]
    save_item({**item, "version": version} if version else item)
    after = access.change("cus_0042", replace(SUSPEND, version=0))
    assert (after.access, after.version) == ("suspended", 1)
    assert listing.find(Kind.CUSTOMER, "cus_0042") == after
    assert access.of_ecosystem("eco_17").version == 1


def test_the_switch_leaves_alone_what_it_does_not_know_of() -> None:
    save_item({**to_item(customer()), "note_of_the_shop": {"SS": ["vip"]}})
    access.change("cus_0042", SUSPEND)
    assert (stored("cus_0042") or {})["note_of_the_shop"] == {"SS": ["vip"]}


def test_an_ecosystem_renamed_in_the_shop_is_renamed_by_the_switch_too() -> None:
    save(customer(ecosystem=Ecosystem("eco_17", "sol-nueva", None)))
    save_ecosystem(name="clinica-sol")
    access.change("cus_0042", SUSPEND)
    assert (stored_ecosystem() or {})["name"] == "sol-nueva"


def test_the_history_is_newest_first_and_comes_in_pages() -> None:
    save(customer())
    for number in range(5):
        to = Access.SUSPENDED if number % 2 == 0 else Access.ACTIVE
        wish = replace(SUSPEND, access=to, version=7 + number, request_id=f"req-{number}")
        access.change("cus_0042", wish)
    first = access.history("cus_0042", None, 2)
    second = access.history("cus_0042", first.next, 2)
    third = access.history("cus_0042", second.next, 2)
    pages = [first, second, third, access.history("cus_0042", third.prev, 2)]
    ids = [[audit.from_item(item).request_id for item in page.items] for page in pages]
    assert ids == [["req-4", "req-3"], ["req-2", "req-1"], ["req-0"], ["req-2", "req-1"]]
    assert (first.prev, third.next) == (None, None)
    turns = [(entry.facts["from"], entry.facts["to"]) for entry in _entries()]
    assert turns[:2] == [("active", "suspended"), ("suspended", "active")]


def test_a_customer_never_switched_has_an_empty_history() -> None:
    save(customer(), customer("cus_2", ecosystem=Ecosystem("eco_2", "two", None)))
    access.change("cus_2", SUSPEND)
    page = access.history("cus_0042", None, 10)
    assert (page.items, page.next, page.prev) == ([], None, None)
