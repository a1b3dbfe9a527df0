"""`make deploy` as a team gives it: its settings, its tags, and what it says of a wrong value."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.package import HERE, ROOT
from tests.e2e.deployments import client, outputs

STAGES = """
[defaults]
TimeZone = "Europe/Madrid"
lead_export_at = "TUE 08:30"
tags = { owner = "back-office", cost-center = "4711" }

[staging]
RequestsPerSecond = 50
WorkerSeconds = 600
WorkerMegabytes = 3008
StreamLagAlarmMilliseconds = 120000
ScheduledExport = "DISABLED"
DeletionProtection = false
tags = { cost-center = "4712" }
"""
TAGS = {
    "owner": "back-office",
    "cost-center": "4712",
    "application": "store-users",
    "stage": "staging",
}


def _deploy(port: int, folder: Path, stages: str) -> "subprocess.CompletedProcess[str]":
    path = folder / "stages.toml"
    path.write_text(stages)
    return subprocess.run(
        [sys.executable, "-m", "infra.deploy", "--stage", "staging"],
        cwd=ROOT,
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://localhost:{port}",
            "STORE_USERS_STAGES": str(path),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def _stack(port: int) -> Any:
    described = client(port, "cloudformation").describe_stacks(StackName="store-users-staging")
    return described["Stacks"][0]


def _plain(tags: list[dict[str, str]]) -> dict[str, str]:
    """Without those that CloudFormation and Chalice give."""
    return {
        one["Key"]: one["Value"]
        for one in tags
        if not one["Key"].startswith(("aws:", "aws-chalice", "lambda:"))
    }


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _tags_of_resources(port: int, names: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """Of those that the emulator hands the tags of the stack on to: AWS does to the bucket, too."""
    dynamodb, sqs = client(port, "dynamodb"), client(port, "sqs")
    arn = dynamodb.describe_table(TableName=names["UsersTable"])["Table"]["TableArn"]
    pool = client(port, "cognito-idp").describe_user_pool(UserPoolId=names["UserPoolId"])
    function = client(port, "lambda").get_function(FunctionName=names["ApiFunction"])
    return {
        "table": dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"],
        "queue": _as_list(sqs.list_queue_tags(QueueUrl=names["ExportsQueueUrl"])["Tags"]),
        "pool": _as_list(pool["UserPool"]["UserPoolTags"]),
        "function": _as_list(function["Tags"]),
        "topic": client(port, "sns").list_tags_for_resource(ResourceArn=names["MarketingTopicArn"])[
            "Tags"
        ],
    }


def _assert_chosen_are_in_force(port: int, names: dict[str, str]) -> None:
    worker = client(port, "lambda").get_function_configuration(FunctionName=names["WorkerFunction"])
    assert (worker["Timeout"], worker["MemorySize"]) == (600, 3008)
    assert worker["Architectures"] == [HERE], "functions are processes of this machine"
    queue = client(port, "sqs").get_queue_attributes(
        QueueUrl=names["ExportsQueueUrl"], AttributeNames=["VisibilityTimeout"]
    )
    assert queue["Attributes"] == {"VisibilityTimeout": "600"}
    (weekly,) = client(port, "scheduler").list_schedules()["Schedules"]
    assert weekly["State"] == "DISABLED"
    alarms = {
        one["AlarmName"].split("-")[-2]: one["Threshold"]
        for one in client(port, "cloudwatch").describe_alarms()["MetricAlarms"]
    }
    assert alarms["StreamLagAlarm"] == 120_000
    assert "ScheduleMissedAlarm" not in alarms


def test_the_stage_gets_the_settings_of_its_section_and_its_resources_the_tags(
    emulator_port: int, tmp_path: Path
) -> None:
    done = _deploy(emulator_port, tmp_path, STAGES)
    assert done.returncode == 0, done.stderr
    stack = _stack(emulator_port)
    given = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert given["Stage"] == "staging"
    assert given["TimeZone"] == "Europe/Madrid"
    assert given["LeadExportSchedule"] == "cron(30 8 ? * TUE *)"
    assert given["RequestsPerSecond"] == "50"
    assert given["DeletionProtection"] == "false"
    assert _plain(stack["Tags"]) == TAGS
    names = outputs(emulator_port, "staging")
    _assert_chosen_are_in_force(emulator_port, names)
    for resource, tags in _tags_of_resources(emulator_port, names).items():
        assert _plain(tags) == TAGS, resource

    # A tag that is changed is changed everywhere, and what is there stays.
    again = _deploy(emulator_port, tmp_path, STAGES.replace("4712", "4713"))
    assert again.returncode == 0, again.stderr
    assert outputs(emulator_port, "staging")["UsersTable"] == names["UsersTable"]
    for resource, tags in _tags_of_resources(emulator_port, names).items():
        assert _plain(tags)["cost-center"] == "4713", resource


def test_wrong_settings_are_all_named_before_anything_is_made(
    emulator_port: int, tmp_path: Path
) -> None:
    wrong = STAGES.replace("= 50", "= 0") + 'MarketingLanguage = "fr"\nRequestAtOnce = 4\n'
    wrong = wrong.replace('tags = { cost-center = "4712" }\n', "")
    done = _deploy(emulator_port, tmp_path, wrong)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The deployment did not go through: see stages.toml:\n"
        "  RequestsPerSecond = 0 is less than 1\n"
        "  MarketingLanguage = 'fr' is none of es, en\n"
        "  RequestAtOnce is no parameter of infra/resources.yaml; is RequestsAtOnce meant?\n"
    )
    assert client(emulator_port, "cloudformation").list_stacks()["StackSummaries"] == []
    assert client(emulator_port, "s3").list_buckets()["Buckets"] == []
