"""Cursors: what was not made for this very query is refused, and never reaches DynamoDB."""

import base64
import json
from itertools import product
from typing import Any

import pytest

from chalicelib.errors import StaleCursorError
from chalicelib.users import access, cursor, listing
from chalicelib.users.cursor import Position
from chalicelib.users.filters import Filters
from chalicelib.users.model import Access, Kind
from tests.builders import author, customer, lead, save, sent_requests

pytestmark = pytest.mark.usefixtures("cloud")

PLACE = Position(("gomez", "cus_0042"), forward=True, start=25)
ASKED: dict[str, Any] = {
    "kind": Kind.CUSTOMER,
    "filters": Filters(access="active"),
    "sort": "first_name",
    "limit": 1,
}


def _next_token(**changes: Any) -> str:
    """The cursor to the second of three pages."""
    save(*(customer(f"cus_{number}") for number in range(3)))
    save(*(lead(f"led_{number}") for number in range(3)))
    token = listing.page(**{**ASKED, **changes}, token=None).next
    assert token
    return token


def _assert_refused_unasked(*tokens: str, **asked: Any) -> None:
    with sent_requests() as sent:
        for token in tokens:
            with pytest.raises(StaleCursorError, match=r"^This cursor was not made for this query"):
                listing.page(**{**ASKED, **asked}, token=token)
    assert sent == []


def test_a_cursor_of_the_same_query_passes() -> None:
    token = _next_token()
    assert [user.id for user in listing.page(**ASKED, token=token).users] == ["cus_1"]


def test_every_changed_character_is_noticed() -> None:
    token = _next_token()
    query = repr(("customer", Filters(access="active"), "first_name", 1))
    assert cursor.decode(token, query).key == ("maria jose gomez ruiz", "cus_0")
    for at, character in enumerate(token):
        for other in ("A", "b", "7", "-", "_", "=", "é", "\ud800"):
            if other != character:
                changed = token[:at] + other + token[at + 1 :]
                with pytest.raises(StaleCursorError):
                    cursor.decode(changed, query)
    _assert_refused_unasked(*(token[:at] + "~" + token[at + 1 :] for at in (0, 1, 9, 30)))


def test_every_flipped_bit_is_noticed() -> None:
    token = cursor.encode(PLACE, "query")
    head, body = token[:9], token[9:]
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StaleCursorError):
            cursor.decode(head + base64.urlsafe_b64encode(flipped).decode().rstrip("="), "query")
    assert cursor.decode(token, "query") == PLACE


def test_a_cut_or_lengthened_cursor_is_refused() -> None:
    token = _next_token()
    cut = [token[:length] for length in range(1, len(token))]
    _assert_refused_unasked(*cut, token[1:], token + "A", token + "=", token + " ", token * 2)


def test_a_cursor_of_another_query_is_refused() -> None:
    token = _next_token()
    _assert_refused_unasked(token, kind=Kind.LEAD)
    _assert_refused_unasked(token, limit=2)
    for sort in ("-first_name", "company_name", "registered_at"):
        _assert_refused_unasked(token, sort=sort)
    for filters in (
        Filters(),
        Filters(access="suspended"),
        Filters(access="active", ecosystem="deployed"),
        Filters(access="active", status=("active",)),
        Filters(access="active", plan=("active",)),
        Filters(access="active", registered_from="2026-01-01"),
        Filters(access="active", registered_to="2026-01-01"),
    ):
        _assert_refused_unasked(token, filters=filters)


def test_cursors_of_the_history_of_one_customer_serve_nowhere_else() -> None:
    save(customer("cus_1"), customer("cus_2"))
    for number in range(4):
        to = Access.SUSPENDED if number % 2 == 0 else Access.ACTIVE
        wish = access.Wish(
            access=to, reason="why", version=7 + number, by=author("ana"), request_id="r"
        )
        access.change("cus_1", wish)
    token = access.history("cus_1", None, 2).next
    assert token
    assert len(access.history("cus_1", token, 2).items) == 2
    for subject, limit in (("cus_2", 2), ("cus_1", 3)):
        with pytest.raises(StaleCursorError):
            access.history(subject, token, limit)
    _assert_refused_unasked(token)


def _plain(*parts: Any, **named: Any) -> str:
    content = json.dumps([*parts, *named.values()]).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def test_what_is_no_cursor_is_refused() -> None:
    token = _next_token()
    head, body = token[:9], token[9:]
    plain = _plain(["gomez", "cus_0042"], forward=True, start=25)
    raw_key = _plain({"kind": "customer", "sort_name": "gomez", "id": "cus_0042"})
    _assert_refused_unasked(plain, "2" + plain, head + plain, raw_key, "2" + raw_key)
    _assert_refused_unasked("1" + token[1:], "3" + token[1:], "2" + body, "2" + "0" * 8 + body)
    for other in ("", "A", "A" * 16, "A" * 38, "!" * 40, "\x00" * 40, "ñ" * 40):
        _assert_refused_unasked(head + other)
    _assert_refused_unasked("2", "2" * 3_000, "2" * 100_000, "ñ" * 100, "\x00", "null", "%2e%2e")


def test_a_cursor_says_nothing_about_anybody_to_who_reads_it() -> None:
    token = cursor.encode(PLACE, "query")
    raw = base64.urlsafe_b64decode(token[9:] + "=" * (-len(token[9:]) % 4))
    assert b"gomez" not in raw
    assert b"cus_0042" not in raw
    assert token != cursor.encode(PLACE, "query")


def test_a_position_is_read_as_it_was_written() -> None:
    for key in ((), ("\U0010ffff", "x"), ("梅" * 200, "x"), ('"\\\n', "é")):
        for forward, total in product((True, False), (None, (0, True), (1_000, False))):
            place = Position(key, forward, 1_000_000, total)
            assert cursor.decode(cursor.encode(place, "query"), "query") == place


@pytest.mark.parametrize("letter", ["x", "梅", "🌻"])
def test_the_longest_names_of_any_script_can_be_paged_through(letter: str) -> None:
    save(*(customer(f"cus_{number}" + "-" * 59, first_name=letter * 300) for number in range(2)))
    first = listing.page(**ASKED, token=None)
    assert first.next
    second = listing.page(**ASKED, token=first.next)
    assert second.prev
    assert listing.page(**ASKED, token=second.prev).users == first.users
