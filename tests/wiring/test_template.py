"""What the template says and what the code says: the same."""

import json
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import yaml
from pynamodb.models import Model

from chalicelib.api.problems import PROBLEMS, RETRY_AFTER_SECONDS
from chalicelib.exports import delivery, jobs, newleads, reasons
from chalicelib.settings import Settings
from chalicelib.users import tables
from chalicelib.users.listing import SORTS
from infra.gateway_responses import gateway_responses
from infra.package import ROOT
from tests.api.conformity import ALWAYS, check_schema
from tests.conftest import ENVIRONMENT, template_parameter, template_resources

TABLES: dict[str, type[Model]] = {
    "UsersTable": tables.UserItem,
    "EcosystemsTable": tables.EcosystemItem,
    "SearchTable": tables.SearchItem,
    "TotalsTable": tables.TotalItem,
    "AuditTable": tables.AuditItem,
    "ExportsTable": tables.ExportItem,
}


_resources = cache(template_resources)


def _properties(logical_id: str) -> Any:
    return _resources()[logical_id]["Properties"]


def _declared(model: type[Model]) -> dict[str, Any]:
    return dict(model._get_schema())  # noqa: SLF001 - PynamoDB has no public way to ask


def _variables() -> set[str]:
    """The names under Globals: read as text, for CloudFormation's short forms are no plain YAML."""
    text = (ROOT / "infra" / "resources.yaml").read_text()
    part = text.partition("\nGlobals:\n")[2].partition("\nResources:\n")[0]
    nodes: Any = yaml.compose(part, Loader=yaml.SafeLoader)
    for name in ("Function", "Environment", "Variables"):
        nodes = {key.value: value for key, value in nodes.value}[name]
    return {key.value for key, _ in nodes.value}


def test_answers_travel_compressed() -> None:
    assert _properties("RestAPI")["MinimumCompressionSize"] == 1024


def test_the_functions_get_exactly_the_variables_that_the_settings_read() -> None:
    # Lambda itself sets the region.
    assert _variables() == Settings.variables().keys() - {"AWS_REGION"}


def test_the_environment_of_the_tests_has_no_variable_that_the_settings_do_not_know() -> None:
    for_aws = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"}
    assert ENVIRONMENT.keys() - for_aws <= Settings.variables().keys()


@pytest.mark.parametrize("logical_id", TABLES)
def test_a_table_has_the_keys_that_its_model_declares(logical_id: str) -> None:
    declared, properties = _declared(TABLES[logical_id]), _properties(logical_id)
    assert _keys(properties["KeySchema"]) == _keys(declared["key_schema"])
    assert properties["KeySchema"][0]["KeyType"] == "HASH"
    assert _types(properties) == _types({"AttributeDefinitions": declared["attribute_definitions"]})


@pytest.mark.parametrize("logical_id", TABLES)
def test_a_table_has_the_indexes_that_its_model_declares(logical_id: str) -> None:
    written = {
        index["IndexName"]: (_keys(index["KeySchema"]), _projection(index["Projection"]))
        for index in _properties(logical_id).get("GlobalSecondaryIndexes", [])
    }
    declared = {
        index["index_name"]: (_keys(index["key_schema"]), _projection(index["projection"]))
        for index in _declared(TABLES[logical_id])["global_secondary_indexes"]
    }
    # What is a key of the index is in it anyhow, and DynamoDB refuses to be told so.
    bare = {name: (keys, what - keys.keys()) for name, (keys, what) in declared.items()}
    assert written == bare
    assert len(_properties(logical_id).get("GlobalSecondaryIndexes", [])) == len(written)


def _keys(schema: list[dict[str, str]]) -> dict[str, str]:
    return {one["AttributeName"]: one["KeyType"] for one in schema}


def _types(table: dict[str, Any]) -> dict[str, str]:
    definitions = table["AttributeDefinitions"]
    types = {one["AttributeName"]: one["AttributeType"] for one in definitions}
    assert len(types) == len(definitions), "an attribute twice"
    return types


def _projection(given: dict[str, Any]) -> set[str]:
    names = given.get("NonKeyAttributes", [given["ProjectionType"]])
    assert len(names) == len(set(names)), "an attribute twice"
    return set(names)


def test_every_index_of_the_store_users_that_is_listed_carries_a_whole_row() -> None:
    indexes = {one["IndexName"]: one for one in _properties("UsersTable")["GlobalSecondaryIndexes"]}
    # The rows of a segment are read by their ids.
    assert indexes.pop("by_segment")["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert indexes.keys() == {index for index, _ in SORTS.values()}
    for name, index in indexes.items():
        keys = {one["AttributeName"] for one in index["KeySchema"]}
        carried = {*index["Projection"]["NonKeyAttributes"], *keys, "id"}
        assert carried >= {
            *("id", "first_name", "last_name", "company_email", "phone_number", "company_name"),
            *("registered_at", "ecosystem", "access", "subscription", "version"),
        }, name


def test_old_jobs_go_by_the_attribute_that_jobs_have() -> None:
    specification = _properties("ExportsTable")["TimeToLiveSpecification"]
    assert specification["AttributeName"] == "removed_after"
    assert "removed_after" in tables.ExportItem.get_attributes()


def test_the_stream_shows_the_item_before_and_after() -> None:
    view = _properties("UsersTable")["StreamSpecification"]["StreamViewType"]
    assert view == "NEW_AND_OLD_IMAGES"


def test_the_queue_of_exports_fits_the_worker() -> None:
    queue = _properties("ExportsQueue")
    assert queue["VisibilityTimeout"] == _properties("Worker")["Timeout"] == "WorkerSeconds"
    # A message that finds another worker at the job comes back, too.
    tries = queue["RedrivePolicy"]["maxReceiveCount"]
    assert tries > reasons.MAX_ATTEMPTS
    longest = timedelta(seconds=template_parameter("WorkerSeconds")["MaxValue"])
    assert longest * tries < jobs.ABANDONED_AFTER, "what has failed for good is never tried again"


def test_the_bucket_forgets_files_and_what_failed_runs_and_uploads_have_left() -> None:
    rules = _properties("ExportsBucket")["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert expiring == {
        delivery.object_prefix("exp_1").partition("exp_1")[0]: "ExportRetentionDays",
        newleads.MEMORY_PREFIX: 90,
    }
    aborting = [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]
    assert [rule.get("Prefix") for rule in aborting] == [None]


# API.md: what API Gateway answers by itself, in our shape.
ANSWERED_BY_API_GATEWAY = {
    "UNAUTHORIZED": (401, "unauthenticated"),
    "ACCESS_DENIED": (403, "forbidden"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "not-found"),
    "RESOURCE_NOT_FOUND": (404, "not-found"),
    "REQUEST_TOO_LARGE": (413, "payload-too-large"),
    "THROTTLED": (429, "too-many-requests"),
    "INTEGRATION_TIMEOUT": (504, "timeout"),
    "INTEGRATION_FAILURE": (503, "store-unavailable"),
    "AUTHORIZER_FAILURE": (503, "sign-in-unavailable"),
    "DEFAULT_5XX": (500, "internal"),
}


def _code(response: dict[str, Any]) -> str:
    document = json.loads(response["ResponseTemplates"]["application/json"])
    code: str = document["type"].removeprefix("/problems/")
    return code


def test_api_gateway_answers_with_our_problems() -> None:
    responses = gateway_responses()
    said = {
        name: (responses[name]["StatusCode"], _code(responses[name]))
        for name in ANSWERED_BY_API_GATEWAY
    }
    assert said == ANSWERED_BY_API_GATEWAY


@pytest.mark.parametrize("name", gateway_responses())
def test_an_answer_of_api_gateway_is_a_problem_of_the_table(name: str) -> None:
    response = gateway_responses()[name]
    code = _code(response)
    document = json.loads(response["ResponseTemplates"]["application/json"])
    status, title = PROBLEMS[code]
    assert document == {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "request_id": "$context.requestId",
    }
    assert response["StatusCode"] == status
    check_schema(document, {"$ref": "#/components/schemas/Problem"})


@pytest.mark.parametrize("name", gateway_responses())
def test_an_answer_of_api_gateway_has_the_headers_of_ours(name: str) -> None:
    response = gateway_responses()[name]
    headers = dict(response["ResponseParameters"]["Headers"])
    assert headers.pop("X-Request-Id") == "context.requestId"
    plain = {header.lower(): value.strip("'") for header, value in headers.items()}
    assert all(value == f"'{value[1:-1]}'" for value in headers.values()), "quoted, as AWS wants"
    code = _code(response)
    expected = {
        **ALWAYS,
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "ETag, Link, Location, Retry-After, X-Total-Count, "
        "X-Request-Id, Idempotency-Replayed",
    }
    if code == "unauthenticated":
        expected["www-authenticate"] = "Bearer"
    if code in RETRY_AFTER_SECONDS:
        expected["retry-after"] = str(RETRY_AFTER_SECONDS[code])
    assert plain == expected
