"""Whatever people are called, whatever is searched: whom plain Python finds, each once."""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.users import searching
from chalicelib.users.filters import Filters
from chalicelib.users.item import from_item, to_item
from chalicelib.users.listing import UserPage
from chalicelib.users.model import Ecosystem, Kind, StoreUser
from tests.builders import SUBSCRIPTION, client, customer, save_item
from tests.builders import lead as lead_
from tests.feed import Feed
from tests.following import empty, entries, follow
from tests.invented import invented_text

FIELDS = ("first_name", "last_name", "company_email", "company_name")
NAMES = (
    *("María José", "Gómez", "GOMEZ", "Müller-Lüdenscheidt", "O'Neill", "Ana", "Anabel", "banana"),
    *(
        "ﬁnca",
        "Straße",
        "İstanbul",
        "Νίκος",
        "Йорк",
        "梅 艷芳",
        "山田太郎",
        "محمد",
        "नमस्ते",
        "สมชาย",
    ),
    *("🌻 Sol", "👩‍⚕️", "²³", "№ 5", "٣٠٠", "x_y", "Jose\u0301", "Zoe\u0308", "a b c", "\x00", ""),
    "Clínica " * 25,
    "w" * 200,
)
texts = st.sampled_from(NAMES) | invented_text(max_size=12) | st.text("ab", min_size=2, max_size=8)
phones = st.sampled_from(
    ["+57 300 123 4567", "3001234567", "(310) 765-4321", "57 1 2345678", "n/a", "", "٣٠٠١٢٣٤٥٦٧"]
)
days = st.sampled_from(["2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z"])
people: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    kind=st.sampled_from(Kind),
    first_name=texts,
    last_name=texts,
    company_email=st.sampled_from(["", "ana.gomez@clinica-sol.example", "x@y.co"]) | texts,
    company_name=texts,
    phone_number=phones,
    registered_at=days,
    access=st.sampled_from(["active", "suspended"]),
)


def _person(number: int, facts: dict[str, Any]) -> StoreUser:
    given = dict(facts)
    if given.pop("kind") is Kind.LEAD:
        del given["access"]
        return lead_(f"u{number}", **given)
    return customer(f"u{number}", **given, ecosystem=None, subscription=None)


# The oracle: written by the words of the contract, without the code under test.


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = [character for character in text if not unicodedata.combining(character)]
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain)


def _split(text: str) -> list[str]:
    kept = [c if unicodedata.category(c)[0] in "LNM" else " " for c in _fold(text)]
    return "".join(kept).split()


def _digits(text: str) -> str:
    return "".join(c for c in _fold(text) if c in "0123456789")


def _is_found(person: StoreUser, text: str) -> bool:
    words = [word for name in FIELDS for word in _split(getattr(person, name))]
    words.append(_digits(person.phone_number))
    number = _digits(text).removeprefix("00")
    if (
        text.strip().startswith(("+", "00"))
        and len(number) >= 9
        and not set(text) - set("+0123456789 ()-")
    ):
        return any(number in one or (_is_national(one, number)) for one in words)
    wanted = _split(text)
    return bool(wanted) and all(any(one in word for word in words) for one in wanted)


def _is_national(stored: str, number: str) -> bool:
    """`stored` is `number` without its country code of one to three digits."""
    return len(stored) >= 6 and number[1:].endswith(stored) and len(number) - len(stored) <= 3


def _walk(kind: Kind, filters: Filters, limit: int) -> list[UserPage]:
    pages = [searching.page(kind, filters, None, limit)]
    while (token := pages[-1].next) and len(pages) < 60:
        pages.append(searching.page(kind, filters, token, limit))
    return pages


def _back(kind: Kind, filters: Filters, limit: int, last: UserPage) -> list[UserPage]:
    pages, token = [last], last.prev
    while token and len(pages) < 60:
        pages.append(searching.page(kind, filters, token, limit))
        token = pages[-1].prev
    return pages[::-1]


def _ids(pages: Iterable[UserPage]) -> list[str]:
    return [user.id for page in pages for user in page.users]


def _check(kind: Kind, there: dict[str, StoreUser], text: str, limit: int) -> None:
    filters = Filters(q=text)
    expected = {one.id for one in there.values() if one.kind is kind and _is_found(one, text)}
    pages = _walk(kind, filters, limit)
    met = _ids(pages)
    assert len(met) == len(set(met)), "somebody was met twice"
    assert set(met) == expected
    assert [page.start for page in pages] == [limit * at for at in range(len(pages))]
    for page in pages:
        assert page.total
        assert (page.total.number, page.total.is_exact) == (len(expected), True)
    assert _ids(_back(kind, filters, limit, pages[-1])) == met
    assert [user.id for chunk in searching.everyone(kind, filters) for user in chunk] == met


@st.composite
def _searches(draw: st.DrawFn, there: list[StoreUser]) -> str:
    """Cut out of a person, put together of several pieces, or invented."""
    person = draw(st.sampled_from(there))
    fields = [getattr(person, name) for name in (*FIELDS, "phone_number")]
    pieces = []
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from(fields))
        at = draw(st.integers(0, max(len(text) - 1, 0)))
        pieces.append(text[at : at + draw(st.integers(1, 24))])
    cut = draw(st.permutations(pieces))
    invented = st.text(max_size=6) | st.sampled_from(["an", "maria", "+57 300 123 4567", "1 4567"])
    text = draw(st.just(" ".join(cut)) | st.just(" ".join(cut).upper()) | invented)
    return text[:100]


@pytest.mark.usefixtures("cloud")
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_a_search_finds_whom_plain_python_finds_on_every_walk_after_every_edit(
    data: st.DataObject,
) -> None:
    empty("users", "ecosystems", "search", "totals")
    feed = Feed()
    there: dict[str, StoreUser] = {}
    for _ in range(data.draw(st.integers(1, 3))):
        for number in data.draw(st.lists(st.integers(0, 7), min_size=1, max_size=5, unique=True)):
            key = f"u{number}"
            if key in there and data.draw(st.booleans()):
                client().delete_item(TableName="users", Key={"id": {"S": key}})
                del there[key]
            else:
                there[key] = _person(number, data.draw(people))
                item = to_item(there[key])
                missing = data.draw(st.sets(st.sampled_from(sorted(item.keys() - REQUIRED))))
                left = {name: value for name, value in item.items() if name not in missing}
                save_item(left)
                there[key] = from_item(left)
        follow(feed)
        if not there:
            assert entries() == set()
            continue
        for _ in range(data.draw(st.integers(1, 3))):
            text = data.draw(_searches(sorted(there.values(), key=lambda one: one.id)))
            _check(data.draw(st.sampled_from(Kind)), there, text, data.draw(st.integers(1, 3)))


REQUIRED = {"id", "kind", "registered_at"}


@pytest.mark.usefixtures("cloud")
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["active", "suspended"]),
            st.sampled_from(["trialing", "past_due"]),
            st.booleans(),
            days,
        ),
        min_size=1,
        max_size=9,
    ),
    st.builds(
        Filters,
        q=st.sampled_from(["gomez", "ana ruiz"]),
        access=st.sampled_from([None, "suspended"]),
        status=st.sampled_from([(), ("past_due",), ("past_due", "trialing")]),
        ecosystem=st.sampled_from([None, "deployed", "none"]),
        registered_from=st.sampled_from([None, "2026-03-02"]),
        registered_to=st.sampled_from([None, "2026-03-02"]),
    ),
    st.integers(1, 3),
)
def test_a_search_goes_together_with_the_filters(
    facts: list[tuple[str, str, bool, str]], filters: Filters, limit: int
) -> None:
    empty("users", "ecosystems", "search", "totals")
    feed = Feed()
    expected = set()
    for number, (access, status, deployed, at) in enumerate(facts):
        person = customer(
            f"u{number}",
            first_name="Ana",
            access=access,
            subscription=replace(SUBSCRIPTION, status=status),
            ecosystem=Ecosystem(f"eco{number}", "x", None) if deployed else None,
            registered_at=at,
        )
        save_item(to_item(person))
        passes = (
            filters.access in (None, access)
            and (not filters.status or status in filters.status)
            and filters.ecosystem in (None, "deployed" if deployed else "none")
            and (filters.registered_from or "") <= at[:10] <= (filters.registered_to or "9")
        )
        if passes:
            expected.add(person.id)
    follow(feed)
    pages = _walk(Kind.CUSTOMER, filters, limit)
    met = _ids(pages)
    assert sorted(met) == sorted(expected)
    assert pages[0].total
    assert (pages[0].total.number, pages[0].total.is_exact) == (len(expected), True)
    assert _ids(_back(Kind.CUSTOMER, filters, limit, pages[-1])) == met
