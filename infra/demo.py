"""Demo data: owns how store users are invented. Dates move with `today`, nothing else does."""

import random
import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, islice

from chalicelib.users.model import (
    Access,
    BillingPeriod,
    Ecosystem,
    Encounters,
    Kind,
    Licences,
    StoreUser,
    Subscription,
    SubscriptionStatus,
)
from chalicelib.users.text import fold
from infra.demo_names import (
    ENGLISH,
    FREE_TRIAL,
    LITE,
    PLUS,
    PORTUGUESE,
    PREMIUM,
    SHOWCASE,
    SPANISH,
    Person,
    Plan,
    Purchase,
)

_SEED = 20260101
_FIRST_NUMBER, _FIRST_ECOSYSTEM = 42, 17
"""The first user is the `cus_0042` of the API's documentation, and has its `eco_17`."""

_NEWEST_DAYS, _OLDEST_DAYS = 0.1, 399.5
"""A deployment must still find room between the registration and today."""

_TRIAL_DAYS = 14

_STATUSES = {
    SubscriptionStatus.TRIALING: 9,
    SubscriptionStatus.ACTIVE: 58,
    SubscriptionStatus.PAST_DUE: 7,
    SubscriptionStatus.SUSPENDED: 4,
    SubscriptionStatus.CANCELLED: 8,
    SubscriptionStatus.EXPIRED: 14,
}


def demo_users(count: int, *, today: date) -> Iterator[StoreUser]:
    """Invent `count` store users; whoever asks for fewer gets the same first ones.

    Everything that has happened did so before midnight UTC of `today`.
    """
    rng = random.Random(_SEED)
    people = chain(SHOWCASE, _people(rng))
    for index, person in enumerate(islice(people, count)):
        yield _user(rng, index, person, today)


def _people(rng: random.Random) -> Iterator[Person]:
    days_ago = _NEWEST_DAYS
    while True:
        shares_the_second = rng.random() < 0.04
        if not shares_the_second:
            days_ago = _NEWEST_DAYS + (_OLDEST_DAYS - _NEWEST_DAYS) * rng.random() ** 2
        yield _person(rng, days_ago)


def _person(rng: random.Random, days_ago: float) -> Person:
    language = rng.choices((SPANISH, PORTUGUESE, ENGLISH), (70, 18, 12))[0]
    given = rng.sample(language.given, rng.choices((1, 2, 3), (55, 38, 7))[0])
    surnames = rng.sample(language.surnames, rng.choice(language.surnames_each))
    return Person(
        first_name=" ".join(given),
        last_name=_or_missing(rng, " ".join(surnames)),
        company=_or_missing(rng, language.company(rng)),
        phone=_or_missing(rng, language.phone(rng)),
        days_ago=days_ago,
        purchase=_purchase(rng, days_ago) if rng.random() < 0.45 else None,
        has_email=rng.random() > 0.03,
    )


def _or_missing(rng: random.Random, text: str) -> str:
    return text if rng.random() > 0.03 else ""


def _purchase(rng: random.Random, days_ago: float) -> Purchase:
    status = rng.choices(tuple(_STATUSES), tuple(_STATUSES.values()))[0]
    plan, period = _offer(rng, status)
    if status is SubscriptionStatus.EXPIRED and days_ago < _term_days(plan, period)[1]:
        status = SubscriptionStatus.TRIALING if plan is FREE_TRIAL else SubscriptionStatus.ACTIVE
    deployed = rng.random() < 0.7
    return Purchase(plan, period, status, deployed, suspended=deployed and rng.random() < 0.085)


def _offer(rng: random.Random, status: SubscriptionStatus) -> tuple[Plan, BillingPeriod]:
    trial_share = {SubscriptionStatus.TRIALING: 1.0, SubscriptionStatus.EXPIRED: 0.4}
    if rng.random() < trial_share.get(status, 0.0):
        return FREE_TRIAL, BillingPeriod.MONTHLY
    plan = rng.choices((LITE, PLUS, PREMIUM), (50, 35, 15))[0]
    return plan, rng.choices((BillingPeriod.MONTHLY, BillingPeriod.ANNUAL), (60, 40))[0]


def _user(rng: random.Random, index: int, person: Person, today: date) -> StoreUser:
    number = _FIRST_NUMBER + index
    registered_at = (_midnight(today) - timedelta(days=person.days_ago)).replace(microsecond=0)
    user = StoreUser(
        id=f"{'cus' if person.purchase else 'led'}_{number:04d}",
        kind=Kind.CUSTOMER if person.purchase else Kind.LEAD,
        first_name=person.first_name,
        last_name=person.last_name,
        company_email=_email(person, number) if person.has_email else "",
        phone_number=person.phone,
        company_name=person.company,
        registered_at=_instant(registered_at),
        version=1,
    )
    if person.purchase is None:
        return user
    starts_on = _starts_on(rng, person.purchase, registered_at.date(), today)
    access = Access.SUSPENDED if person.purchase.suspended else Access.ACTIVE
    user = replace(
        user, access=access.value, subscription=_subscription(rng, person.purchase, starts_on)
    )
    if not person.purchase.deployed:
        return user
    trial = person.purchase.plan is FREE_TRIAL
    earliest = max(registered_at, _midnight(starts_on)) if trial else registered_at
    return replace(user, ecosystem=_ecosystem(rng, index, person, earliest, _midnight(today)))


def _email(person: Person, number: int) -> str:
    """Join first given name and first surname, at the invented domain of the company."""
    given = _slug(person.first_name.split()[0])
    surnames = [word for word in map(_slug, person.last_name.split()) if len(word) > 3]  # no "de"
    local = ".".join(part[:30] for part in (given, *surnames[:1]) if part)
    return f"{local or f'info{number}'}@{_company_slug(person, number)}.example"


def _company_slug(person: Person, number: int) -> str:
    return _slug(person.company) or f"practice-{number}"


def _slug(text: str) -> str:
    """`text` as lower-case ASCII that fits a domain's label; empty if nothing is left."""
    joined = re.sub(r"[.']", "", fold(text))
    return re.sub(r"[^a-z0-9]+", "-", joined)[:60].strip("-")


def _ecosystem(
    rng: random.Random, index: int, person: Person, earliest: datetime, midnight: datetime
) -> Ecosystem:
    """Deployed within ten days after `earliest`, and before `midnight`."""
    room = min(midnight - earliest, timedelta(days=10))
    deployed_at = earliest + timedelta(seconds=_between(rng, 1, int(room.total_seconds()) - 1))
    return Ecosystem(
        id=f"eco_{_FIRST_ECOSYSTEM + index}",
        name=_company_slug(person, _FIRST_NUMBER + index),
        deployed_at=_instant(deployed_at),
    )


def _subscription(rng: random.Random, purchase: Purchase, starts_on: date) -> Subscription:
    return Subscription(
        plan=purchase.plan.name,
        billing_period=purchase.period.value,
        status=purchase.status.value,
        starts_on=starts_on.isoformat(),
        ends_on=_ends_on(purchase, starts_on).isoformat(),
        encounters=_encounters(rng, purchase),
        licences=_licences(rng, purchase),
    )


def _starts_on(rng: random.Random, purchase: Purchase, registered_on: date, today: date) -> date:
    """Choose a first day whose term ends after `today`, or before it where the status says so.

    A cancelled subscription is over if it can be: customers of long standing.
    """
    shortest, longest = _term_days(purchase.plan, purchase.period)
    latest_if_over = today - timedelta(days=longest)
    over = purchase.status is SubscriptionStatus.EXPIRED or (
        purchase.status is SubscriptionStatus.CANCELLED and registered_on <= latest_if_over
    )
    if over:
        earliest, latest = registered_on, latest_if_over
    else:
        earliest = max(registered_on, today - timedelta(days=shortest - 2))
        latest = today - timedelta(days=1)
    return earliest + timedelta(days=_between(rng, 0, (latest - earliest).days))


def _term_days(plan: Plan, period: BillingPeriod) -> tuple[int, int]:
    """Tell the fewest and the most days that a term has, first and last included."""
    if plan is FREE_TRIAL:
        return _TRIAL_DAYS, _TRIAL_DAYS
    return (28, 31) if period is BillingPeriod.MONTHLY else (365, 366)


def _ends_on(purchase: Purchase, starts_on: date) -> date:
    """Find the last day of the term: the day before the next one would start."""
    if purchase.plan is FREE_TRIAL:
        return starts_on + timedelta(days=_TRIAL_DAYS - 1)
    months = 1 if purchase.period is BillingPeriod.MONTHLY else 12
    year, month_index = divmod(starts_on.year * 12 + starts_on.month - 1 + months, 12)
    day = min(starts_on.day, monthrange(year, month_index + 1)[1])
    return date(year, month_index + 1, day) - timedelta(days=1)


def _encounters(rng: random.Random, purchase: Purchase) -> Encounters:
    """Let a few use more than their plan includes; without an ecosystem nobody uses any."""
    share = 1.08 if rng.random() < 0.03 else rng.random()
    included = purchase.plan.encounters
    return Encounters(included, round(included * share) if purchase.deployed else 0)


def _licences(rng: random.Random, purchase: Purchase) -> tuple[Licences, ...]:
    total = _between(rng, 1, purchase.plan.most_licences)
    taken = _between(rng, 1, total) if purchase.deployed else 0
    suspended = _between(rng, 0, taken // 4)
    return (
        Licences("available", total - taken),
        Licences("assigned", taken - suspended),
        Licences("suspended", suspended),
    )


def _between(rng: random.Random, low: int, high: int) -> int:
    """Draw a whole number, `low` and `high` included.

    `randint` takes more draws for some ranges: all users that follow would change with `today`.
    """
    return low + int(rng.random() * (high - low + 1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
