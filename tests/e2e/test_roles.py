"""What the roles of the functions may do to the audit and to marketing, evaluated.

A condition that no item meets tells a write that is allowed from one that is refused, and writes
nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.conftest import Stack

REFUSED = "AccessDeniedException"
ALLOWED = "ConditionalCheckFailedException"

APPENDS: Mapping[str, frozenset[str]] = {
    "api": frozenset({"customer#cus_0042", "export#exp_1"}),
    "authorizer": frozenset(),
    "schedule": frozenset({"export#exp_1"}),
    "stream": frozenset({"customer#cus_0042"}),
    "watch": frozenset(),
    "worker": frozenset({"export#exp_1"}),
}
"""The subjects, of those below, about which each function writes entries."""

SUBJECTS = ("customer#cus_0042", "export#exp_1", "person#4f1c", "erasures", "health")
_TEXTS = ("entry", "id", "at", "by", "by_id", "action", "facts", "request_id", "prev", "hash")


@pytest.mark.parametrize("function", sorted(APPENDS))
def test_a_role_appends_about_the_subjects_of_its_function_alone(
    stack: Stack, function: str
) -> None:
    dynamodb, table = stack.client_of(function, "dynamodb"), stack.facts["tables"]["audit"]
    codes = {subject: _code(_put(dynamodb, table, _entry(subject))) for subject in SUBJECTS}
    allowed = APPENDS[function]
    assert codes == {one: ALLOWED if one in allowed else REFUSED for one in SUBJECTS}


@pytest.mark.parametrize("function", sorted(name for name, some in APPENDS.items() if some))
def test_a_role_puts_no_attribute_that_entries_do_not_have(stack: Stack, function: str) -> None:
    dynamodb, table = stack.client_of(function, "dynamodb"), stack.facts["tables"]["audit"]
    foreign = {**_entry(min(APPENDS[function])), "note": {"S": "not ours"}}
    assert _code(_put(dynamodb, table, foreign)) == REFUSED
    moved = {"Put": {"TableName": table, "Item": foreign}}
    assert _code(lambda: dynamodb.transact_write_items(TransactItems=[moved])) == REFUSED


@pytest.mark.parametrize("function", sorted(APPENDS))
def test_no_role_updates_or_removes_an_entry(stack: Stack, function: str) -> None:
    dynamodb, table = stack.client_of(function, "dynamodb"), stack.facts["tables"]["audit"]
    item = _entry("export#exp_1")
    key: Any = {"TableName": table, "Key": {name: item[name] for name in ("subject", "entry")}}
    update = {
        **key,
        "UpdateExpression": "SET #by = :by",
        "ExpressionAttributeNames": {"#by": "by"},
        "ExpressionAttributeValues": {":by": {"S": "another"}},
    }
    statement = f'DELETE FROM "{table}" WHERE subject = ? AND entry = ?'  # noqa: S608 - a name of ours
    calls: tuple[Callable[[], Any], ...] = (
        lambda: dynamodb.update_item(**update),
        lambda: dynamodb.delete_item(**key),
        lambda: dynamodb.transact_write_items(TransactItems=[{"Update": update}]),
        lambda: dynamodb.transact_write_items(TransactItems=[{"Delete": key}]),
        lambda: dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}}]}),
        lambda: dynamodb.execute_statement(
            Statement=statement, Parameters=list(key["Key"].values())
        ),
        lambda: dynamodb.delete_table(TableName=table),
    )
    assert [_code(call) for call in calls] == [REFUSED] * len(calls)


def test_a_role_reads_the_entries_that_its_function_chains_to_alone(stack: Stack) -> None:
    table = stack.facts["tables"]["audit"]
    codes = {}
    for function in APPENDS:
        dynamodb = stack.client_of(function, "dynamodb")
        for subject in SUBJECTS:
            codes[function, subject] = _code(_query(dynamodb, table, subject))
    reads = {
        *((name, subject) for name, subjects in APPENDS.items() for subject in subjects),
        ("watch", "erasures"),
    }
    assert codes == {pair: "" if pair in reads else REFUSED for pair in codes}


def test_the_worker_alone_publishes_to_marketing(stack: Stack) -> None:
    codes = {}
    for function in APPENDS:
        sns, topic = stack.client_of(function, "sns"), stack.facts["topic"]
        codes[function] = _code(partial(sns.publish, TopicArn=topic, Message="From a role"))
    assert codes == {**dict.fromkeys(APPENDS, "AuthorizationError"), "worker": ""}


def _entry(subject: str) -> dict[str, Any]:
    return {"subject": {"S": subject}, **{name: {"S": "n9999999999"} for name in _TEXTS}}


def _put(dynamodb: Any, table: str, item: Mapping[str, Any]) -> Callable[[], Any]:
    return lambda: dynamodb.put_item(
        TableName=table, Item=item, ConditionExpression="attribute_exists(subject)"
    )


def _query(dynamodb: Any, table: str, subject: str) -> Callable[[], Any]:
    return lambda: dynamodb.query(
        TableName=table,
        KeyConditionExpression="subject = :subject",
        ExpressionAttributeValues={":subject": {"S": subject}},
        Limit=1,
    )


def _code(call: Callable[[], Any]) -> str:
    """The code of the error that the call ends with, empty where it succeeds."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""
