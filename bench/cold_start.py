"""What starting a function costs, and what a list request adds to its Query.

`python -m bench.cold_start`. Cold: the processor time of loading each entry point in a fresh
process from the unpacked package, against loading botocore and making a DynamoDB client from the
same package. Warm: the processor time of a list request through the handler, against botocore's
Query of the same page. Medians of alternating runs, so that other work on the machine falls on
both. Ends with the criteria, and with status 1 where one is not met.
"""

import argparse
import contextlib
import io
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from botocore.session import Session

from bench import tables
from bench.engine import EngineError, engine
from bench.people import people
from infra import package

API, AUTHORIZER = "API", "authorizer"
BARE = "botocore and a DynamoDB client"
WITH_TOTAL = "list of 25, with its total"
QUERY = "botocore's Query of the page"

COLD = {
    BARE: "from botocore.session import Session\n"
    "Session().create_client('dynamodb', region_name='us-east-1')",
    API: "import app",
    AUTHORIZER: "import chalicelib.api.auth",
    "authorizer, and what its first token loads": "import chalicelib.api.auth, jwt",
    "schedule": "import chalicelib.triggers.schedule",
    "stream": "import chalicelib.triggers.stream",
    "worker": "import chalicelib.triggers.worker",
}
_TIMED = """
import sys, time
sys.path.insert(0, {folder!r})
begun = time.process_time()
{program}
print(time.process_time() - begun)
"""
_LAMBDA = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
}
_USERS = 1_000
_REQUESTS = 100

Times = dict[str, list[float]]


def cold(rounds: int, programs: Mapping[str, str] = COLD) -> dict[str, float]:
    """The seconds of processor time that each program takes, with the package to import from."""
    package.build()
    times: Times = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(package.ARCHIVE) as made:
            made.extractall(folder)
        for _ in range(rounds):
            for name, program in programs.items():
                times[name].append(_loading(Path(folder), program))
    return {name: median(taken) for name, taken in times.items()}


def _loading(folder: Path, program: str) -> float:
    text = _TIMED.format(folder=str(folder), program=program)
    # Isolated, and without this environment's packages: what is loaded is what is deployed.
    command = [sys.executable, "-I", "-S", "-B", "-c", text]
    done = subprocess.run(  # noqa: S603 - our own words
        command, cwd=folder, env=_LAMBDA, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def warm(endpoint: str, rounds: int) -> dict[str, float]:
    """The seconds of processor time of a request through the handler, and of its Query."""
    tables.point_code_at(endpoint)
    tables.create(endpoint)
    tables.fill(endpoint, people(_USERS, customers=0.5), frozenset())
    asked: dict[str, Callable[[], Any]] = {
        QUERY: partial(_query, Session().create_client("dynamodb", region_name="us-east-1")),
        "list of 25, without its total": partial(_request, {"total": ["none"]}),
        WITH_TOTAL: partial(_request, {}),
    }
    for ask in asked.values():
        _spent(ask, 10)
    times: Times = {name: [] for name in asked}
    for _ in range(rounds):
        for name, ask in asked.items():
            times[name].append(_spent(ask, _REQUESTS))
    return {name: median(taken) for name, taken in times.items()}


def _spent(ask: Callable[[], Any], count: int) -> float:
    # What is logged is written, but not shown.
    with contextlib.redirect_stdout(io.StringIO()):
        begun = time.process_time()
        for _ in range(count):
            ask()
        return (time.process_time() - begun) / count


def _query(client: Any) -> None:
    """One row more than the page, as ours, to know whether there is another."""
    answer = client.query(
        TableName="users",
        IndexName="by_registered",
        KeyConditionExpression="kind = :kind",
        ExpressionAttributeValues={":kind": {"S": "customer"}},
        ScanIndexForward=False,
        Limit=26,
    )
    assert answer["Count"] == 26  # noqa: S101 - else nothing was measured


def _request(query: Mapping[str, list[str]]) -> None:
    from app import app

    answer = app(_event({"limit": ["25"], **query}), None)
    assert answer["statusCode"] == 200  # noqa: S101 - else nothing was measured


def _event(query: Mapping[str, list[str]]) -> dict[str, Any]:
    path = "/v1/customers"
    return {
        "resource": path,
        "path": path,
        "httpMethod": "GET",
        "headers": {"Accept": "application/json"},
        "multiValueHeaders": {"Accept": ["application/json"]},
        "multiValueQueryStringParameters": query,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": "bench",
            "resourcePath": path,
            "path": f"/api{path}",
            "httpMethod": "GET",
            "identity": {"sourceIp": "127.0.0.1"},
            "authorizer": {
                "principalId": "bench",
                "name": "bench",
                "roles": "admin",
                "expires_at": "9999999999",
            },
        },
    }


def main() -> int:
    """Measure, tell, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds: int = parser.parse_args().rounds
    started = cold(rounds)
    try:
        with engine() as endpoint:
            served = warm(endpoint, rounds)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _table("starting, from the package", started, started[BARE])
    print()
    _table("a warm request", served, served[QUERY])
    judged = {
        "loading the API takes at most 1.4 times the bare client": started[API]
        <= 1.4 * started[BARE],
        "loading the authorizer takes at most 0.8 times the bare client": started[AUTHORIZER]
        <= 0.8 * started[BARE],
        "a warm list, with its total, takes at most 1.5 times its Query": served[WITH_TOTAL]
        <= 1.5 * served[QUERY],
    }
    print()
    for text, holds in judged.items():
        print(f"- {'PASS' if holds else 'FAIL'}: {text}")
    return 0 if all(judged.values()) else 1


def _table(title: str, seconds: Mapping[str, float], one: float) -> None:
    print(f"| {title} | processor time, ms | ratio |\n| --- | ---: | ---: |")
    for name, taken in seconds.items():
        print(f"| {name} | {taken * 1000:.1f} | {taken / one:.2f} |")


if __name__ == "__main__":
    sys.exit(main())
