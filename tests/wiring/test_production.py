"""What the template promises to those who operate it: kept, closed, limited, watched."""

import json
import re
import tomllib
from functools import cache
from typing import Any

import pytest
import yaml

from chalicelib import metrics
from infra import package
from infra.changes import ROLLBACK_ALARMS
from infra.package import ROOT, TEMPLATE
from infra.parameters import misfits, stage_parameters

ALARM_TOPIC = {"Ref": "AlarmTopic"}
FUNCTIONS = ("APIHandler", "Authorizer", "Schedule", "Stream", "Watch", "Worker")


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    package.build()


@cache
def _template() -> dict[str, Any]:
    template: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text())
    return template


def _of_type(kind: str) -> dict[str, Any]:
    return {
        name: one["Properties"]
        for name, one in _template()["Resources"].items()
        if one["Type"] == kind
    }


def test_every_table_is_encrypted_kept_and_can_be_restored() -> None:
    tables = _of_type("AWS::DynamoDB::Table")
    assert len(tables) == 6
    for name, table in tables.items():
        assert table["SSESpecification"] == {"SSEEnabled": True}, name
        named, recovered, _ = table["PointInTimeRecoverySpecification"]["Fn::If"]
        assert (named, recovered["PointInTimeRecoveryEnabled"]) == ("CanBeRestored", True), name
        assert recovered["RecoveryPeriodInDays"] == {"Ref": "RecoveryDays"}
        protected = name not in {"SearchTable", "TotalsTable"}
        expected = {"Fn::If": ["Protected", True, False]} if protected else False
        assert table["DeletionProtectionEnabled"] == expected, name
    parameters = _template()["Parameters"]
    assert parameters["DeletionProtection"]["Default"] == "true"
    assert parameters["RecoveryDays"]["Default"] == 35


def test_the_configured_origins_alone_read_files_of_the_bucket() -> None:
    (bucket,) = _of_type("AWS::S3::Bucket").values()
    condition, cors, otherwise = bucket["CorsConfiguration"]["Fn::If"]
    assert (condition, otherwise) == ("HasCorsOrigins", {"Ref": "AWS::NoValue"})
    (rule,) = cors["CorsRules"]
    assert rule["AllowedOrigins"] == {"Fn::Split": [",", {"Ref": "CorsOrigins"}]}
    assert rule["AllowedMethods"] == ["GET", "HEAD"]
    assert "AllowedHeaders" not in rule


@pytest.mark.parametrize(
    "value",
    [
        "",
        "https://admin.example.com",
        "https://admin.example.com,http://localhost:5173,https://x.example:8443",
    ],
)
def test_cors_origins_are_parted_by_commas(value: str) -> None:
    assert misfits({"CorsOrigins": value}, _template()["Parameters"]) == []


@pytest.mark.parametrize(
    "value",
    [
        "https://admin.example.com, https://x.example",
        "https://admin.example.com,",
        "https://admin.example.com/",
        "https://*.example.com",
        "http://admin.example.com",
        "*",
    ],
)
def test_cors_origins_that_the_bucket_would_not_match_are_refused(value: str) -> None:
    (wrong,) = misfits({"CorsOrigins": value}, _template()["Parameters"])
    assert "must be origins with commas between and no spaces" in wrong


def test_the_page_client_returns_to_the_page_and_to_other_front_ends() -> None:
    page = _template()["Resources"]["PageClient"]["Properties"]
    for property_, parameter in (("CallbackURLs", "CallbackUrls"), ("LogoutURLs", "LogoutUrls")):
        more, otherwise = page[property_]["Fn::If"][1:]
        assert more == {"Fn::Split": [",", {"Fn::Sub": f"${{PublicUrl}}/,${{{parameter}}}"}]}
        assert otherwise == [{"Fn::Sub": "${PublicUrl}/"}]
    providers = {"Fn::Split": [",", {"Ref": "IdentityProviders"}]}
    assert page["SupportedIdentityProviders"] == providers


def test_an_issuer_without_its_keys_is_refused_before_anything_is_made() -> None:
    (assertion,) = _template()["Rules"]["IssuerHasKeys"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "TokenKeysUrl"}, ""]}]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CallbackUrls", "https://a.example/in, https://b.example/in"),
        ("CallbackUrls", "http://a.example/in"),
        ("CallbackUrls", "http://127.0.0.1:5173/in"),
        ("CallbackUrls", "http://localhost.example/in"),
        ("CallbackUrls", "https://a.example/#/in"),
        ("LogoutUrls", "https://a.example/out,"),
        ("TrustedClientIds", "one, two"),
        ("IdentityProviders", ""),
        ("TokenIssuer", "sign-in.example"),
        ("TokenKeysUrl", "http://sign-in.example/keys"),
    ],
)
def test_addresses_and_ids_of_other_front_ends_are_looked_at(name: str, value: str) -> None:
    (wrong,) = misfits({name: value}, _template()["Parameters"])
    assert wrong.startswith(f"{name} = {value!r} must be ")


def test_the_bucket_is_closed_encrypted_and_emptied_by_itself() -> None:
    ((name, bucket),) = _of_type("AWS::S3::Bucket").items()
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    expiry, failed_runs, uploads = bucket["LifecycleConfiguration"]["Rules"]
    assert (failed_runs["Prefix"], failed_runs["ExpirationInDays"]) == ("schedule/", 90)
    assert (expiry["Prefix"], expiry["ExpirationInDays"]) == (
        "exports/",
        {"Ref": "ExportRetentionDays"},
    )
    assert uploads["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    (statement,) = _of_type("AWS::S3::BucketPolicy")["ExportsBucketPolicy"]["PolicyDocument"][
        "Statement"
    ]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == (
        "Deny",
        "*",
        "s3:*",
    )
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    arn = {"Fn::GetAtt": [name, "Arn"]}
    assert statement["Resource"] == [arn, {"Fn::Sub": f"${{{name}.Arn}}/*"}]


def test_every_queue_is_encrypted_and_what_fails_lies_on_a_queue_for_two_weeks() -> None:
    queues = _of_type("AWS::SQS::Queue")
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())
    assert {name for name in queues if name.endswith("DeadLetters")} == {
        *("ExportsDeadLetters", "ProjectionDeadLetters", "ScheduleDeadLetters"),
    }
    for name, queue in queues.items():
        if name.endswith("DeadLetters"):
            assert queue["MessageRetentionPeriod"] == 14 * 86_400, name
    target = {"Fn::GetAtt": ["ScheduleDeadLetters", "Arn"]}
    schedule = _of_type("AWS::Serverless::Function")["Schedule"]
    assert schedule["DeadLetterQueue"]["TargetArn"] == target
    (weekly,) = _of_type("AWS::Scheduler::Schedule").values()
    assert weekly["Target"]["DeadLetterConfig"] == {"Arn": target}


def test_the_lead_export_runs_at_the_hour_of_its_time_zone() -> None:
    """Scheduler knows when the clocks change. Source: https://docs.aws.amazon.com/
    scheduler/latest/UserGuide/schedule-types.html"""
    (weekly,) = _of_type("AWS::Scheduler::Schedule").values()
    assert weekly["ScheduleExpression"] == {"Ref": "LeadExportSchedule"}
    assert weekly["ScheduleExpressionTimezone"] == {"Ref": "TimeZone"}
    assert weekly["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert weekly["State"] == {"Ref": "ScheduledExport"}
    target = weekly["Target"]
    assert target["Arn"] == {"Fn::GetAtt": ["Schedule", "Arn"]}
    condition, on_emulator, on_aws = target["Input"]["Fn::If"]
    assert (condition, on_emulator) == ("OnEmulator", {"Ref": "AWS::NoValue"})
    assert json.loads(on_aws) == {
        "time": "<aws.scheduler.scheduled-time>",
        "id": "<aws.scheduler.execution-id>",
    }
    # An hour without an answer of Lambda, and the run is a dead letter, which rings.
    assert target["RetryPolicy"] == {
        "MaximumEventAgeInSeconds": 3600,
        "MaximumRetryAttempts": 185,
    }


def test_nothing_but_a_schedule_of_this_account_may_take_the_role_of_the_schedule() -> None:
    role = _of_type("AWS::IAM::Role")["WeeklyLeadExportRole"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    (source,) = trust["Condition"]["ArnEquals"].values()
    assert source["Fn::Sub"].endswith(":${AWS::AccountId}:schedule-group/default")
    (policy,) = role["Policies"]
    grants = [(one["Action"], one["Resource"]) for one in policy["PolicyDocument"]["Statement"]]
    assert grants == [
        ("lambda:InvokeFunction", {"Fn::GetAtt": ["Schedule", "Arn"]}),
        ("sqs:SendMessage", {"Fn::GetAtt": ["ScheduleDeadLetters", "Arn"]}),
    ]


def test_every_function_writes_to_a_log_group_of_its_own_that_forgets() -> None:
    functions = _of_type("AWS::Serverless::Function")
    assert sorted(functions) == sorted(FUNCTIONS)
    groups = [functions[name]["LoggingConfig"]["LogGroup"]["Ref"] for name in FUNCTIONS]
    assert sorted(groups) == sorted(_of_type("AWS::Logs::LogGroup"))
    for group in _of_type("AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_api_takes_so_many_requests_and_no_more() -> None:
    (setting,) = _of_type("AWS::Serverless::Api")["RestAPI"]["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert setting["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert setting["ThrottlingBurstLimit"] == {"Ref": "RequestsAtOnce"}
    assert setting["DataTraceEnabled"] is False, "it would log bodies"


def _watched() -> set[tuple[str, str]]:
    """What alarms look at: a metric, and the logical id, or the event of the log, that it is of."""
    found = set()
    for alarm in _of_type("AWS::CloudWatch::Alarm").values():
        (of,) = (one["Value"] for one in alarm["Dimensions"])
        name = of if isinstance(of, str) else next(iter(of.values()))
        found.add((alarm["MetricName"], name if isinstance(name, str) else name[0]))
    return found


def test_the_alarms_that_roll_an_update_back_are_there_always() -> None:
    """A trigger that is not there fails the update; CloudFormation takes five."""
    alarms = {
        name
        for name, one in _template()["Resources"].items()
        if one["Type"] == "AWS::CloudWatch::Alarm" and "Condition" not in one
    }
    assert len(ROLLBACK_ALARMS) <= 5
    assert alarms.issuperset(ROLLBACK_ALARMS)


def test_every_way_to_fail_raises_an_alarm() -> None:
    assert _watched() == {
        *(("Errors", name) for name in FUNCTIONS),
        *(("Throttles", name) for name in FUNCTIONS),
        ("IteratorAge", "Stream"),
        ("Invocations", "Schedule"),
        ("ApproximateAgeOfOldestMessage", "ExportsQueue"),
        ("ApproximateNumberOfMessagesVisible", "ExportsDeadLetters"),
        ("ApproximateNumberOfMessagesVisible", "ProjectionDeadLetters"),
        ("ApproximateNumberOfMessagesVisible", "ScheduleDeadLetters"),
        ("5XXError", "store-users-${Stage}"),
        ("failed", "export.failed"),
        ("failed", "sign_in.failed"),
        ("changed", "audit.changed"),
        ("refused", "aws.refused"),
        ("unusual", "reading.unusual"),
    }
    assert _of_type("AWS::Serverless::Api")["RestAPI"]["Name"] == {
        "Fn::Sub": "store-users-${Stage}"
    }


def test_every_alarm_and_its_end_are_told() -> None:
    for name, alarm in _of_type("AWS::CloudWatch::Alarm").items():
        assert (alarm["AlarmActions"], alarm["OKActions"]) == ([ALARM_TOPIC], [ALARM_TOPIC]), name
    missed = _of_type("AWS::CloudWatch::Alarm")["ScheduleMissedAlarm"]
    # Lambda counts no invocation by counting nothing.
    assert (missed["TreatMissingData"], missed["InsufficientDataActions"]) == (
        "missing",
        [ALARM_TOPIC],
    )
    assert missed["Period"] * missed["EvaluationPeriods"] == 7 * 86_400


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("FailedExportsAlarm", "export.failed"),
        ("SignInAlarm", "sign_in.failed"),
        ("AuditChangedAlarm", "audit.changed"),
        ("RefusedByAwsAlarm", "aws.refused"),
    ],
)
def test_what_the_log_counts_is_counted_by_the_line_that_says_so(name: str, event: str) -> None:
    alarm = _of_type("AWS::CloudWatch::Alarm")[name]
    assert alarm["Namespace"] == {"Fn::Sub": "StoreUsers/${Stage}"}
    assert alarm["Dimensions"] == [{"Name": "event", "Value": event}]
    assert alarm["MetricName"] in metrics.COUNTED[event]


def test_the_stream_of_the_audit_wakes_the_watch_where_an_entry_is_changed_or_removed() -> None:
    table = _of_type("AWS::DynamoDB::Table")["AuditTable"]
    assert table["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    watch = _of_type("AWS::Serverless::Function")["Watch"]
    (source,) = (one["Properties"] for one in watch["Events"].values())
    assert source["Stream"] == {"Fn::GetAtt": ["AuditTable", "StreamArn"]}
    assert source["StartingPosition"] == "TRIM_HORIZON"
    (wanted,) = source["FilterCriteria"]["Filters"]
    assert json.loads(wanted["Pattern"]) == {"eventName": ["MODIFY", "REMOVE"]}


def test_the_dashboard_shows_resources_that_are_there() -> None:
    (dashboard,) = _of_type("AWS::CloudWatch::Dashboard").values()
    text: str = dashboard["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(text)["widgets"]
    assert len(widgets) == 12
    assert len({(one["x"], one["y"]) for one in widgets}) == 12
    named = set(re.findall(r"\$\{(\w+)[.}]", text))
    assert named <= {*_template()["Resources"], "Stage"}
    assert named >= {*FUNCTIONS, *_of_type("AWS::DynamoDB::Table"), *_of_type("AWS::SQS::Queue")}


def _is_of_the_pool(name: str) -> bool:
    kind: str = _template()["Resources"][name]["Type"]
    return kind.startswith("AWS::Cognito::")


def test_a_domain_and_a_web_acl_are_there_for_who_names_them() -> None:
    resources = _template()["Resources"]
    conditions = {name: resources[name].get("Condition") for name in resources}
    assert {name: one for name, one in conditions.items() if one} == {
        "AlarmSubscription": "HasAlarmEmail",
        "MarketingSubscription": "HasMarketingEmail",
        "Domain": "HasDomain",
        "DomainMapping": "HasDomain",
        "DomainRecord": "HasDomainRecord",
        "WebAclAssociation": "HasWebAcl",
        "ScheduleMissedAlarm": "HasSchedule",
        **dict.fromkeys((name for name in resources if _is_of_the_pool(name)), "OwnPool"),
    }
    assert resources["Domain"]["Properties"]["SecurityPolicy"] == "TLS_1_2"
    parameters = _template()["Parameters"]
    for name in ("DomainName", "CertificateArn", "HostedZoneId", "WebAclArn"):
        assert parameters[name]["Default"] == ""


def test_every_parameter_is_explained_and_used() -> None:
    text = (ROOT / "infra" / "resources.yaml").read_text()
    for name, parameter in _template()["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        used = re.search(rf"!Ref {name}\b|\$\{{{name}\}}", text.partition("\nConditions:")[2])
        assert used, name


def test_every_parameter_is_told_in_the_documentation() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    told = set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE))
    # Found out by the deployment, or said on its command line.
    told_apart = {"Stage", "EmulatorEndpoint", "LeadExportSchedule"}
    assert (
        _template()["Parameters"].keys()
        == told - {"lead_export_at", "rollback_minutes", "architecture"} | told_apart
    )


def test_the_documentation_gives_the_defaults_and_bounds_of_the_template() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    rows = {row[1]: row[2] for row in re.finditer(r"^\| `(\w+)` \| ([^|]*) \|", text, re.MULTILINE)}
    for name, parameter in _template()["Parameters"].items():
        if parameter["Type"] == "Number" and "MinValue" in parameter:
            default, low, high = (parameter[key] for key in ("Default", "MinValue", "MaxValue"))
            assert rows[name] == f"{default} ({low}–{high})", name  # noqa: RUF001 - a range


def test_the_settings_of_every_stage_fit_the_template() -> None:
    stages = tomllib.loads((ROOT / "infra" / "stages.toml").read_text())
    names = stages.keys() - {"defaults"}
    assert names == {"prod", "staging", "trial", "local"}
    for name in names:
        given = stage_parameters(name)
        assert misfits(given, _template()["Parameters"]) == []
