"""The customers as a PynamoDB model declares them: what its own iterator has to turn them into."""

from collections.abc import Iterator

from pynamodb.attributes import (
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from bench.person_model import PersonModel


class ByRegistered(GlobalSecondaryIndex["CustomerModel"]):
    """The store users of one kind in order of registration."""

    class Meta:
        """What PynamoDB reads."""

        index_name = "by_registered"
        projection = AllProjection()

    kind = UnicodeAttribute(hash_key=True)
    registered_at = UnicodeAttribute(range_key=True)


class CustomerModel(PersonModel):
    """A customer."""

    class Meta:
        """What PynamoDB reads."""

        table_name = "users"
        region = "us-east-1"

    access = UnicodeAttribute()
    version = NumberAttribute()
    ecosystem: MapAttribute[str, object] = MapAttribute()
    subscription: MapAttribute[str, object] = MapAttribute()
    by_registered = ByRegistered()


def customers_since(instant: str, page_size: int) -> Iterator[CustomerModel]:
    """Every customer registered since then."""
    return iter(
        CustomerModel.by_registered.query(
            "customer",
            CustomerModel.registered_at >= instant,
            scan_index_forward=False,
            page_size=page_size,
        )
    )
