"""The contract as a document: valid, served as it is, and what API.md promises."""

import json
import subprocess
import sys
from typing import Any
from urllib.parse import urljoin

import pytest
from openapi_spec_validator import validate

from chalicelib import errors
from chalicelib.api import openapi, problems
from chalicelib.api.contract import OPERATIONS
from chalicelib.settings import settings
from infra.package import ROOT
from tests.api.client import Client
from tests.api.conformity import check_schema

# API.md, «Errors».
PROBLEMS = {
    "invalid-request": 400,
    "stale-cursor": 400,
    "idempotency-key-required": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "no-ecosystem": 409,
    "export-not-ready": 409,
    "export-gone": 410,
    "version-conflict": 412,
    "idempotency-mismatch": 422,
    "precondition-required": 428,
    "too-many-exports": 429,
    "too-much-read": 429,
    "store-unavailable": 503,
    "internal": 500,
}
EXAMPLE_OF_A_PROBLEM = """{
 "type":"/problems/invalid-request","title":"The request does not fit the contract","status":400,
 "detail":"1 problem found","instance":"/v1/customers","request_id":"4711",
 "errors":[{"in":"query","name":"limit","detail":"500 is greater than the maximum of 100"}]}"""
EXAMPLE_OF_A_LIST = """{
 "data":[{"id":"cus_0042","first_name":"María José","last_name":"Gómez Ruiz",
  "company_email":"mj@clinica-sol.co","phone_number":"+573001234567","company_name":"Clínica Sol",
  "registered_at":"2026-03-01T15:04:05Z",
  "ecosystem":{"id":"eco_17","name":"clinica-sol","deployed_at":"2026-03-04T10:00:00Z"},
  "access":"active",
  "subscription":{"plan":"Premium","billing_period":"annual","status":"active",
   "starts_on":"2026-03-01","ends_on":"2027-02-28"},
  "version":7}],
 "page":{"limit":25,"start":0,"next":"…","prev":null,"total":478,"total_relation":"exact"}}"""
EXAMPLE_OF_A_DETAIL = """{
 "plan":"Premium","billing_period":"annual","status":"active","starts_on":"2026-03-01",
 "ends_on":"2027-02-28","encounters":{"included":5000,"used":1270},
 "licences":[{"status":"available","count":3},{"status":"assigned","count":16},
  {"status":"suspended","count":1}]}"""
EXAMPLES = [
    ("Problem", EXAMPLE_OF_A_PROBLEM),
    ("CustomerPage", EXAMPLE_OF_A_LIST),
    ("SubscriptionDetail", EXAMPLE_OF_A_DETAIL),
    ("AccessUpdate", '{"access":"suspended","reason":"Privacy incident 4711"}'),
    ("AccessUpdate", '{"access":"active"}'),
    (
        "ExportRequest",
        '{"resource":"customers","format":"xlsx","language":"es","filters":{"access":"active"}}',
    ),
    (
        "EcosystemAccess",
        (
            '{"ecosystem_id":"eco_17","access":"active","changed_at":"2026-03-01T15:04:05Z",'
            '"version":7,"epoch":1772377445001,"not_before":null}'
        ),
    ),
]


def _subclasses(root: type[errors.StoreUsersError]) -> set[type[errors.StoreUsersError]]:
    below = set(root.__subclasses__())
    return below.union(*(_subclasses(one) for one in below))


def _parameters(operation: str) -> dict[str, Any]:
    described = OPERATIONS[operation]
    document = openapi.document()["paths"][described.path][described.method.lower()]
    return {
        one["name"]: {**one, "schema": _inlined(one["schema"])} for one in document["parameters"]
    }


def _inlined(schema: Any) -> Any:
    """The schema with the components that it refers to in their places."""
    if isinstance(schema, dict) and "$ref" in schema:
        return _inlined(_component(schema["$ref"].rpartition("/")[2]))
    if isinstance(schema, dict):
        return {name: _inlined(part) for name, part in schema.items()}
    return [_inlined(part) for part in schema] if isinstance(schema, list) else schema


def _component(name: str) -> Any:
    return openapi.document()["components"]["schemas"][name]


def test_the_document_is_valid_openapi() -> None:
    validate(openapi.document())


def test_the_document_is_served_with_the_address_of_the_deployment(
    edge: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://backoffice.example/api")
    settings.cache_clear()
    served = edge.get("/v1/openapi.json", None).json
    assert served == json.loads(json.dumps(openapi.document("https://backoffice.example/api")))
    assert served["openapi"] == "3.1.0"
    assert served["servers"] == [{"url": "https://backoffice.example/api"}]


def test_a_deployment_that_does_not_know_its_address_yet_names_a_relative_one(
    edge: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "")
    settings.cache_clear()
    (server,) = edge.get("/v1/openapi.json", None).json["servers"]
    assert urljoin("https://host/api/v1/openapi.json", server["url"]) == "https://host/api/"


def test_the_document_can_be_had_without_a_deployment() -> None:
    server = "https://backoffice.example/api"
    printed = subprocess.run(
        [sys.executable, "-m", "infra.openapi", "--server", f"{server}/"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    assert json.loads(printed) == json.loads(json.dumps(openapi.document(server)))


@pytest.mark.parametrize(("code", "status"), PROBLEMS.items())
def test_a_problem_of_the_contract_is_known_with_its_status(code: str, status: int) -> None:
    assert problems.PROBLEMS[code][0] == status


def test_every_error_is_a_problem_and_every_problem_has_a_title_of_its_own() -> None:
    assert {one.code for one in _subclasses(errors.StoreUsersError)} <= problems.PROBLEMS.keys()
    titles = [title for _, title in problems.PROBLEMS.values()]
    assert len(set(titles)) == len(titles)
    assert all(400 <= status < 600 for status, _ in problems.PROBLEMS.values())


def test_what_can_be_tried_again_says_when() -> None:
    statuses = {429, 503, 504}
    again = {code for code, (status, _) in problems.PROBLEMS.items() if status in statuses}
    assert problems.RETRY_AFTER_SECONDS.keys() == again


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_of_the_contract_fits_its_schema(name: str, example: str) -> None:
    check_schema(json.loads(example), {"$ref": f"#/components/schemas/{name}"})


def test_every_operation_can_fail_with_the_problems_that_are_everywhere() -> None:
    for operation in OPERATIONS.values():
        document = openapi.document()["paths"][operation.path][operation.method.lower()]
        expected = {"400", "500", "503"} | (set() if operation.public else {"401", "403"})
        assert document["responses"].keys() >= expected, operation.id
        assert document["security"] == ([] if operation.public else [{"bearer": []}])
        assert (operation.permission or "") in document["description"]


def test_the_parameters_of_the_list_of_customers_are_those_of_the_contract() -> None:
    parameters = _parameters("list_customers")
    assert parameters.keys() == {
        *("q", "sort", "limit", "cursor", "page", "total", "registered_from", "registered_to"),
        *("access", "ecosystem", "billing_period", "status", "plan"),
    }
    assert set(parameters["sort"]["schema"]["enum"]) == {
        *("registered_at", "-registered_at", "first_name", "-first_name", "company_name"),
        *("-company_name", "subscription.ends_on", "-subscription.ends_on"),
        *("name", "-name", "company", "-company", "ends_on", "-ends_on"),
    }
    assert parameters["sort"]["schema"]["default"] == "-registered_at"
    limit = parameters["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 100, 25)
    assert parameters["access"]["schema"]["enum"] == ["active", "suspended"]
    assert parameters["ecosystem"]["schema"]["enum"] == ["deployed", "none"]
    assert parameters["billing_period"]["schema"]["enum"] == ["monthly", "annual"]
    repeatable = {name for name, one in parameters.items() if one["schema"]["type"] == "array"}
    assert repeatable == {"status", "plan"}


def test_the_parameters_of_the_list_of_leads_are_those_of_the_contract() -> None:
    parameters = _parameters("list_leads")
    assert parameters.keys() == {
        *("q", "sort", "limit", "cursor", "page", "total", "registered_from", "registered_to"),
    }
    assert set(parameters["sort"]["schema"]["enum"]) == {
        *("registered_at", "-registered_at", "first_name", "-first_name", "company_name"),
        *("-company_name", "name", "-name", "company", "-company"),
    }


def test_a_search_a_page_number_and_a_total_are_asked_for_alike_in_both_lists() -> None:
    for operation in ("list_customers", "list_leads"):
        parameters = _parameters(operation)
        search, page, total = (parameters[name]["schema"] for name in ("q", "page", "total"))
        assert (search["type"], search["minLength"], search["maxLength"]) == ("string", 2, 100)
        assert (page["type"], page["minimum"]) == ("integer", 1)
        assert (total["enum"], total["default"]) == (["count", "none"], "count")


def test_the_parameters_of_the_totals_are_those_of_the_contract() -> None:
    parameters = _parameters("get_totals")
    assert parameters.keys() == {"list", "from", "to"}
    assert {one["required"] for one in parameters.values()} == {True}
    assert parameters["list"]["schema"]["enum"] == ["customers", "leads"]


def test_the_filters_of_an_export_are_those_of_its_list() -> None:
    for resource, name in (("customers", "CustomerFilters"), ("leads", "LeadFilters")):
        filters = _inlined(_component(name))["properties"]
        listed = _parameters(f"list_{resource}")
        assert filters == {name: listed[name]["schema"] for name in filters}
        assert listed.keys() - filters.keys() == {
            *("sort", "limit", "cursor", "page", "total"),
        }


def test_the_headers_that_answers_carry_are_described() -> None:
    described = {
        operation.id: {
            name
            for status in operation.answers
            for name in openapi.document()["paths"][operation.path][operation.method.lower()][
                "responses"
            ][str(status)]["headers"]
        }
        for operation in OPERATIONS.values()
    }
    assert described == {
        "list_customers": {"X-Request-Id", "Link", "X-Total-Count"},
        "get_customer": {"X-Request-Id", "ETag"},
        "change_access": {"X-Request-Id", "ETag"},
        "list_access_history": {"X-Request-Id", "Link"},
        "list_leads": {"X-Request-Id", "Link", "X-Total-Count"},
        "get_lead": {"X-Request-Id", "ETag"},
        "get_totals": {"X-Request-Id"},
        "get_facets": {"X-Request-Id"},
        "get_ecosystem_access": {"X-Request-Id"},
        "create_export": {"X-Request-Id", "Location", "Retry-After", "Idempotency-Replayed"},
        "list_exports": {"X-Request-Id", "Link"},
        "get_export": {"X-Request-Id"},
        "delete_export": {"X-Request-Id"},
        "open_export_file": {"X-Request-Id", "Location"},
        "get_config": {"X-Request-Id"},
        "get_session": {"X-Request-Id"},
        "get_openapi": {"X-Request-Id"},
        "get_health": {"X-Request-Id"},
        "get_health_of_stores": {"X-Request-Id"},
        "get_page": {"X-Request-Id", "ETag"},
        "get_reference": {"X-Request-Id", "ETag"},
        "get_reference_file": {"X-Request-Id", "ETag"},
        "get_page_file": {"X-Request-Id", "ETag"},
        "get_page_file_of_version": {"X-Request-Id", "ETag"},
    }
