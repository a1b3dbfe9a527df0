"""The pool's public keys: fetched once, kept, and fetched again with measure."""

import json
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from chalicelib.settings import settings
from tests.api.client import Client
from tests.api.pool import person_claims


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock by which keys grow old: `seconds` is what it says."""
    hand = SimpleNamespace(seconds=1_000.0)
    stopped = SimpleNamespace(monotonic=lambda: hand.seconds)
    monkeypatch.setattr("chalicelib.api.tokens.time", stopped)
    return hand


@pytest.fixture(params=["closed", "silent"])
def elsewhere(request: pytest.FixtureRequest) -> Iterator[str]:
    """An address where no pool is: nobody listens, or whoever does never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "silent":
            listener.listen(8)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/jwks.json"


def _seek_keys_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_KEYS_URL", address)
    settings.cache_clear()


def _status(edge: Client, key: str = "first") -> int:
    token = edge.pool.sign(person_claims("viewer"), key)
    headers = {"Authorization": f"Bearer {token}"}
    return edge.call("GET", "/v1/session", None, headers=headers).status


def test_keys_are_fetched_once_and_again_after_an_hour(
    edge: Client, monotonic: SimpleNamespace
) -> None:
    assert [_status(edge) for _ in range(5)] == [200] * 5
    monotonic.seconds += 3_600
    assert (_status(edge), edge.pool.fetches) == (200, 1)
    monotonic.seconds += 1
    assert (_status(edge), edge.pool.fetches) == (200, 2)


def test_a_new_key_of_the_pool_is_fetched_when_it_first_appears(
    edge: Client, monotonic: SimpleNamespace
) -> None:
    assert _status(edge) == 200
    edge.pool.key_ids = ["first", "second"]
    monotonic.seconds += 11
    assert [_status(edge, "second"), _status(edge), _status(edge, "second")] == [200] * 3
    assert edge.pool.fetches == 2


def test_a_key_that_the_pool_withdrew_opens_nothing_after_an_hour(
    edge: Client, monotonic: SimpleNamespace
) -> None:
    assert _status(edge) == 200
    edge.pool.key_ids = ["second"]
    monotonic.seconds += 3_601
    assert _status(edge) == 401


def test_forged_key_ids_have_keys_fetched_once_in_ten_seconds(
    edge: Client, monotonic: SimpleNamespace
) -> None:
    assert _status(edge) == 200
    for _ in range(7):
        assert [_status(edge, "another") for _ in range(3)] == [401] * 3
        monotonic.seconds += 5
    # After 0, 15 and 30 s: when 10 s have gone by exactly, it is not yet time.
    assert edge.pool.fetches == 3
    assert _status(edge) == 200


BROKEN = {
    "an error": (500, b"down"),
    "a page": (200, b"<html>"),
    "nothing": (200, b""),
    "no keys": (200, b'{"keys": []}'),
    "other JSON": (200, b"[]"),
    "keys of a kind that is not known": (200, b'{"keys": [{"kty": "future", "kid": "first"}]}'),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_keys_that_are_known_survive_a_failing_fetch(
    edge: Client, monotonic: SimpleNamespace, kind: str
) -> None:
    assert _status(edge) == 200
    edge.pool.answer = BROKEN[kind]
    monotonic.seconds += 3_601
    assert _status(edge) == 200
    assert edge.pool.fetches == 2


def test_keys_that_are_known_survive_an_answer_that_is_cut_short(
    edge: Client, monotonic: SimpleNamespace
) -> None:
    assert _status(edge) == 200
    edge.pool.lost_bytes = 100
    monotonic.seconds += 3_601
    assert _status(edge) == 200


@pytest.mark.parametrize("kind", BROKEN)
def test_without_any_keys_sign_in_is_said_to_be_unavailable_rather_than_the_token_bad(
    edge: Client, monotonic: SimpleNamespace, kind: str
) -> None:
    edge.pool.answer = BROKEN[kind]
    token = edge.pool.token("admin")
    answer = edge.call("GET", "/v1/session", None, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.problem) == (503, "sign-in-unavailable")
    assert answer.headers["retry-after"] == "5"
    edge.pool.answer = None
    monotonic.seconds += 11
    assert _status(edge) == 200


def test_a_pool_that_cannot_be_reached_is_no_fault_of_the_token_and_is_asked_again(
    edge: Client, monotonic: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    address = edge.pool.keys_url
    _seek_keys_at(elsewhere, monkeypatch)
    answer = edge.get("/v1/session")
    assert (answer.status, answer.problem) == (503, "sign-in-unavailable")
    assert answer.headers["retry-after"] == "5"
    assert edge.get("/health", None).status == 200
    _seek_keys_at(address, monkeypatch)
    monotonic.seconds += 11
    assert _status(edge) == 200


def test_a_token_that_cannot_be_checked_is_counted_and_one_that_is_refused_is_not(
    edge: Client,
    monotonic: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    elsewhere: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """API Gateway's own metrics tell neither of the two from other faults of callers."""

    def counted() -> int:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        failed = [line for line in lines if line["event"] == "sign_in.failed"]
        for line in failed:
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            assert [one["Name"] for one in directive["Metrics"]] == ["failed"]
        return sum(line["failed"] for line in failed)

    address = edge.pool.keys_url
    _seek_keys_at(elsewhere, monkeypatch)
    assert [_status(edge), _status(edge), counted()] == [503, 503, 2]
    _seek_keys_at(address, monkeypatch)
    monotonic.seconds += 11
    assert [_status(edge), _status(edge, "another"), counted()] == [200, 401, 0]


def test_keys_that_are_known_serve_on_while_the_pool_cannot_be_reached(
    edge: Client, monotonic: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    assert _status(edge) == 200
    _seek_keys_at(elsewhere, monkeypatch)
    monotonic.seconds += 3_601
    assert _status(edge) == 200
    forged = edge.pool.sign(person_claims("admin"), "another", kid="first")
    headers = {"Authorization": f"Bearer {forged}"}
    assert edge.call("GET", "/v1/session", None, headers=headers).status == 401


def test_a_pool_that_is_down_is_asked_once_in_ten_seconds_however_many_forged_keys_come(
    edge: Client, monotonic: SimpleNamespace
) -> None:
    assert _status(edge) == 200
    edge.pool.answer = (500, b"down")
    monotonic.seconds += 11
    for _ in range(5):
        assert _status(edge, "another") in {401, 503}
    assert edge.pool.fetches == 2


def test_a_pool_that_is_down_is_not_waited_for_by_every_caller_once_its_keys_are_old(
    edge: Client, monotonic: SimpleNamespace
) -> None:
    assert _status(edge) == 200
    edge.pool.answer = (500, b"down")
    monotonic.seconds += 3_601
    assert [_status(edge) for _ in range(5)] == [200] * 5
    assert edge.pool.fetches == 2
    edge.pool.answer = None
    monotonic.seconds += 11
    assert [_status(edge) for _ in range(5)] == [200] * 5
    assert edge.pool.fetches == 3
