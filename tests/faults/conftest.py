"""An AWS of its own for each test, with faults to order, and real processes that run on it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import urllib3

from tests.api.client import Client
from tests.api.conftest import client_of
from tests.api.pool import running_pool
from tests.conftest import forget_clients
from tests.e2e.conftest import eventually, free_port
from tests.faults.cloud import Cloud
from tests.faults.endpoint import Endpoint


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an AWS emulator that keeps nothing."""
    folder, port = tmp_path_factory.mktemp("engine"), free_port()
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "PERSIST_STATE": "0",
        "LOG_LEVEL": "WARNING",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(folder),
    }
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            eventually(lambda: _is_healthy(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _is_healthy(port: int) -> bool:
    try:
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}/_ministack/health", retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200


@pytest.fixture
def endpoint(engine: str) -> Iterator[Endpoint]:
    """The endpoint that the processes under test see instead of AWS."""
    opened = Endpoint(engine)
    try:
        yield opened
        opened.mend()
    finally:
        opened.close()


@pytest.fixture
def cloud(
    engine: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Cloud]:
    """Empty tables, bucket, queues, topics and secret, as the template has them.

    The test itself looks at them past the endpoint, so that no fault meets what it asks.
    """
    urllib3.request("POST", f"{engine}/_ministack/reset", retries=False)
    made = Cloud(engine, endpoint, tmp_path)
    made.create(monkeypatch)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def api(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:  # noqa: ARG001
    """A client of the API, which runs in this process and meets no fault."""
    with running_pool() as pool:
        yield client_of(pool, monkeypatch)


@pytest.fixture
def staff(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the API, which runs in this process and asks AWS by the failing endpoint.

    The clients of AWS try again without a pause.
    """
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint.url)
    forget_clients()
    with running_pool() as pool:
        yield client_of(pool, monkeypatch)
