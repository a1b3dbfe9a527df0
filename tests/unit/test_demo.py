"""Demo users: always the same, within the item contract, and as varied as real ones."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest

from chalicelib.users.item import from_item, to_item
from chalicelib.users.model import Kind, StoreUser, Subscription
from infra.demo import demo_users

TODAY = date(2026, 7, 1)
TODAYS = [
    *(TODAY, date(2024, 2, 29), date(2025, 2, 28), date(2025, 3, 1)),
    *(date(2026, 1, 1), date(2027, 12, 31), date(2028, 2, 29)),
]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
PAID_STATUSES = {"active", "past_due", "suspended", "cancelled", "expired"}
ENCOUNTERS = {"Lite": 500, "Plus": 2000, "Premium": 5000, "Free Trial": 50}
TERM_DAYS = {"trial": range(14, 15), "monthly": range(28, 32), "annual": range(365, 367)}


def _users(count: int, today: date = TODAY) -> list[StoreUser]:
    return list(demo_users(count, today=today))


def _bought(user: StoreUser) -> Subscription:
    assert user.subscription
    return user.subscription


def _customers(users: list[StoreUser]) -> list[StoreUser]:
    return [user for user in users if user.kind is Kind.CUSTOMER]


def test_the_same_users_come_every_time_and_fewer_are_the_first_of_more() -> None:
    """A count is a cut: growing a demo keeps whom it showed."""
    assert _users(300) == _users(300)
    assert _users(50) == _users(300)[:50]


@pytest.mark.parametrize("count", [0, 1, 8, 21, 300])
def test_as_many_users_come_as_were_asked_for(count: int) -> None:
    """Zero means none; users are made one at a time, so that a great many can be asked for."""
    assert len(_users(count)) == count
    assert len(list(islice(demo_users(100_000, today=TODAY), count))) == count


def test_the_first_one_is_the_well_known_customer() -> None:
    """Documentation and manual tests rely on this one."""
    user = _users(1)[0]
    assert user.ecosystem
    assert (user.id, user.first_name, user.last_name) == ("cus_0042", "María José", "Gómez Ruiz")
    assert (user.company_name, user.phone_number) == ("Clínica Sol", "+573001234567")
    assert user.company_email == "maria.gomez@clinica-sol.example"
    assert (user.ecosystem.id, user.ecosystem.name) == ("eco_17", "clinica-sol")
    assert _bought(user).plan == "Premium"


def test_ids_of_users_and_of_ecosystems_are_unique() -> None:
    """Both are keys of tables."""
    users = _users(3000)
    ecosystems = [user.ecosystem for user in users if user.ecosystem]
    assert len({user.id for user in users}) == 3000
    assert len({ecosystem.id for ecosystem in ecosystems}) == len(ecosystems)
    for ecosystem in ecosystems:
        assert re.fullmatch(r"eco_\d+", ecosystem.id)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", ecosystem.name)


def test_text_and_ids_obey_the_item_contract() -> None:
    """What DATA.md says that the shop writes."""
    for user in _users(3000):
        prefix = {Kind.LEAD: "led", Kind.CUSTOMER: "cus"}[user.kind]
        assert re.fullmatch(rf"{prefix}_\d{{4,}}", user.id)
        assert re.fullmatch(r"|[a-z0-9.-]{1,64}@[a-z0-9-]{1,63}\.example", user.company_email)
        assert re.fullmatch(r"|\+[0-9 ()-]{10,20}", user.phone_number)
        assert user.first_name.strip() == user.first_name != ""
        assert user.version == 1
        assert user.access_change is None
        assert from_item(to_item(user)) == user
        if user.kind is Kind.LEAD:
            assert (user.ecosystem, user.access, user.subscription) == (None, None, None)


def test_customers_have_a_whole_subscription_and_an_access() -> None:
    """Encounters follow the plan; without an ecosystem nothing is used and nobody switched off."""
    for user in _customers(_users(3000)):
        bought = _bought(user)
        assert bought.encounters
        assert bought.encounters.included == ENCOUNTERS[bought.plan or ""]
        assert [part.status for part in bought.licences] == ["available", "assigned", "suspended"]
        available, assigned, suspended = (part.count for part in bought.licences)
        assert min(available, assigned, suspended) >= 0
        assert available + assigned + suspended >= 1
        assert bought.encounters.used is not None
        assert bought.encounters.used >= 0
        assert user.access in {"active", "suspended"}
        if user.ecosystem is None:
            assert (bought.encounters.used, assigned, suspended) == (0, 0, 0)
            assert user.access == "active"


@pytest.mark.parametrize("today", TODAYS, ids=str)
def test_instants_lie_before_today_and_deployment_after_registration(today: date) -> None:
    """Nothing has happened yet on the day itself."""
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    for user in _users(1500, today):
        assert INSTANT.fullmatch(user.registered_at)
        registered_at = datetime.fromisoformat(user.registered_at)
        assert midnight - timedelta(days=400) <= registered_at < midnight
        deployed_at = user.ecosystem and user.ecosystem.deployed_at
        if deployed_at:
            assert INSTANT.fullmatch(deployed_at)
            assert registered_at < datetime.fromisoformat(deployed_at) < midnight


@pytest.mark.parametrize("today", TODAYS, ids=str)
def test_terms_fit_registration_period_and_status(today: date) -> None:
    """The day after the last one is the first of the next term."""
    for user in _customers(_users(1500, today)):
        bought = _bought(user)
        starts_on = date.fromisoformat(bought.starts_on or "")
        ends_on = date.fromisoformat(bought.ends_on or "")
        assert date.fromisoformat(user.registered_at[:10]) <= starts_on < today
        period = "trial" if bought.plan == "Free Trial" else bought.billing_period
        assert (ends_on - starts_on).days + 1 in TERM_DAYS[period or ""]
        assert bought.status in ({"trialing", "expired"} if period == "trial" else PAID_STATUSES)
        if bought.status == "expired":
            assert ends_on < today
        elif bought.status != "cancelled":
            assert ends_on > today


def test_a_month_and_a_year_are_those_of_the_calendar() -> None:
    """Same day of the month, or its last day where the month is too short; then the day before."""
    seen = {
        (bought.starts_on, bought.ends_on)
        for today in (date(2026, 2, 10), date(2028, 3, 20))
        for bought in map(_bought, _customers(_users(3000, today)))
        if bought.plan != "Free Trial"
    }
    assert {("2026-01-31", "2026-02-27"), ("2026-01-15", "2026-02-14")} <= seen
    assert {("2028-02-29", "2028-03-28"), ("2028-02-29", "2029-02-27")} <= seen


@pytest.mark.parametrize("today", TODAYS, ids=str)
def test_only_dates_change_with_today(today: date) -> None:
    """Tests and screenshots may name a demo user whatever the day."""

    def timeless(user: StoreUser) -> tuple[object, ...]:
        bought = user.subscription
        return (
            *(user.id, user.first_name, user.last_name, user.company_email, user.phone_number),
            *(user.company_name, user.access, user.ecosystem and user.ecosystem.name),
            bought and (bought.plan, bought.status, bought.encounters, bought.licences),
        )

    assert list(map(timeless, _users(300, today))) == list(map(timeless, _users(300)))


def test_eight_users_already_show_what_matters() -> None:
    """Leads, customers with and without an ecosystem, one switched off."""
    users = _users(8)
    customers = _customers(users)
    assert 3 <= len(customers) <= 5
    switches = {(bool(user.ecosystem), user.access) for user in customers}
    assert switches == {(True, "active"), (True, "suspended"), (False, "active")}
    assert {_bought(user).status for user in customers} >= {"active", "trialing"}
    assert {_bought(user).billing_period for user in customers} == {"monthly", "annual"}
    assert {_bought(user).plan for user in customers} == set(ENCOUNTERS)
    assert any(not user.last_name for user in users)
    assert any(not user.phone_number for user in users)


@pytest.mark.parametrize("part", [slice(20), slice(20, 320)], ids=["showcase", "generated"])
def test_every_status_plan_and_period_occurs(part: slice) -> None:
    """Every filter of the list finds somebody; the hand-written twenty need no luck."""
    bought = [_bought(user) for user in _customers(_users(320)[part])]
    assert {one.plan for one in bought} == set(ENCOUNTERS)
    assert {one.billing_period for one in bought} == {"monthly", "annual"}
    assert {one.status for one in bought} == PAID_STATUSES | {"trialing"}


def test_shares_are_about_those_of_a_shop() -> None:
    """About 45% customers, 70% of them deployed, 6% switched off."""
    users = _users(10_000)
    customers = _customers(users)
    assert 0.43 < len(customers) / 10_000 < 0.47
    deployed = [user for user in customers if user.ecosystem and user.ecosystem.deployed_at]
    assert 0.67 < len(deployed) / len(customers) < 0.73
    suspended = [user for user in customers if user.access == "suspended"]
    assert 0.05 < len(suspended) / len(customers) < 0.07
    counts = [_bought(user).encounters for user in customers]
    over_used = [one for one in counts if one and (one.used or 0) > (one.included or 0)]
    assert 0 < len(over_used) / len(customers) < 0.05


def test_recent_registrations_are_denser_and_some_share_a_second() -> None:
    """Half of all lie in the last quarter of the time; ties occur within one list."""
    users = _users(300)
    recent = [user for user in users if user.registered_at >= "2026-03-23"]
    assert 0.4 < len(recent) / 300 < 0.65
    assert min(user.registered_at for user in users) < "2025-07-01"
    seconds = Counter((user.kind, user.registered_at) for user in users)
    assert sum(1 for count in seconds.values() if count > 1) >= 4


@pytest.mark.parametrize("field", ["last_name", "phone_number", "company_name", "company_email"])
def test_some_have_left_a_field_empty(field: str) -> None:
    """A few of 300, not many."""
    empty = [user for user in _users(300) if not getattr(user, field)]
    assert 3 <= len(empty) <= 25


NAMES = ["'", "-", " de la ", "ñ", "ç", "ã", "é", "O'", " da ", "🌻", "👩‍⚕️", "<b>Ana</b>"]
SCRIPTS = ["Ευρυδίκη", "نور", "梅"]
COMPANIES = ["S.A.S.", "Ltda.", " & ", "Clínica", "ó", "Practice", "=Salud+Vida"]


@pytest.mark.parametrize("part", [*NAMES, *SCRIPTS, *COMPANIES])
def test_names_and_companies_hold_what_breaks_careless_code(part: str) -> None:
    """Accents, apostrophes, particles, emoji, markup, other scripts, what looks like a formula."""
    names = [f"{user.first_name} {user.last_name}" for user in _users(300)]
    companies = [user.company_name for user in _users(300)]
    assert any(part in text for text in (companies if part in COMPANIES else names))


def test_one_name_is_very_long_and_some_have_many_parts() -> None:
    """Two hundred characters, unbroken; several given names and surnames."""
    users = _users(300)
    assert [len(user.first_name) for user in users if len(user.first_name) > 60] == [200]
    assert any(user.first_name.count(" ") == 2 for user in users)
    assert sum(" " in user.last_name for user in users) > 100


def test_phones_of_seven_countries_are_invented() -> None:
    """Most are plain; +1 and +44 keep to the ranges reserved for fiction."""
    phones = [user.phone_number for user in _users(3000) if user.phone_number]
    plain = [re.sub(r"[^+0-9]", "", phone) for phone in phones]
    codes = ("+57", "+52", "+34", "+55", "+351", "+1", "+44")
    counts = {code: sum(phone.startswith(code) for phone in plain) for code in codes}
    assert sum(counts.values()) == len(phones)
    assert 30 <= min(counts.values()) < max(counts.values()) == counts["+57"]
    assert 0.7 < len(set(phones) & set(plain)) / len(set(phones)) < 0.9
    for phone in plain:
        if phone.startswith(("+1", "+44")):
            assert re.fullmatch(r"\+1\d{3}55501\d\d|\+447700900\d{3}", phone)
