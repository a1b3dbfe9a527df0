"""Invented store users in any number, with the names as often as they are: for the benches."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib import clock
from chalicelib.users.model import Ecosystem, Kind, StoreUser, Subscription

_SEED = 20_260_301
_FIRST = datetime(2023, 1, 1, tzinfo=UTC)
_DAYS = 1_000

_GIVEN = ("María", "José", "Juan", "Ana", "Luis", "Camila", "Sofía", "Andrés", "Diego", "Laura")
_RARER = ("Zoraida", "Eufrasio", "Iñaki", "Wilmer", "Yurani", "Nélida", "Fausto", "Xiomara")
_SYLLABLES = ("ma", "ri", "lo", "te", "sa", "nu", "ko", "be", "di", "fe", "gra", "hi", "jo", "la")
_FAMILY = ("Gómez", "Rodríguez", "Pérez", "Ruiz", "Díaz", "Torres", "Castro", "Rojas", "Silva")
_HOSTS = ("gmail.com", "hotmail.com", "outlook.es", "yahoo.com")
_STATUSES = ("active", "trialing", "cancelled", "expired", "past_due", "suspended")
_STATUS_WEIGHTS = (70, 10, 8, 7, 4, 1)
_PLANS = ("Lite", "Plus", "Premium", "Free Trial", "Enterprise")
_PLAN_WEIGHTS = (45, 30, 18, 6, 1)


def people(count: int, *, customers: float = 0.0) -> Iterator[StoreUser]:
    """`count` users, the share `customers` of them customers; the same each time.

    Some 3 % are called María, 10 % Gómez, 40 % write from gmail.com; one in 5,000 is Quetzalli.
    """
    rng = random.Random(_SEED)
    for number in range(count):
        at = _FIRST + timedelta(seconds=rng.randrange(_DAYS * 86_400))
        yield _user(rng, number, clock.instant(at), is_customer=rng.random() < customers)


def _user(rng: random.Random, number: int, at: str, *, is_customer: bool) -> StoreUser:
    given = "Quetzalli" if number % 5_000 == 7 else _given(rng)
    family = f"{rng.choice(_FAMILY) if rng.random() < 0.9 else _word(rng)} {_word(rng).title()}"
    company = f"{rng.choice(('Clínica', 'Centro', 'IPS'))} {_word(rng).title()}"
    host = rng.choice(_HOSTS) if rng.random() < 0.8 else f"{_word(rng)}.co"
    email = f"{_word(rng)}.{number}@{'gmail.com' if rng.random() < 0.2 else host}"
    phone = f"+57{rng.randrange(3_000_000_000, 3_300_000_000)}"
    kind = Kind.CUSTOMER if is_customer else Kind.LEAD
    user = StoreUser(f"u{number:07}", kind, given, family, email, phone, company, at, version=1)
    return _bought(rng, user, number) if is_customer else user


def _given(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return rng.choice(_GIVEN)
    return rng.choice(_RARER) if rng.random() < 0.3 else _word(rng).title()


def _word(rng: random.Random) -> str:
    return "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4)))


def _bought(rng: random.Random, user: StoreUser, number: int) -> StoreUser:
    deployed = rng.random() < 0.7
    return replace(
        user,
        ecosystem=Ecosystem(f"eco{number}", _word(rng), user.registered_at) if deployed else None,
        access="suspended" if rng.random() < 0.01 else "active",
        subscription=Subscription(
            plan=rng.choices(_PLANS, _PLAN_WEIGHTS)[0],
            billing_period=rng.choice(("monthly", "annual")),
            status=rng.choices(_STATUSES, _STATUS_WEIGHTS)[0],
            starts_on=user.registered_at[:10],
            ends_on="2027-01-01",
            encounters=None,
            licences=(),
        ),
    )
