"""Bodies with more in them than may be said, or deeper than anybody needs."""

from typing import Any

import pytest

from tests.api.client import Client
from tests.api.exports import KEYS
from tests.api.test_switch_bodies import DEPTHS
from tests.builders import customer, save, stored

REASON = "Privacy incident 4711"


MORE: list[dict[str, Any]] = [
    {"version": 99},
    {"id": "cus_0001"},
    {"by": "somebody@else.example"},
    {"at": "2020-01-01T00:00:00Z"},
    {"ecosystem": {"id": "eco_1"}},
    {"access_change": {"by": "nobody"}},
    {"__proto__": {"access": "active"}},
    {"request_id": "forged"},
]


@pytest.mark.parametrize("more", MORE, ids=lambda more: next(iter(more)))
def test_the_switch_takes_no_member_but_its_own(api: Client, more: dict[str, Any]) -> None:
    save(customer())
    before = stored("cus_0042")
    answer = api.switch({"access": "suspended", "reason": REASON, **more})
    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert stored("cus_0042") == before


@pytest.mark.parametrize(
    "more",
    [
        *({"status": "succeeded"}, {"requested_by": "ana@example.com"}, {"origin": "scheduled"}),
        *({"object_key": "exports/exp_1/1"}, {"id": "exp_1"}, {"file_name": "a.exe"}),
        *({"period": {"from": None, "to": "2026-01-01T00:00:00Z"}}, {"rows": 1}, {"attempt": 9}),
    ],
    ids=lambda more: next(iter(more)),
)
def test_an_order_takes_no_member_but_its_own(edge: Client, more: dict[str, Any]) -> None:
    answer = edge.order(KEYS[0], {"resource": "leads", **more})
    assert (answer.status, answer.problem) == (400, "invalid-request")


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", ["lists", "objects"])
def test_a_deep_order_is_refused_however_deep(edge: Client, depth: int, kind: str) -> None:
    begin, end = (b"[", b"]") if kind == "lists" else (b'{"a":', b"}")
    body = b'{"resource":"leads","filters":' + begin * depth + b"1" + end * depth + b"}"
    answer = edge.order(KEYS[0], body)
    assert answer.status in {400, 413}
    assert answer.problem in {"invalid-request", "payload-too-large"}


def test_a_wide_order_is_told_in_few_words(edge: Client) -> None:
    wide = {f"m{number}": number for number in range(1_200)}
    answer = edge.order(KEYS[0], {"resource": "leads", **wide})
    assert (answer.status, answer.problem) == (400, "invalid-request")
    assert len(answer.body) < 1_500
