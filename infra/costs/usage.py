"""How much of what AWS bills is used in a month: of the template, and of a business."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib import metrics

Template = Mapping[str, Any]

_HOURS = 730
_DAYS = 365 / 12
_GB = 1e9

_WRITES_A_USER = 0.03 * 70 + 0.01 * 70 + 14
"""WRU: 3 % are new and 1 % get another name or address, 70 each; one other edit, 14."""
_STORED_A_USER = 15_000
"""Bytes: the item and five indexes 3 kB, 50 entries of the search 11 kB, state and rest 1 kB."""
_READS_A_SEARCH, _READS_A_LIST, _READS_A_ROW = 27, 2, 0.044
"""RRU; a search is one with its count, and a row one of an export. All others take 1."""
_CHANGES_A_USER = 1.04
_SECONDS = {"requests": 0.07, "questions": 0.02, "authorised": 0.02, "batches": 0.06}
"""Duration of each on Lambda: assumed, for nothing was measured there."""
_EXPORTED_SECONDS = 68e-6
"""A row of an export, by the clock: docs/performance.md."""
_FILE_BYTES = 126
"""A row in a file: docs/performance.md."""

_PART_BYTES = 8_000_000

QUESTION_LOG_BYTES = 575
"""A gateway's question in the log, with 26 bytes that CloudWatch adds to each line."""
_RUNTIME_LOG_BYTES = 420
"""The three lines of the Lambda runtime for each invocation, likewise."""
_LOG_BYTES = {"requests": 830, "questions": QUESTION_LOG_BYTES, "authorised": 0, "batches": 700}

_QUESTION_SENT_BYTES, _REQUEST_SENT_BYTES = 1_000, 5_000
_FIVE_MINUTES = 12 * _HOURS
"""How many there are in a month."""
_POLLS = 5 * 3 * 60 * _HOURS
"""Lambda asks a queue by five connections, each time for 20 s: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """What is done in a month; `users` is how many there are, customers and leads.

    `gateways` are processes that each have a token of their own, `processes` those of our functions
    that are at work all day.
    """

    users: int
    searches: int = 40_000
    lists: int = 40_000
    others: int = 40_000
    exports: int = 30
    gateways: int = 10
    questions: int = 0
    processes: int = 3


def of_template(template: Template) -> dict[str, float]:
    """What is paid for because it is there, or free: the number of each."""
    resources = template["Resources"].values()
    kinds = [one["Type"] for one in resources]
    clients = [one for one in resources if one["Type"] == "AWS::Cognito::UserPoolClient"]
    return {
        "alarms": kinds.count("AWS::CloudWatch::Alarm"),
        "dashboards": kinds.count("AWS::CloudWatch::Dashboard"),
        "metrics": sum(map(len, metrics.COUNTED.values())),
        "secrets": kinds.count("AWS::SecretsManager::Secret"),
        "machines": sum(
            "client_credentials" in one["Properties"]["AllowedOAuthFlows"] for one in clients
        ),
    }


def of_business(business: Business, template: Template) -> dict[str, float]:
    """What is used by what is done, with the defaults of the template's parameters."""
    requests = business.searches + business.lists + business.others
    done = {
        "requests": requests,
        "questions": business.questions,
        # API Gateway keeps an answer five minutes; people are asked for once in five requests.
        "authorised": requests / 5 + business.gateways * _FIVE_MINUTES,
        "batches": business.users * _CHANGES_A_USER,
    }
    rows = business.exports * business.users
    file_gb = rows * _FILE_BYTES / _GB
    logged = sum((_LOG_BYTES[name] + _RUNTIME_LOG_BYTES) * done[name] for name in done) / _GB
    secret_requests = 2 * business.processes * _FIVE_MINUTES
    return {
        "writes": business.users * _WRITES_A_USER,
        "reads": _reads(business, rows),
        "stored": business.users * _STORED_A_USER / _GB,
        "recoverable": business.users * _STORED_A_USER / _GB,
        "logged": logged,
        "kept_logs": logged * _default(template, "LogRetentionDays") / _DAYS,
        "key_requests": secret_requests + _table_keys(business, template),
        "secret_requests": secret_requests,
        "requests": requests + business.questions,
        "invocations": sum(done.values()) + business.exports,
        "gb_seconds": _gb_seconds(done, rows, template),
        "files": file_gb * _default(template, "ExportRetentionDays") / _DAYS,
        "file_writes": 3 * business.exports + rows * _FILE_BYTES / _PART_BYTES,
        "queue_requests": _POLLS * len(_polled(template)),
        "mails": 2 * business.exports,
        "scheduled": _DAYS / 7,
        "sent": file_gb
        + (requests * _REQUEST_SENT_BYTES + business.questions * _QUESTION_SENT_BYTES) / _GB,
        "tokens": business.gateways * _HOURS * 60 / _default(template, "GatewayTokenMinutes"),
    }


def _reads(business: Business, rows: int) -> float:
    lists = business.searches * _READS_A_SEARCH + business.lists * _READS_A_LIST
    # Whether the caller is blocked is asked in each process once in five seconds at the most.
    blocks = min(business.questions, business.processes * _FIVE_MINUTES * 60)
    return lists + business.others + business.questions + blocks + rows * _READS_A_ROW


def _table_keys(business: Business, template: Template) -> float:
    """A key is asked for in five minutes by each connection that is in use.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html
    """
    encrypted = [
        one
        for one in template["Resources"].values()
        if one["Type"] == "AWS::DynamoDB::Table"
        and one["Properties"].get("SSESpecification", {}).get("SSEEnabled")
    ]
    return business.processes * len(encrypted) * _FIVE_MINUTES


def _gb_seconds(done: Mapping[str, float], rows: int, template: Template) -> float:
    memory = {
        "requests": _default(template, "ApiMegabytes"),
        "questions": _default(template, "ApiMegabytes"),
        "authorised": _default(template, "AuthorizerMegabytes"),
        "batches": _default(template, "StreamMegabytes"),
    }
    served = sum(done[name] * _SECONDS[name] * memory[name] for name in done)
    exported = rows * _EXPORTED_SECONDS * _default(template, "WorkerMegabytes")
    return (served + exported) / 1024


def _polled(template: Template) -> list[str]:
    return [
        name
        for one in template["Resources"].values()
        for name, event in one.get("Properties", {}).get("Events", {}).items()
        if event["Type"] == "SQS"
    ]


def _default(template: Template, parameter: str) -> int:
    return int(template["Parameters"][parameter]["Default"])
