"""The keys by which the indexes sort a store user."""

import pytest

from chalicelib.users.item import sort_keys
from tests.builders import customer, lead

LAST = "\U0010ffff"


@pytest.mark.parametrize(
    ("first_name", "last_name", "key"),
    [
        ("María José", "Gómez Ruiz", "maria jose gomez ruiz"),
        ("", "  Gómez ", "gomez"),
        ("Ana", "", "ana"),
        ("", "", LAST),
        ("  ", "\u0301", LAST),
        ("梅", "艷芳", "梅 艷芳"),
        ("نور", "", "نور"),
        ("x" * 5_000, "y", "x" * 200),
        ("🌻" * 5_000, "", "🌻" * 200),
    ],
)
def test_a_name_sorts_by_its_folded_text(first_name: str, last_name: str, key: str) -> None:
    assert sort_keys(lead(first_name=first_name, last_name=last_name))["sort_name"] == key


def test_a_lead_has_two_keys_of_indexes_and_a_customer_five() -> None:
    assert sort_keys(lead()) == {"sort_name": "juan perez", "sort_company": LAST}
    assert sort_keys(customer(subscription=None)) == {
        "sort_name": "maria jose gomez ruiz",
        "sort_company": "clinica sol",
        "sort_ends_on": LAST,
        "segment": '["","","","active",true]',
        "segment_order": "2026-03-01T15:04:05Z#cus_0042",
    }
    undated = sort_keys(customer(registered_at=""))
    assert undated.keys() == {"sort_name", "sort_company", "sort_ends_on"}
