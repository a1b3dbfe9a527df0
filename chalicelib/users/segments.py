"""Segments: customers that no filter tells apart, but for the dates. Pure functions.

Every customer is in one segment. Its name is the partition of an index and the name of a counter,
so that a filter comes down to the segments that fit: how many customers they have is known
before a customer is read, and the rare ones are read from their own partitions.
"""

import json
from dataclasses import astuple, dataclass
from typing import Self

from chalicelib.users.model import StoreUser

_PLAN_CHARACTERS = 101
"""One more than a filter can have: a longer plan fits none, and sort keys hold 1,024 bytes."""

_WORD_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Segment:
    """What filters look at. Text that is missing is empty."""

    status: str
    plan: str
    billing_period: str
    access: str
    is_deployed: bool

    @classmethod
    def of(cls, user: StoreUser) -> Self:
        """The segment of a customer."""
        bought = user.subscription
        return cls(
            status=((bought and bought.status) or "")[:_WORD_CHARACTERS],
            plan=((bought and bought.plan) or "")[:_PLAN_CHARACTERS],
            billing_period=((bought and bought.billing_period) or "")[:_WORD_CHARACTERS],
            access=(user.access or "")[:_WORD_CHARACTERS],
            is_deployed=user.ecosystem is not None,
        )

    @classmethod
    def named(cls, name: str) -> Self | None:
        """Return the segment of that name; None where another version named it otherwise."""
        try:
            found = cls(*json.loads(name))
        except (ValueError, TypeError):
            return None
        texts = (found.status, found.plan, found.billing_period, found.access)
        is_ours = all(isinstance(one, str) for one in texts) and isinstance(found.is_deployed, bool)
        return found if is_ours else None

    @property
    def name(self) -> str:
        """The name in indexes and counters: a JSON array."""
        return json.dumps(astuple(self), ensure_ascii=False, separators=(",", ":"))
