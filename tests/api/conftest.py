"""What tests of the API share: a client with or without stores behind it, and what was logged."""

import json
import signal
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from chalicelib.api import tokens
from chalicelib.settings import settings
from chalicelib.users import blocks
from tests.api.client import Client
from tests.api.gateway import Gateway
from tests.api.pool import Pool, running_pool
from tests.conftest import ENVIRONMENT, forget_clients
from tests.exporting import Clock, stop_clock

# What was logged since the last call.
Logs = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """AWS clients do not wait between tries; the seconds that they would have waited."""
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waits.append))
    return waits


@pytest.fixture
def soon() -> Iterator[None]:
    """What has not come to its end within five seconds is interrupted."""

    def interrupt(*_: object) -> NoReturn:
        pytest.fail("it goes on and on")

    usual = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 5)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, usual)


@pytest.fixture
def pool() -> Iterator[Pool]:
    """A user pool that publishes its keys on this machine."""
    with running_pool() as pool:
        yield pool
    _forget_keys()


@pytest.fixture
def api(cloud: None, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Client:  # noqa: ARG001
    """A client of the API, with an AWS of this process behind it."""
    return client_of(pool, monkeypatch)


@pytest.fixture
def edge(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the API with nothing behind it: for what must not get as far as the stores."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    # The one question that every caller leads to; test_blocks.py holds it.
    monkeypatch.setattr(blocks, "check", lambda *_, **__: None)
    forget_clients()
    yield client_of(pool, monkeypatch)
    forget_clients()


@pytest.fixture
def monday(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """It is Monday, 2 March 2026, 11:00 UTC, until the test says otherwise."""
    return stop_clock(monkeypatch)


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Logs:
    """What was logged since the last call."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def client_of(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("TOKEN_KEYS_URL", pool.keys_url)
    settings.cache_clear()
    _forget_keys()
    return Client(Gateway(), pool)


def _forget_keys() -> None:
    tokens._signing_keys.cache_clear()  # noqa: SLF001 - as a new process would
