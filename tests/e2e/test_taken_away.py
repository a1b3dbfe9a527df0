"""The functions need what their policies grant, and the emulator enforces it.

An action of `.chalice/policy-*.json` is taken away from its role, and the step that needs it has to
fail; given back, the step works. Left out are actions that Lambda itself asks for, and those that
are needed after a fault alone. tests/wiring/test_policies.py makes those faults, in one process and
without policies.

`POLICIES=all` (`make policies`) takes every action away, each in turn. Otherwise it is every action
of the API, and of each other function the first: it ends with the error, and the emulator starts
another process, which takes seconds.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from infra.package import ROOT
from tests.e2e.conftest import Stack, eventually
from tests.e2e.journey import Journey

Pair = tuple[str, str, str]
"""A function, a statement of its policy, and an action of that."""

BY_LAMBDA = frozenset({"Logs", "ReadTheStream", "ReceiveOrders"})
AFTER_A_FAULT = frozenset(
    {
        ("schedule", "DeadLetters", "sqs:SendMessage"),
        ("worker", "WriteFiles", "s3:GetObject"),
        ("worker", "WriteFiles", "s3:AbortMultipartUpload"),
        ("worker", "WriteFiles", "s3:DeleteObject"),
        ("worker", "RememberNewLeads", "s3:DeleteObject"),
        ("worker", "FindFiles", "s3:ListBucket"),
        ("worker", "FindFiles", "s3:ListBucketMultipartUploads"),
    }
)

Step = Callable[[Journey], None]
_API: Mapping[tuple[str, str], Step] = {
    ("ReadAndSwitchUsers", "dynamodb:GetItem"): Journey.switch,
    ("ReadAndSwitchUsers", "dynamodb:UpdateItem"): Journey.switch,
    ("ListUsers", "dynamodb:Query"): Journey.lists,
    ("SwitchEcosystems", "dynamodb:GetItem"): Journey.deep_health,
    ("SwitchEcosystems", "dynamodb:UpdateItem"): Journey.switch,
    ("ProbeTheAudit", "dynamodb:GetItem"): Journey.deep_health,
    ("ReadTheAudit", "dynamodb:Query"): Journey.history,
    ("AppendToTheAudit", "dynamodb:PutItem"): Journey.switch,
    ("Exports", "dynamodb:GetItem"): Journey.deep_health,
    ("Exports", "dynamodb:PutItem"): Journey.order,
    ("Exports", "dynamodb:UpdateItem"): Journey.delete,
    ("ListExports", "dynamodb:Query"): Journey.exports,
    ("StartExports", "sqs:SendMessage"): Journey.order,
    ("SignAndRemoveFiles", "s3:GetObject"): Journey.download,
    ("SignAndRemoveFiles", "s3:DeleteObject"): Journey.delete,
    ("SignAndRemoveFiles", "s3:AbortMultipartUpload"): Journey.delete,
    ("FindFiles", "s3:ListBucket"): Journey.deep_health,
    ("FindFiles", "s3:ListBucketMultipartUploads"): Journey.delete,
    ("SigningKeys", "secretsmanager:GetSecretValue"): Journey.lists,
    ("ReadRowsById", "dynamodb:BatchGetItem"): Journey.search,
    ("Search", "dynamodb:GetItem"): Journey.deep_health,
    ("Search", "dynamodb:Query"): Journey.search,
    ("Totals", "dynamodb:GetItem"): Journey.deep_health,
    ("Totals", "dynamodb:Query"): Journey.totals,
}
_WORKER: Mapping[tuple[str, str], Step] = {
    ("ReadUsers", "dynamodb:Query"): Journey.export,
    ("ReadTotals", "dynamodb:Query"): Journey.export,
    ("KeepJobs", "dynamodb:GetItem"): Journey.export,
    ("KeepJobs", "dynamodb:PutItem"): Journey.unwritten_job,
    ("KeepJobs", "dynamodb:UpdateItem"): Journey.export,
    ("ReadTheAudit", "dynamodb:Query"): Journey.export,
    ("AppendToTheAudit", "dynamodb:PutItem"): Journey.export,
    ("WriteFiles", "s3:PutObject"): Journey.export,
    ("RememberNewLeads", "s3:PutObject"): Journey.scheduled,
    ("RememberNewLeads", "s3:GetObject"): Journey.scheduled,
    ("TellMarketingAndOperations", "sns:Publish"): Journey.scheduled,
    ("SigningKeys", "secretsmanager:GetSecretValue"): Journey.scheduled,
    ("ReadRowsById", "dynamodb:BatchGetItem"): Journey.exported_search,
    ("Search", "dynamodb:Query"): Journey.exported_search,
}
_ALL_OF: Mapping[str, Step] = {
    "schedule": Journey.ordered_by_schedule,
    "stream": Journey.life,
    "watch": Journey.watched,
}


def _granted() -> Iterator[Pair]:
    for path in sorted((ROOT / ".chalice").glob("policy-*.json")):
        function = path.stem.removeprefix("policy-")
        for statement in json.loads(path.read_text())["Statement"]:
            if statement["Sid"] not in BY_LAMBDA:
                yield from ((function, statement["Sid"], action) for action in statement["Action"])


def _actions() -> list[Pair]:
    return [pair for pair in _granted() if pair not in AFTER_A_FAULT]


def _chosen() -> list[Pair]:
    everything = _actions()
    if os.environ.get("POLICIES") == "all":
        return everything
    first = {pair[0]: pair for pair in reversed(everything)}
    return [pair for pair in everything if pair[0] == "api" or pair in first.values()]


def _step(pair: Pair) -> Step:
    function, *granted = pair
    steps = {"api": _API, "worker": _WORKER}.get(function)
    return steps[granted[0], granted[1]] if steps else _ALL_OF[function]


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Iterator[Journey]:
    """Steps on a stack whose events wait until they are handed over."""
    made = Journey(stack)
    eventually(lambda: stack.call("GET", "/v1/customers?q=an", token=made.token).json["data"], 60)
    client = stack.client("lambda")
    sources = [
        source["UUID"]
        for name in ("stream", "worker")
        for source in client.list_event_source_mappings(FunctionName=made.functions[name])[
            "EventSourceMappings"
        ]
    ]
    for source in sources:
        client.update_event_source_mapping(UUID=source, Enabled=False)
    yield made
    made.clean_up()
    for source in sources:
        client.update_event_source_mapping(UUID=source, Enabled=True)


def test_each_action_of_the_policies_has_its_step() -> None:
    assert set(_granted()) >= AFTER_A_FAULT
    actions = _actions()
    with_steps = {("api", *one) for one in _API} | {("worker", *one) for one in _WORKER}
    assert with_steps == {pair for pair in actions if pair[0] not in _ALL_OF}


@pytest.mark.parametrize("pair", _chosen(), ids="-".join)
def test_without_an_action_of_its_policy_a_function_fails(journey: Journey, pair: Pair) -> None:
    function, sid, action = pair
    with _taken_away(journey.stack, function, sid, action), pytest.raises(AssertionError):
        _step(pair)(journey)
    # Given back, it works: it was for that action that it failed.
    _step(pair)(journey)


@contextmanager
def _taken_away(stack: Stack, function: str, sid: str, action: str) -> Iterator[None]:
    """The role of the function without the action in that statement."""
    iam, role = stack.client("iam"), stack.role(function)
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    kept = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    less = [
        {**one, "Action": [it for it in one["Action"] if one["Sid"] != sid or it != action]}
        for one in kept["Statement"]
    ]
    assert less != kept["Statement"]
    document = json.dumps({**kept, "Statement": [one for one in less if one["Action"]]})
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)
    if sid == "SigningKeys":
        _start_afresh(stack, function)  # A process reads the keys once.
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(kept))


def _start_afresh(stack: Stack, function: str) -> None:
    """Have the next call start a process: a change of the configuration ends those that run."""
    client, name = stack.client("lambda"), stack.facts["functions"][function]
    found = client.get_function_configuration(FunctionName=name)
    kept = found["Environment"]["Variables"]
    for variables in ({**kept, "STARTED_AFRESH": "1"}, kept):
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
