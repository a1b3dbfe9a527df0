"""The switch to test with: two people's wishes, and what has come of them."""

from dataclasses import replace

from chalicelib.users import access, audit, listing
from chalicelib.users.access import Wish
from chalicelib.users.model import Access, Kind, StoreUser
from tests.builders import author, customer, stored_ecosystem

ANA = Wish(
    access=Access.SUSPENDED, reason="Privacy 4711", version=7, by=author("ana"), request_id="req-a"
)
BOB = replace(ANA, by=author("bob"), reason="Policy", request_id="req-b")


def now() -> StoreUser:
    """The customer as of now."""
    return listing.find(Kind.CUSTOMER, "cus_0042")


def by() -> list[str]:
    """Who used the switch, newest first."""
    items = access.history("cus_0042", None, 100).items
    return [audit.from_item(item).by.name for item in items]


def assert_changed_once(who: str) -> None:
    """Customer, ecosystem and history say that one person has suspended the access."""
    assert (now().access, now().version) == ("suspended", 8)
    assert access.of_ecosystem("eco_17").version == 8
    assert by() == [who]


def assert_untouched() -> None:
    """They say that nobody has."""
    assert now() == customer()
    assert (stored_ecosystem() or {})["access"] == "active"
    assert by() == []
