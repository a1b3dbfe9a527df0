"""`make doctor` and `make erase` on the running system."""

import json
import re
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.users.item import to_item
from tests.builders import lead
from tests.e2e.conftest import Stack, eventually

_OF_SCHEDULE = (
    *("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone"),
    *("FlexibleTimeWindow", "Target"),
)
"""What an update of a schedule replaces, beside its state."""


def _doctor(stack: Stack) -> tuple[int, str]:
    done = stack.run("infra.doctor")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def well(stack: Stack) -> Stack:
    """The stack once all that was written is derived, and no test has left anything behind."""
    eventually(lambda: _doctor(stack)[0] == 0, seconds=60)
    return stack


def test_a_stack_that_is_well_is_told_so(well: Stack) -> None:
    status, told = _doctor(well)
    lines = told.splitlines()
    assert (status, lines[-1]) == (0, "store-users-local: OK"), told
    assert all(line.startswith("ok  ") for line in lines[:-1])
    abouts = (
        *("settings of Worker", "table UsersTable", "API", "stores", "ProjectionDeadLetters"),
        *("sign-in keys", "sign-in page", "authorizer", "subscriptions of AlarmTopic"),
    )
    for about in abouts:
        assert f"ok   {about}: " in told
    assert "ok   search of customers: 10 of 10 sampled customers are found" in told
    assert "ok   template and stack: the same" in told


def test_a_dead_letter_is_found_and_it_is_said_what_to_do(well: Stack) -> None:
    sqs, url = well.client("sqs"), well.facts["dead_letters"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"eventID": "1", "dynamodb": {}}))
    try:
        status, told = _doctor(well)
    finally:
        sqs.purge_queue(QueueUrl=url)
    assert status == 1
    assert "ILL  ProjectionDeadLetters: 1 message\n     → mend the items, then make replay" in told
    assert told.endswith("store-users-local: 1 thing to see to\n")


def test_a_store_that_the_api_cannot_reach_is_named(well: Stack) -> None:
    client, name = well.client("lambda"), well.facts["functions"]["api"]
    kept = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    wrong = {**kept, "AUDIT_TABLE": "elsewhere"}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": wrong})
    try:
        status, told = _doctor(well)
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": kept})
    assert status == 1
    assert "ok   API: ok, " in told
    assert "ILL  stores: audit failing" in told


def test_a_schedule_that_is_off_and_a_user_who_is_not_derived_are_found(well: Stack) -> None:
    scheduler, dynamodb = well.client("scheduler"), well.client("dynamodb")
    (listed,) = scheduler.list_schedules()["Schedules"]
    found = scheduler.get_schedule(Name=listed["Name"])
    kept = {name: found[name] for name in _OF_SCHEDULE}
    tables = well.facts["tables"]
    newest = dynamodb.query(
        TableName=tables["users"],
        IndexName="by_registered",
        KeyConditionExpression="kind = :kind",
        ExpressionAttributeValues={":kind": {"S": "lead"}},
        ScanIndexForward=False,
        Limit=1,
    )["Items"][0]["id"]["S"]
    key = {"list": {"S": f"user#{newest}"}, "bucket": {"S": "state"}}
    state = dynamodb.get_item(TableName=tables["totals"], Key=key)["Item"]
    scheduler.update_schedule(**kept, State="DISABLED")
    dynamodb.delete_item(TableName=tables["totals"], Key=key)
    try:
        status, told = _doctor(well)
    finally:
        scheduler.update_schedule(**kept, State="ENABLED")
        dynamodb.put_item(TableName=tables["totals"], Item=state)
    assert status == 1
    assert "ILL  schedule: DISABLED" in told
    assert re.search(rf"ILL  projection of leads: 9 of 10 .*\n     → behind: {newest};", told), told
    assert told.endswith("store-users-local: 2 things to see to\n")


def test_a_function_without_a_setting_is_found(well: Stack) -> None:
    client, name = well.client("lambda"), well.facts["functions"]["schedule"]
    kept = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    less = {key: value for key, value in kept.items() if key != "AUDIT_TABLE"}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": less})
    try:
        status, told = _doctor(well)
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": kept})
    assert status == 1
    assert "ILL  settings of Schedule: The environment variable AUDIT_TABLE is not set" in told


def test_the_doctor_changes_nothing(well: Stack) -> None:
    def everything() -> list[str]:
        scan = well.client("dynamodb").scan
        tables = well.facts["tables"].values()
        return sorted(json.dumps(item) for name in tables for item in scan(TableName=name)["Items"])

    before = everything()
    _doctor(well)
    assert everything() == before


def test_one_command_erases_a_person_everywhere(stack: Stack) -> None:
    person = lead("led_wayra", first_name="Wayra", last_name="Yupanqui", version=1)
    dynamodb, tables = stack.client("dynamodb"), stack.facts["tables"]
    dynamodb.put_item(TableName=tables["users"], Item=to_item(person))
    token = stack.token("admin")
    path = f"/v1/leads?{urlencode({'q': 'wayra yupanqui'})}"
    eventually(lambda: stack.call("GET", path, token=token).json["data"], seconds=60)
    order = stack.call(
        "POST",
        "/v1/exports",
        token=token,
        body={"resource": "leads"},
        headers={"Idempotency-Key": "0b8f2a64-1111-4222-8333-444455556601"},
    ).json
    job = f"/v1/exports/{order['id']}"
    eventually(
        lambda: stack.call("GET", job, token=token).json["status"] == "succeeded", seconds=60
    )

    unsure = stack.run("infra.erase", "--user", "led_wayra")
    assert unsure.returncode == 3
    assert unsure.stderr.endswith("Nothing was erased.\n")
    done = stack.run("infra.erase", "--user", "led_wayra", "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "led_wayra is erased from store-users-local:\n     1  store user\n" in done.stdout
    assert order["id"] in done.stdout
    assert stack.call("GET", "/v1/leads/led_wayra", token=token).status == 404
    assert stack.call("GET", path, token=token).json["data"] == []
    told = stack.call("GET", job, token=token).json
    assert (told["status"], told["download_url"]) == ("expired", None)
    listed = stack.client("s3").list_objects_v2(
        Bucket=stack.facts["bucket"], Prefix=f"exports/{order['id']}/"
    )
    assert listed.get("Contents", []) == []
    again = stack.run("infra.erase", "--user", "led_wayra", "--yes")
    assert again.returncode == 0, again.stderr
    nobody = stack.run("infra.erase", "--user", "led_nobody", "--yes")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert nobody.stderr == "Nothing is stored of led_nobody, nor was it: is that the id?\n"


def test_an_entry_of_the_audit_that_is_changed_rings_and_is_named(stack: Stack) -> None:
    """What no policy can refuse: an item put over another, by a role that may append."""
    dynamodb, table = stack.client("dynamodb"), stack.facts["tables"]["audit"]
    token = stack.token("admin")
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    order = {"resource": "leads"}
    job = stack.call("POST", "/v1/exports", token=token, headers=headers, body=order).json
    path = f"/v1/exports/{job['id']}"
    # Later entries would follow the changed one.
    eventually(lambda: stack.call("GET", path, token=token).json["status"] == "succeeded", 60)
    key = {"subject": {"S": f"export#{job['id']}"}, "entry": {"S": "n0000000001"}}
    kept = dynamodb.get_item(TableName=table, Key=key)["Item"]
    worker = stack.client_of("worker", "dynamodb")
    worker.put_item(TableName=table, Item={**kept, "by": {"S": "somebody else"}})
    try:
        line = eventually(lambda: _rung(stack, key["subject"]["S"]), seconds=60)
        _, told = _doctor(stack)
    finally:
        dynamodb.put_item(TableName=table, Item=kept)
    assert (line["level"], line["entry"], line["act"]) == ("ERROR", "n0000000001", "MODIFY")
    assert f"ILL  audit of export#{job['id']}: breaks at n0000000001: it was changed" in told
    assert "ok   audit: " in _doctor(stack)[1]


def _rung(stack: Stack, subject: str) -> Any:
    """The line of the log that rings for the subject, once it is there."""
    for line in (stack.folder / "ministack.log").read_text().splitlines():
        if line.startswith("{") and "audit.changed" in line and subject in line:
            return json.loads(line)
    return None
