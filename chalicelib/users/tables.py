"""The tables: keys, indexes and attribute names, one PynamoDB model each.

infra/resources.yaml creates them; a test holds the two equal. Seen by users/ and exports/ only.
"""

from functools import cache

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import (
    AllProjection,
    GlobalSecondaryIndex,
    IncludeProjection,
    KeysOnlyProjection,
)
from pynamodb.models import Model

from chalicelib.dynamodb import Connection, connection, know
from chalicelib.settings import settings
from chalicelib.users.model import Access

NO_OWNER = ""
"""The `customer_id` of an ecosystem that no customer has any more."""

ROW_ATTRIBUTES = [
    "first_name",
    "last_name",
    "company_email",
    "phone_number",
    "company_name",
    "registered_at",
    "ecosystem",
    "access",
    "subscription",
    "version",
]
"""What a row of a list shows, hence what every index of `users` carries."""


class ByRegistered(GlobalSecondaryIndex["UserItem"]):
    """The store users of one kind in order of registration."""

    class Meta:
        """What PynamoDB reads."""

        index_name = "by_registered"
        projection = IncludeProjection(ROW_ATTRIBUTES)

    kind = UnicodeAttribute(hash_key=True)
    registered_at = UnicodeAttribute(range_key=True)


class ByName(GlobalSecondaryIndex["UserItem"]):
    """The store users of one kind in order of first and last name, folded."""

    class Meta:
        """What PynamoDB reads."""

        index_name = "by_name"
        projection = IncludeProjection(ROW_ATTRIBUTES)

    kind = UnicodeAttribute(hash_key=True)
    sort_name = UnicodeAttribute(range_key=True)


class ByCompany(GlobalSecondaryIndex["UserItem"]):
    """The store users of one kind in order of company name, folded."""

    class Meta:
        """What PynamoDB reads."""

        index_name = "by_company"
        projection = IncludeProjection(ROW_ATTRIBUTES)

    kind = UnicodeAttribute(hash_key=True)
    sort_company = UnicodeAttribute(range_key=True)


class ByEndsOn(GlobalSecondaryIndex["UserItem"]):
    """The customers in order of the end of their subscription."""

    class Meta:
        """What PynamoDB reads."""

        index_name = "by_ends_on"
        projection = IncludeProjection(ROW_ATTRIBUTES)

    kind = UnicodeAttribute(hash_key=True)
    sort_ends_on = UnicodeAttribute(range_key=True)


class BySegment(GlobalSecondaryIndex["UserItem"]):
    """The customers of one segment, by registration and id: for filters that few fit."""

    class Meta:
        """What PynamoDB reads."""

        index_name = "by_segment"
        projection = KeysOnlyProjection()

    segment = UnicodeAttribute(hash_key=True)
    segment_order = UnicodeAttribute(range_key=True)


class UserItem(Model):
    """A store user. Written by the shop and read by `item`, which forgives; so: keys alone here."""

    class Meta:
        """What PynamoDB reads."""

        table_name = "users"

    id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute()
    registered_at = UnicodeAttribute()
    sort_name = UnicodeAttribute(null=True)
    sort_company = UnicodeAttribute(null=True)
    sort_ends_on = UnicodeAttribute(null=True)
    segment = UnicodeAttribute(null=True)
    segment_order = UnicodeAttribute(null=True)
    by_registered = ByRegistered()
    by_name = ByName()
    by_company = ByCompany()
    by_ends_on = ByEndsOn()
    by_segment = BySegment()


class SearchItem(Model):
    """An entry of the search index: see `entries`. Derived; `make reindex` makes it anew."""

    class Meta:
        """What PynamoDB reads."""

        table_name = "search"

    bucket = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    h = UnicodeAttribute()


class TotalItem(Model):
    """A counter of a list, or what of one user is counted and indexed: see `counting`. Derived."""

    class Meta:
        """What PynamoDB reads."""

        table_name = "totals"

    list = UnicodeAttribute(hash_key=True)
    bucket = UnicodeAttribute(range_key=True)


class EcosystemItem(Model):
    """What the gateways ask: may this ecosystem be entered?

    A tombstone has no customer (`NO_OWNER`): see `kept_access`. Records of before 1.0 have no
    `epoch` and no `not_before`. `suspensions` keeps items of its own in this table.
    """

    class Meta:
        """What PynamoDB reads."""

        table_name = "ecosystems"

    id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    customer_id = UnicodeAttribute()
    access = UnicodeAttribute()
    changed_at = UnicodeAttribute()
    version = NumberAttribute()
    epoch = NumberAttribute(null=True)
    not_before = UnicodeAttribute(null=True)

    @property
    def is_gone(self) -> bool:
        """True if it is active and no customer has it: gateways are told that there is none."""
        return self.customer_id == NO_OWNER and self.access == Access.ACTIVE


class AuditItem(Model):
    """Who did what to `subject`, when and why. Append only: see `audit` and `chain`.

    `entry` is `n` and a number; `at#ulid` in older entries, which have no `by_id`, `id`,
    `prev` and `hash`.
    """

    class Meta:
        """What PynamoDB reads."""

        table_name = "audit"

    subject = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    by = UnicodeAttribute()
    by_id = UnicodeAttribute(null=True)
    action = UnicodeAttribute()
    facts = JSONAttribute()
    request_id = UnicodeAttribute(null=True)
    id = UnicodeAttribute(null=True)
    prev = UnicodeAttribute(null=True)
    hash = UnicodeAttribute(null=True)


class ByRequested(GlobalSecondaryIndex["ExportItem"]):
    """All exports in order of the moment they were asked for."""

    class Meta:
        """What PynamoDB reads."""

        index_name = "by_requested"
        projection = AllProjection()

    shelf = UnicodeAttribute(hash_key=True)
    requested_at = UnicodeAttribute(range_key=True)


class ExportItem(Model):
    """An export job: what was asked for, how far it is, and who works on it."""

    class Meta:
        """What PynamoDB reads."""

        table_name = "exports"

    id = UnicodeAttribute(hash_key=True)
    shelf = UnicodeAttribute(default="exports")
    resource = UnicodeAttribute()
    format = UnicodeAttribute()
    language = UnicodeAttribute()
    filters = JSONAttribute()
    period_from = UnicodeAttribute(null=True)
    period_to = UnicodeAttribute(null=True)
    origin = UnicodeAttribute()
    fingerprint = UnicodeAttribute()
    status = UnicodeAttribute()
    done = NumberAttribute(default=0)
    total = NumberAttribute(null=True)
    requested_by = UnicodeAttribute()
    # The subject of the token; none in scheduled jobs and in older ones.
    requested_by_id = UnicodeAttribute(null=True)
    requested_at = UnicodeAttribute()
    # Jobs of the first version have none: the audit entry of their request does.
    request_id = UnicodeAttribute(default="")
    attempt = NumberAttribute(default=0)
    lease_until = UnicodeAttribute(null=True)
    finished_at = UnicodeAttribute(null=True)
    expires_at = UnicodeAttribute(null=True)
    rows = NumberAttribute(null=True)
    size_bytes = NumberAttribute(null=True)
    sha256 = UnicodeAttribute(null=True)
    object_key = UnicodeAttribute(null=True)
    file_name = UnicodeAttribute(null=True)
    error = UnicodeAttribute(null=True)
    announced_at = UnicodeAttribute(null=True)
    memory_key = UnicodeAttribute(null=True)
    follows = UnicodeAttribute(null=True)
    deleted_at = UnicodeAttribute(null=True)
    removed_after = NumberAttribute()
    by_requested = ByRequested()


@cache
def store() -> Connection:
    """The connection to DynamoDB, with every table known to it."""
    names = settings()
    know(UserItem, names.users_table)
    know(EcosystemItem, names.ecosystems_table)
    know(SearchItem, names.search_table)
    know(TotalItem, names.totals_table)
    know(AuditItem, names.audit_table)
    know(ExportItem, names.exports_table)
    return connection()
