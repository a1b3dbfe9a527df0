"""Invented customers to measure with: the same ones each time, and no two alike."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from chalicelib.exports.columns import COLUMNS, Layout
from chalicelib.users.model import Ecosystem, Encounters, Kind, Licences, StoreUser, Subscription
from chalicelib.users.tables import ExportItem

_FIRST = ("María José", "Ana", "Luis", "Jorge Andrés", "Sofía", "Óscar", "Inés", "Tomás", "Lucía")
_LAST = ("Gómez Ruiz", "Rodríguez", "Pérez", "Muñoz Díaz", "Quiñones", "Vargas", "Ortega Peña")
_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
_SECONDS_APART = 60


def layout() -> Layout:
    """Twelve of the columns of customers: seven texts, a phone, an instant, two dates, a number."""
    columns = COLUMNS[Kind.CUSTOMER]
    return Layout("Customers", [*columns[:9], *columns[11:13], columns[13]], "es")


def job() -> ExportItem:
    """The order of a workbook of customers, in Spanish, as a worker has it."""
    made = ExportItem("exp_bench", resource="customers", format="xlsx", language="es", attempt=1)
    made.requested_at, made.requested_by, made.filters = registered_of(0), "bench", {}
    made.origin, made.fingerprint = "manual", ""
    return made


def customers(count: int) -> Iterator[StoreUser]:
    """So many customers, the oldest first, one a minute."""
    dice = random.Random(1)
    for number in range(count):
        first, last = dice.choice(_FIRST), dice.choice(_LAST)
        registered = _BEGIN + timedelta(seconds=number * _SECONDS_APART)
        yield StoreUser(
            id=f"cus_{number:07}",
            kind=Kind.CUSTOMER,
            first_name=first,
            last_name=last,
            company_email=f"person{number}@clinic{dice.randrange(10_000)}.example",
            phone_number=f"+57300{dice.randrange(10**7):07}",
            company_name=f"Clínica {last} {dice.randrange(1_000)} & Co",
            registered_at=f"{registered:%Y-%m-%dT%H:%M:%SZ}",
            ecosystem=Ecosystem(f"eco_{number}", f"clinica-{number}", None),
            access="active",
            subscription=Subscription(
                plan=dice.choice(("Lite", "Plus", "Premium")),
                billing_period="annual",
                status="active",
                starts_on=f"{registered:%Y-%m-%d}",
                ends_on=f"{registered + timedelta(days=365):%Y-%m-%d}",
                encounters=Encounters(5_000, dice.randrange(5_000)),
                licences=(Licences("available", 3), Licences("assigned", dice.randrange(20))),
            ),
            version=1,
        )


def registered_of(number: int) -> str:
    """When the customer of that number registered."""
    return f"{_BEGIN + timedelta(seconds=number * _SECONDS_APART):%Y-%m-%dT%H:%M:%SZ}"
