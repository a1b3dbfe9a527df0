"""What a row changes of the store user that is stored under its id."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.users.item import from_item, to_item
from chalicelib.users.model import (
    AccessChange,
    Ecosystem,
    Encounters,
    Kind,
    Licences,
    StoreUser,
    Subscription,
)
from infra.load.columns import ALL, TEXTS
from infra.load.merge import RowRefusedError, change, update
from infra.load.rows import Row
from infra.load.sources import RawRow

SUBSCRIPTION = Subscription(
    plan="Plus",
    billing_period="monthly",
    status="active",
    starts_on="2026-03-01",
    ends_on="2026-04-01",
    encounters=Encounters(100, 7),
    licences=(Licences("available", 3),),
)
STORED = StoreUser(
    id="u1",
    kind=Kind.CUSTOMER,
    first_name="Ana",
    last_name="Gómez",
    company_email="ana@sur.example",
    phone_number="+57 300",
    company_name="Sur",
    registered_at="2026-03-01T15:04:05Z",
    ecosystem=Ecosystem("e1", "Sur", "2026-03-02T00:00:00Z"),
    access="suspended",
    subscription=SUBSCRIPTION,
    access_change=AccessChange("2026-03-03T00:00:00Z", "boss", None, 4),
    version=4,
)
LEAD = StoreUser("u1", Kind.LEAD, "Ana", "", "", "", "", "2026-03-01T15:04:05Z", version=1)


def _row(user: StoreUser, columns: frozenset[str] = ALL) -> Row:
    return Row(RawRow(2, ()), user, columns)


def _made(row: Row, stored: StoreUser = STORED) -> StoreUser | None:
    return change(row, to_item(stored)).user


def test_a_row_that_says_what_is_stored_changes_nothing() -> None:
    assert _made(_row(replace(STORED, access_change=None, version=1))) is None


def test_a_change_makes_the_next_version_and_keeps_the_access() -> None:
    wanted = replace(STORED, first_name="Eva", access="active", access_change=None, version=1)
    made = change(_row(wanted), to_item(STORED))
    assert made.user == replace(STORED, first_name="Eva", version=5)
    assert made.access_kept


def test_a_row_that_says_nothing_of_access_wishes_for_none() -> None:
    silent = _row(replace(STORED, access="active"), ALL - {"access"})
    assert change(silent, to_item(STORED)).access_kept is False


def test_active_is_what_an_access_that_is_not_stored_means() -> None:
    item = to_item(replace(STORED, access=None))
    assert change(_row(replace(STORED, access="active")), item).access_kept is False
    assert change(_row(STORED), item).access_kept is True


def test_what_the_file_has_no_column_for_stays() -> None:
    columns = frozenset({"id", "kind", "registered_at", "last_name", "plan", "encounters_used"})
    wanted = replace(
        LEAD,
        kind=Kind.CUSTOMER,
        last_name="Ruiz",
        access="active",
        subscription=Subscription("Lite", None, None, None, None, Encounters(None, 8), ()),
    )
    subscription = replace(SUBSCRIPTION, plan="Lite", encounters=Encounters(100, 8))
    expected = replace(STORED, last_name="Ruiz", subscription=subscription, version=5)
    assert _made(_row(wanted, columns)) == expected


def test_an_empty_column_empties_what_is_stored() -> None:
    made = _made(_row(replace(STORED, phone_number="", ecosystem=None, subscription=None)))
    assert made == replace(STORED, phone_number="", ecosystem=None, subscription=None, version=5)


def test_the_name_of_an_ecosystem_stays_where_the_file_has_its_id_alone() -> None:
    columns = ALL - {"ecosystem_name", "ecosystem_deployed_at"}
    assert _made(_row(replace(STORED, ecosystem=Ecosystem("e1", "e1", None)), columns)) is None
    other = replace(STORED, ecosystem=Ecosystem("e2", "e2", None))
    assert _made(_row(other, columns)) == replace(other, version=5)


def test_a_lead_becomes_a_customer_with_the_access_of_the_row() -> None:
    wanted = replace(STORED, access_change=None, version=1)
    made = change(_row(wanted), to_item(LEAD))
    assert made.user == replace(wanted, version=2)
    assert made.access_kept is False


def test_a_customer_becomes_a_lead_only_without_an_ecosystem() -> None:
    assert _made(_row(LEAD), replace(STORED, ecosystem=None)) == replace(LEAD, version=5)
    with pytest.raises(RowRefusedError, match=r"^the stored customer has an ecosystem"):
        change(_row(LEAD), to_item(STORED))


def test_a_day_that_does_not_fit_the_stored_one_is_refused() -> None:
    early = replace(STORED, subscription=replace(SUBSCRIPTION, ends_on="2026-02-01"))
    with pytest.raises(RowRefusedError, match=r"^with the day that is stored, ends_on is before"):
        change(_row(early, ALL - {"starts_on"}), to_item(STORED))


def test_a_stored_item_of_no_kind_is_left_alone() -> None:
    with pytest.raises(RowRefusedError, match=r"^what is stored under this id is neither a lead"):
        change(_row(LEAD), {"id": {"S": "u1"}})


def test_an_update_names_what_differs_and_nothing_else() -> None:
    item = {**to_item(STORED), "shop_notes": {"S": "vip"}}
    assert update(replace(STORED, first_name="Eva", version=5), item) == {
        "Key": {"id": {"S": "u1"}},
        "UpdateExpression": (
            "SET #first_name = :first_name, #version = :version, #sort_name = :sort_name"
        ),
        "ConditionExpression": "attribute_exists(id) AND #version = :seen",
        "ExpressionAttributeNames": {
            "#first_name": "first_name",
            "#version": "version",
            "#sort_name": "sort_name",
        },
        "ExpressionAttributeValues": {
            ":first_name": {"S": "Eva"},
            ":version": {"N": "5"},
            ":sort_name": {"S": "eva gomez"},
            ":seen": {"N": "4"},
        },
    }


def test_an_update_removes_what_a_lead_has_not() -> None:
    stored = {name: value for name, value in to_item(STORED).items() if name != "version"}
    request = update(replace(LEAD, last_name="Gómez", version=1), stored)
    assert request["UpdateExpression"].endswith(
        " REMOVE #ecosystem, #access, #subscription, #access_change, #sort_ends_on, "
        "#segment, #segment_order"
    )
    assert request["ConditionExpression"] == (
        "attribute_exists(id) AND attribute_not_exists(#version)"
    )


_TEXT = st.sampled_from(["", "Ana", "Ñandú"])
_DAY = st.sampled_from([None, "2026-03-01"])
_ECOSYSTEMS = st.builds(
    Ecosystem, st.sampled_from(["e1", "e2"]), st.sampled_from(["Sur", "Norte"]), _DAY
)
_COUNT = st.none() | st.integers(0, 3)


def _subscriptions() -> st.SearchStrategy[Subscription | None]:
    made = st.builds(
        Subscription,
        plan=st.sampled_from([None, "Lite"]),
        billing_period=st.sampled_from([None, "annual"]),
        status=st.sampled_from([None, "active"]),
        starts_on=_DAY,
        ends_on=_DAY,
        encounters=st.none() | st.builds(Encounters, _COUNT, _COUNT),
        licences=st.lists(st.builds(Licences, st.just("available"), st.just(1)), max_size=1).map(
            tuple
        ),
    )
    return st.none() | made


def _customers() -> st.SearchStrategy[StoreUser]:
    return st.builds(
        StoreUser,
        id=st.just("u1"),
        kind=st.just(Kind.CUSTOMER),
        **dict.fromkeys(TEXTS, _TEXT),
        registered_at=st.just("2026-03-01T15:04:05Z"),
        ecosystem=st.none() | _ECOSYSTEMS,
        access=st.sampled_from([None, "active", "suspended"]),
        subscription=_subscriptions(),
        version=st.integers(0, 3),
    )


def _users() -> st.SearchStrategy[StoreUser]:
    leads = st.builds(lambda name: replace(LEAD, first_name=name), _TEXT)
    return leads | _customers()


@given(
    user=_users(),
    stored=_users(),
    columns=st.frozensets(st.sampled_from(sorted(ALL))).map(lambda some: some | {"id", "kind"}),
)
def test_the_second_time_nothing_is_changed(
    user: StoreUser, stored: StoreUser, columns: frozenset[str]
) -> None:
    row = _row(user, columns)
    item: dict[str, Any] = to_item(stored)
    try:
        made = change(row, item).user
    except RowRefusedError:
        return
    if made is not None:
        assert made.version == stored.version + 1
        item = to_item(made)
    assert from_item(item).access == (made or stored).access
    assert change(row, item).user is None
