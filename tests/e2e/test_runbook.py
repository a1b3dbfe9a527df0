"""docs/runbook.md followed to the letter on the running system, for three of its alarms."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from infra.package import ROOT
from tests.e2e.conftest import Stack, command, eventually, free_port

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
_DATES, _OFF = ("CreationDate", "LastModificationDate"), {"State": "DISABLED"}

needs_cli = pytest.mark.skipif(not shutil.which("aws"), reason="the AWS CLI is not installed")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of its own: runs that are ordered here leave no new leads for the schedule of others."""
    folder, port = tmp_path_factory.mktemp("runbook"), free_port()
    arguments = ["run", "--port", str(port), "--demo-users", "20", "--detach"]
    done = command(folder, "infra.local", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    yield Stack(folder, port)
    command(folder, "infra.local", "stop")


@pytest.fixture(autouse=True)
def _no_letters(stack: Stack) -> Iterator[None]:
    """What other tests have left is not what is looked at here; nor the other way round."""
    _purge(stack)
    yield
    _purge(stack)


def _purge(stack: Stack) -> None:
    for name in ("ProjectionDeadLetters", "ExportsDeadLetters", "ScheduleDeadLetters"):
        stack.client("sqs").purge_queue(QueueUrl=_resource(stack, name))


def _resource(stack: Stack, name: str) -> str:
    told = stack.client("cloudformation").describe_stack_resource(
        StackName="store-users-local", LogicalResourceId=name
    )
    found: str = told["StackResourceDetail"]["PhysicalResourceId"]
    return found


def _shell(stack: Stack, command: str) -> str:
    """What a command of the runbook prints, after the definitions that it begins with."""
    (definitions,) = re.findall(r"^```sh\n(STACK=.*?)^```", RUNBOOK, re.MULTILINE | re.DOTALL)
    script = definitions.replace("store-users-prod", "store-users-local") + command
    done = subprocess.run(
        ["/bin/bash", "-euc", script],
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": stack.facts["endpoint"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _block(containing: str) -> str:
    """The one block of commands in which that occurs."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", RUNBOOK, re.MULTILINE | re.DOTALL)
    (found,) = [one for one in blocks if containing in one]
    return str(found)


def _make(stack: Stack, target: str) -> "subprocess.CompletedProcess[str]":
    """A `make` of the runbook, of the local stack."""
    assert f"make {target} STAGE=prod" in RUNBOOK
    words = {"ORDER=1": "--order=1", "ORDER=now": "--order=now", "DROP=exports": "--drop=exports"}
    name, *options = target.split()
    return stack.run(f"infra.{name}", *(words[option] for option in options))


def _put(stack: Stack, item: dict[str, Any]) -> None:
    stack.client("dynamodb").put_item(TableName=stack.facts["tables"]["users"], Item=item)


ROBOT = {
    "id": {"S": "cus_robot"},
    "kind": {"S": "robot"},
    "first_name": {"S": "Roberta"},
    "registered_at": {"S": "2026-01-02T03:04:05Z"},
}


def test_dead_letters_of_the_projection_are_found_mended_and_put_back(stack: Stack) -> None:
    _put(stack, ROBOT)

    def told() -> str:
        shown = _make(stack, "letters").stdout
        return shown if "cus_robot" in shown else ""

    shown = eventually(told)
    assert "Roberta" not in shown
    record = re.search(r"^projection +\S+Z  cus_robot, record (\S+)$", shown, re.MULTILINE)
    assert record is not None
    assert _make(stack, "doctor").returncode == 1

    # Still as it was: it makes no sense, and lies there again.
    assert _make(stack, "replay").returncode == 1
    assert eventually(told)
    _put(stack, ROBOT | {"kind": {"S": "lead"}})
    done = eventually(lambda: _all_applied(stack))
    assert done.endswith("0 still make no sense and lie there again.\n")
    assert _make(stack, "letters").stdout == "There are no dead letters.\n"
    found = stack.call("GET", "/v1/leads?q=roberta", token=stack.token("viewer")).json["data"]
    assert [row["id"] for row in found] == ["cus_robot"]
    stack.client("dynamodb").delete_item(
        TableName=stack.facts["tables"]["users"], Key={"id": ROBOT["id"]}
    )


def _all_applied(stack: Stack) -> str:
    done = _make(stack, "replay")
    return done.stdout if done.returncode == 0 else ""


@needs_cli
def test_the_item_and_the_error_of_a_dead_letter_are_found_by_the_commands(stack: Stack) -> None:
    _put(stack, ROBOT)
    command = _block("get-item").replace("cus_0042", "cus_robot")
    assert json.loads(_shell(stack, command))["Item"]["kind"] == {"S": "robot"}
    (pattern,) = re.findall(r"`(log stream '[^`]*projection\.poison[^`]*')`", RUNBOOK)
    assert eventually(lambda: '"event": "projection.poison"' in _shell(stack, pattern))
    stack.client("dynamodb").delete_item(
        TableName=stack.facts["tables"]["users"], Key={"id": ROBOT["id"]}
    )


@needs_cli
def test_the_switches_since_a_restored_table_are_found_by_the_command(stack: Stack) -> None:
    token = stack.token("support")
    asked = "/v1/customers?access=active&limit=1"
    (row,) = stack.call("GET", asked, token=token).json["data"]
    switched = stack.call(
        "PUT",
        f"/v1/customers/{row['id']}/access",
        token=token,
        body={"access": "suspended", "reason": "Privacy incident 4711"},
        headers={"If-Match": f'"{row["version"]}"'},
    )
    assert switched.status == 200
    (line,) = _shell(stack, _block("AuditTable")).splitlines()
    assert f"customer#{row['id']}" in line
    assert '"to": "suspended"' in line


def test_a_scheduled_run_that_could_not_be_ordered_is_ordered_once(stack: Stack) -> None:
    letter = {"time": "2026-10-05T11:00:00Z", "id": "missed"}
    queue = _resource(stack, "ScheduleDeadLetters")
    stack.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(letter))
    assert "the run of 2026-10-05T11:00:00Z\n" in _make(stack, "letters").stdout
    told = stack.run("infra.doctor").stdout
    assert "ILL  ScheduleDeadLetters: 1 message\n     → make letters ORDER=1: see" in told

    done = _make(stack, "letters ORDER=1")
    assert done.returncode == 0, done.stderr
    ordered = re.findall(r"exp_[0-9a-f]{32}", done.stdout)
    assert len(ordered) == 2
    assert _make(stack, "letters").stdout == "There are no dead letters.\n"
    # The same letter once more: SQS delivers at least once.
    stack.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(letter))
    again = _make(stack, "letters ORDER=1")
    assert re.findall(r"exp_[0-9a-f]{32}", again.stdout) == ordered

    # And with nothing there, nothing.
    idle = _make(stack, "letters ORDER=1")
    assert (idle.returncode, idle.stdout) == (0, "ordered: nothing; 0 failed\n")


def test_a_run_of_now_is_ordered_when_it_is_asked_for_and_leaves_the_missed_ones(
    stack: Stack,
) -> None:
    queue = _resource(stack, "ScheduleDeadLetters")
    missed = '{"time": "2026-10-12T11:00:00Z"}'
    stack.client("sqs").send_message(QueueUrl=queue, MessageBody=missed)
    done = _make(stack, "letters ORDER=now")
    assert done.returncode == 0, done.stderr
    assert len(set(re.findall(r"exp_[0-9a-f]{32}", done.stdout))) == 2
    assert "the run of 2026-10-12T11:00:00Z\n" in _make(stack, "letters").stdout


def test_a_run_that_never_reached_the_function_is_ordered_by_the_time_it_was_due(
    stack: Stack,
) -> None:
    """Scheduler puts the input of the schedule there, and says in an attribute when it was due."""
    queue = _resource(stack, "ScheduleDeadLetters")
    stack.client("sqs").purge_queue(QueueUrl=queue)
    stack.client("sqs").send_message(
        QueueUrl=queue,
        MessageBody='{"time": "<aws.scheduler.scheduled-time>", "id": "x"}',
        MessageAttributes={
            "SCHEDULED_TIME": {"DataType": "String", "StringValue": "2026-10-19T11:00:00Z"},
            "ERROR_CODE": {"DataType": "String", "StringValue": "AWS.Lambda.Throttling"},
        },
    )
    assert "the run of 2026-10-19T11:00:00Z\n" in _make(stack, "letters").stdout
    done = _make(stack, "letters ORDER=1")
    assert done.returncode == 0, done.stderr
    assert len(set(re.findall(r"exp_[0-9a-f]{32}", done.stdout))) == 2


@needs_cli
def test_a_schedule_that_is_off_is_enabled_by_the_command_and_keeps_the_rest(stack: Stack) -> None:
    client, name = stack.client("scheduler"), _resource(stack, "WeeklyLeadExport")
    found = client.get_schedule(Name=name)
    before = {key: found[key] for key in found.keys() - {"ResponseMetadata", *_DATES}}
    client.update_schedule(**{key: before[key] for key in before.keys() - {"Arn"}} | _OFF)
    assert "ILL  schedule: DISABLED" in stack.run("infra.doctor").stdout
    _shell(stack, _block("update-schedule"))
    found = client.get_schedule(Name=name)
    assert {key: found[key] for key in found.keys() - {"ResponseMetadata", *_DATES}} == before


def test_a_run_that_fails_again_stays_where_it_is(stack: Stack) -> None:
    queue = _resource(stack, "ScheduleDeadLetters")
    stack.client("sqs").send_message(QueueUrl=queue, MessageBody='{"time": "never"}')
    done = _make(stack, "letters ORDER=1")
    assert (done.returncode, done.stdout) == (1, "ordered: nothing; 1 failed\n")
    attributes = stack.client("sqs").get_queue_attributes(
        QueueUrl=queue,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ],
    )["Attributes"]
    assert sum(int(number) for number in attributes.values()) == 1


def test_what_cannot_be_exported_any_more_is_shown_and_dropped(stack: Stack) -> None:
    job = {"id": {"S": "exp_gone"}, "requested_at": {"S": "2026-10-05T11:00:00Z"}}
    queue = _resource(stack, "ExportsDeadLetters")
    stack.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"job": job}))
    shown = _make(stack, "letters DROP=exports")
    assert "exp_gone, asked for at 2026-10-05T11:00:00Z\n" in shown.stdout
    assert _make(stack, "letters").stdout == "There are no dead letters.\n"


def test_more_letters_than_one_answer_holds_are_shown_each_once_before_they_are_dropped(
    stack: Stack,
) -> None:
    queue = _resource(stack, "ExportsDeadLetters")
    expected = [f"exp_{number:02}" for number in range(25)]
    for one in expected:
        job = {"id": {"S": one}, "requested_at": {"S": "2026-10-05T11:00:00Z"}}
        stack.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"job": job}))
    # Shown, they can be read again at once.
    for target in ("letters", "letters", "letters DROP=exports"):
        shown = re.findall(
            r"^exports .*  (exp_\d\d), asked", _make(stack, target).stdout, re.MULTILINE
        )
        assert sorted(shown) == expected, target
    assert _make(stack, "letters").stdout == "There are no dead letters.\n"


@needs_cli
def test_a_stream_that_stands_still_goes_on_by_the_command_that_the_doctor_says(
    stack: Stack,
) -> None:
    source = _resource(stack, "StreamStreamDynamodbEventSource")
    functions = stack.client("lambda")
    functions.update_event_source_mapping(UUID=source, Enabled=False)
    item = ROBOT | {"id": {"S": "led_late"}, "kind": {"S": "lead"}, "first_name": {"S": "Tardia"}}
    _put(stack, item)
    told = eventually(lambda: _disabled(_make(stack, "doctor").stdout))
    _shell(stack, told)
    assert functions.get_event_source_mapping(UUID=source)["State"] == "Enabled"
    token = stack.token("viewer")
    found = "/v1/leads?q=tardia"
    assert eventually(lambda: stack.call("GET", found, token=token).json["data"])
    stack.client("dynamodb").delete_item(
        TableName=stack.facts["tables"]["users"], Key={"id": item["id"]}
    )


def _disabled(told: str) -> str:
    """The command under what the doctor says of a source that is off."""
    found = re.search(r"^ILL  source Stream\w+: Disabled\n     → (aws .*)$", told, re.MULTILINE)
    return found[1] if found else ""
