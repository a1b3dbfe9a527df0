"""What a file shows of each list: one table of columns, for workbook and CSV alike."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from chalicelib.users.model import Access, Kind, StoreUser

NO_ECOSYSTEM = "No complete"

WORDS: Mapping[str, Mapping[str, str]] = {
    "es": {
        "active": "Activo",
        "suspended": "Suspendido",
        "monthly": "Mensual",
        "annual": "Anual",
        "trialing": "En prueba",
        "past_due": "Pago vencido",
        "cancelled": "Cancelado",
        "expired": "Vencido",
    },
    "en": {
        "active": "Active",
        "suspended": "Suspended",
        "monthly": "Monthly",
        "annual": "Annual",
        "trialing": "Trialing",
        "past_due": "Past due",
        "cancelled": "Cancelled",
        "expired": "Expired",
    },
}


TITLES: Mapping[Kind, str] = {Kind.CUSTOMER: "Customers", Kind.LEAD: "Leads"}
"""The names of the lists, the same in every language."""


class Type(Enum):
    """How the value of a column is written: instants and dates become real dates."""

    TEXT = auto()
    WORD = auto()
    PHONE = auto()
    INSTANT = auto()
    DATE = auto()
    NUMBER = auto()


Value: TypeAlias = str | int | None
Row: TypeAlias = Sequence[Value]
"""The values of one store user, one a column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: headings by language, its value of a user, its type, and width in characters."""

    headings: Mapping[str, str]
    source: Callable[[StoreUser], Value]
    type: Type
    width: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file looks like: its title, its columns, and the language of headings and words."""

    title: str
    columns: Sequence[Column]
    language: str

    @property
    def headings(self) -> list[str]:
        """The header."""
        return [column.headings[self.language] for column in self.columns]

    def rows(self, users: Iterable[StoreUser]) -> list[Row]:
        """The values of the users, in the order of the columns."""
        sources = [column.source for column in self.columns]
        return [[source(user) for source in sources] for user in users]


@dataclass(slots=True)
class Tally:
    """What a writer did: rows written, and cells whose value the format does not allow.

    They are cut where it holds no more text, and kept as text where it knows no such date or
    number.
    """

    rows: int = 0
    cut_cells: int = 0
    kept_as_text: int = 0


def _column(
    es: str, en: str, source: Callable[[StoreUser], Value], kind: Type, width: int
) -> Column:
    return Column({"es": es, "en": en}, source, kind, width)


def _ecosystem(user: StoreUser) -> str:
    return user.ecosystem.name if user.ecosystem else NO_ECOSYSTEM


def _access(user: StoreUser) -> str:
    return user.access or Access.ACTIVE.value if user.ecosystem else ""


def _plan(user: StoreUser) -> str | None:
    return user.subscription.plan if user.subscription else None


def _billing_period(user: StoreUser) -> str | None:
    return user.subscription.billing_period if user.subscription else None


def _status(user: StoreUser) -> str | None:
    return user.subscription.status if user.subscription else None


def _starts_on(user: StoreUser) -> str | None:
    return user.subscription.starts_on if user.subscription else None


def _ends_on(user: StoreUser) -> str | None:
    return user.subscription.ends_on if user.subscription else None


def _included(user: StoreUser) -> int | None:
    encounters = user.subscription.encounters if user.subscription else None
    return encounters.included if encounters else None


def _used(user: StoreUser) -> int | None:
    encounters = user.subscription.encounters if user.subscription else None
    return encounters.used if encounters else None


def _licences(user: StoreUser) -> int | None:
    return sum(part.count for part in user.subscription.licences) if user.subscription else None


_PERSON = (
    _column("Nombre", "First name", lambda user: user.first_name, Type.TEXT, 20),
    _column("Apellido", "Last name", lambda user: user.last_name, Type.TEXT, 24),
    _column("Correo de empresa", "Company email", lambda user: user.company_email, Type.TEXT, 32),
    _column("Teléfono", "Phone number", lambda user: user.phone_number, Type.PHONE, 18),
    _column("Empresa", "Company name", lambda user: user.company_name, Type.TEXT, 30),
    _column("Registrado", "Registered", lambda user: user.registered_at, Type.INSTANT, 18),
)

COLUMNS: Mapping[Kind, Sequence[Column]] = {
    Kind.LEAD: (*_PERSON, _column("Id", "Id", lambda user: user.id, Type.TEXT, 14)),
    Kind.CUSTOMER: (
        *_PERSON,
        _column("Ecosystem Name", "Ecosystem Name", _ecosystem, Type.TEXT, 24),
        _column("Acceso", "Access", _access, Type.WORD, 12),
        _column("Plan", "Plan", _plan, Type.TEXT, 12),
        _column("Periodo", "Billing period", _billing_period, Type.WORD, 14),
        _column("Estado", "Status", _status, Type.WORD, 14),
        _column("Inicio", "Starts on", _starts_on, Type.DATE, 12),
        _column("Fin", "Ends on", _ends_on, Type.DATE, 12),
        _column("Encounters incluidos", "Encounters included", _included, Type.NUMBER, 12),
        _column("Encounters usados", "Encounters used", _used, Type.NUMBER, 12),
        _column("Licencias", "Licences", _licences, Type.NUMBER, 10),
        _column("Id", "Id", lambda user: user.id, Type.TEXT, 14),
    ),
}


def layout(kind: Kind, language: str) -> Layout:
    """What the files of a list look like."""
    return Layout(TITLES[kind], COLUMNS[kind], language)


def word(text: str, language: str) -> str:
    """A state in the reader's language; a state unknown here stays as the shop wrote it."""
    return WORDS[language].get(text, text)
