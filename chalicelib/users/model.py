"""What a store user is, in the words of the product. No AWS here."""

import re
from dataclasses import dataclass
from enum import StrEnum

VALID_ID = re.compile("[A-Za-z0-9_-]{1,64}")
"""The whole id of a store user or an ecosystem: the API takes no other in its paths."""


class Kind(StrEnum):
    """A lead has registered; a customer has bought a subscription."""

    LEAD = "lead"
    CUSTOMER = "customer"


class Access(StrEnum):
    """May the users of the customer's ecosystem come in?"""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class KeptFrom(StrEnum):
    """Whose suspension was kept when the shop registered an ecosystem."""

    CUSTOMER = "customer"
    ECOSYSTEM = "ecosystem"


class BillingPeriod(StrEnum):
    """How often a subscription is billed."""

    MONTHLY = "monthly"
    ANNUAL = "annual"


class SubscriptionStatus(StrEnum):
    """The states of a subscription that the shop has, and that a list can be filtered by."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Ecosystem:
    """A customer's environment; `deployed_at` is RFC 3339, None where the shop did not say."""

    id: str
    name: str
    deployed_at: str | None

    @property
    def has_valid_id(self) -> bool:
        """True if gateways can ask for it. Any other id could be the key of a standing."""
        return VALID_ID.fullmatch(self.id) is not None


@dataclass(frozen=True, slots=True)
class Encounters:
    """Medical encounters: how many the plan includes, and how many are used."""

    included: int | None
    used: int | None


@dataclass(frozen=True, slots=True)
class Licences:
    """How many user licences are in one state (`available`, `assigned`, `suspended`, …)."""

    status: str
    count: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a customer has bought. None stands for what the shop did not say.

    `status` is text: a state that the shop adds must be shown, not be refused.
    """

    plan: str | None
    billing_period: str | None
    status: str | None
    starts_on: str | None
    ends_on: str | None
    encounters: Encounters | None
    licences: tuple[Licences, ...]


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts. `name` is for people to read; `id` is the subject of the token, never reused.

    A part of the system has no id, and a blank in its name: no user name of Cognito has one, and
    `api.auth` refuses such names. Acts of before `by_id` have none either.
    """

    name: str
    id: str | None

    @classmethod
    def system(cls, part: str) -> "Author":
        """Return the author for a part of the system: `worker`, `schedule`, `link`, …."""
        return cls(f"system {part}", None)


@dataclass(frozen=True, slots=True)
class AccessChange:
    """The last use of the switch: `version` is the customer's version that it made.

    `by` is a name to read, `by_id` the subject of the token; older changes have none.
    """

    at: str
    by: str
    reason: str | None
    version: int
    by_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoreUser:
    """A person registered in the shop. Text that is missing is empty; `version` is 0 if missing."""

    id: str
    kind: Kind
    first_name: str
    last_name: str
    company_email: str
    phone_number: str
    company_name: str
    registered_at: str
    ecosystem: Ecosystem | None = None
    access: str | None = None
    subscription: Subscription | None = None
    access_change: AccessChange | None = None
    version: int = 0

    def has_ecosystem(self, ecosystem_id: str) -> bool:
        """Return True if it is this one that the customer has."""
        return self.ecosystem is not None and self.ecosystem.id == ecosystem_id
