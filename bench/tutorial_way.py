"""The same five things as a tutorial builds them, to measure against: PynamoDB and openpyxl.

One model, an index with everything in it for each question, `contains` for the search, a count for
the total, read and save for the switch, the workbook in memory. No mistake is made on purpose.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import reduce
from io import BytesIO
from itertools import islice
from operator import and_, or_
from typing import Any

import boto3
from openpyxl import Workbook
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from bench.person_model import PersonModel

HEADINGS = (
    *("first_name", "last_name", "company_email", "phone_number", "company_name"),
    *("registered_at", "ecosystem_name", "access", "plan", "billing_period", "status"),
    *("starts_on", "ends_on", "encounters_included", "encounters_used", "licences", "id"),
)
"""As many columns as our files have."""

_READ_AT_ONCE = 500
"""Rows that a search reads in a request. PynamoDB left alone reads 25: twenty times as often."""

_s3 = boto3.client("s3")


class ByRegistered(GlobalSecondaryIndex["Person"]):
    """The people of one kind in order of registration."""

    class Meta:
        """What PynamoDB reads."""

        index_name = "by_registered"
        projection = AllProjection()

    kind = UnicodeAttribute(hash_key=True)
    registered_at = UnicodeAttribute(range_key=True)


class ByEcosystem(GlobalSecondaryIndex["Person"]):
    """Who owns an ecosystem, for the gateways."""

    class Meta:
        """What PynamoDB reads."""

        index_name = "by_ecosystem"
        projection = AllProjection()

    ecosystem_id = UnicodeAttribute(hash_key=True)


class Person(PersonModel):
    """A customer or a lead."""

    class Meta:
        """What PynamoDB reads."""

        table_name = "tutorial_people"
        region = "us-east-1"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE

    ecosystem_id = UnicodeAttribute(null=True)
    ecosystem_name = UnicodeAttribute(null=True)
    access = UnicodeAttribute(null=True)
    plan = UnicodeAttribute(null=True)
    billing_period = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    starts_on = UnicodeAttribute(null=True)
    ends_on = UnicodeAttribute(null=True)
    encounters_included = NumberAttribute(null=True)
    encounters_used = NumberAttribute(null=True)
    licences = NumberAttribute(null=True)
    by_registered = ByRegistered()
    by_ecosystem = ByEcosystem()


class Act(Model):
    """An entry of the audit."""

    class Meta:
        """What PynamoDB reads."""

        table_name = "tutorial_audit"
        region = "us-east-1"
        billing_mode = PAY_PER_REQUEST_BILLING_MODE

    person_id = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)
    by = UnicodeAttribute()
    before = UnicodeAttribute(null=True)
    after = UnicodeAttribute()
    reason = UnicodeAttribute()


def page(kind: str, size: int) -> tuple[list[Person], int]:
    """The newest people, and how many there are."""
    newest = Person.by_registered.query(kind, limit=size, scan_index_forward=False)
    return list(newest), Person.by_registered.count(kind)


def search(kind: str, text: str, size: int) -> list[Person]:
    """The newest people in whom every word of the text occurs somewhere."""
    found: Iterator[Person] = Person.by_registered.query(
        kind,
        filter_condition=reduce(and_, map(_somewhere, text.split())),
        scan_index_forward=False,
        page_size=_READ_AT_ONCE,
    )
    return list(islice(found, size))


def switch(person_id: str, access: str, by: str, reason: str) -> Person:
    """Let the users of the customer's ecosystem in, or not."""
    person = Person.get(person_id)
    before, person.access = person.access, access
    person.save()
    at = datetime.now(UTC).isoformat()
    Act(person_id, at, by=by, before=before, after=access, reason=reason).save()
    return person


def access_of(ecosystem_id: str) -> str | None:
    """What a gateway is told."""
    owner: Person = next(Person.by_ecosystem.query(ecosystem_id, limit=1))
    return owner.access


def export(kind: str, bucket: str, key: str) -> int:
    """Put everybody of that kind into a workbook, and that into the bucket; how many they are."""
    people = list(Person.by_registered.query(kind, scan_index_forward=False))
    content = workbook([[getattr(one, name) for name in HEADINGS] for one in people])
    _s3.put_object(Bucket=bucket, Key=key, Body=content)
    return len(people)


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """The rows under their headings."""
    book, content = Workbook(), BytesIO()
    sheet = book.worksheets[0]
    for row in (HEADINGS, *rows):
        sheet.append(list(row))
    book.save(content)
    return content.getvalue()


def _somewhere(word: str) -> Condition:
    searched = (
        *(Person.first_name, Person.last_name, Person.company_email),
        *(Person.phone_number, Person.company_name),
    )
    return reduce(or_, (one.contains(word) for one in searched))
