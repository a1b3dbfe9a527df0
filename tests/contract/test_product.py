"""What generated clients and readers need of the document: names, types, patterns, examples."""

import re
from collections.abc import Iterator
from re import _parser as parser  # type: ignore[attr-defined] # not in its stubs
from typing import Any

import pytest

from chalicelib.api import openapi
from tests.api.client import Client
from tests.api.conformity import check_schema

Found = tuple[str, Any]


def _parts(part: Any, path: str = "") -> Iterator[Found]:
    """Every object within the document, with where it is."""
    if isinstance(part, dict):
        yield path, part
        for name, inner in part.items():
            yield from _parts(inner, f"{path}/{name}")
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from _parts(inner, f"{path}/{number}")


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in openapi.document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def _with(keyword: str) -> list[Found]:
    """The schemas that have the keyword; properties of that name are none."""
    return [
        (path, one)
        for path, one in _parts(openapi.document())
        if keyword in one and not path.endswith("/properties") and "/examples/" not in path
    ]


def _media() -> Iterator[Found]:
    for name, operation in _operations():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            yield name, media
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                yield f"{name} {status}", media


def test_a_union_is_of_named_schemas_that_a_property_tells_apart() -> None:
    unions = _with("oneOf")
    assert [path for path, _ in unions] == ["/components/schemas/ExportRequest"]
    for path, schema in unions:
        named = [one["$ref"] for one in schema["oneOf"]]
        assert sorted(schema["discriminator"]["mapping"].values()) == sorted(named), path
        assert schema["discriminator"]["propertyName"] == "resource"


def test_what_has_members_has_a_name() -> None:
    """A record within another one is a component: generators call it by no number."""
    nested = [
        path
        for path, _ in _with("properties")
        if not re.fullmatch(r"/components/schemas/\w+(/if)?", path)
    ]
    assert nested == []


def test_a_schema_of_a_set_of_values_says_their_type() -> None:
    typeless = [path for path, schema in _with("enum") if "type" not in schema]
    assert typeless == []
    assert len(_with("enum")) > 15


def test_every_component_schema_says_what_it_is() -> None:
    schemas = openapi.document()["components"]["schemas"]
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []


def test_every_component_schema_is_used() -> None:
    used = {
        one["$ref"].rpartition("/")[2] for _, one in _parts(openapi.document()) if "$ref" in one
    }
    assert used == openapi.document()["components"]["schemas"].keys()


# Groups other than plain ones, escapes of one flavour, possessive and atomic repetition.
_OF_SOME_FLAVOUR = re.compile(r"\(\?|\\[^\\sSdDwW.xtnr/\"-]|[*+?}]\+|\[\[|&&|--|~~|\\x[^0-9a-f]")


@pytest.mark.parametrize("pattern", sorted({one["pattern"] for _, one in _with("pattern")}))
def test_a_pattern_is_one_in_every_flavour_of_regular_expressions(pattern: str) -> None:
    """ECMA-262 without flags reads UTF-16 units, RE2 knows no `\\u`, no look-around."""
    assert parser.parse(pattern)
    assert pattern[0] == "^"
    assert pattern[-1] == "$"
    assert max(pattern) < "\U00010000"
    assert not _OF_SOME_FLAVOUR.search(pattern)


def test_every_operation_has_a_tag_that_is_described_and_an_id_that_is_a_method_name() -> None:
    tags = {tag["name"]: tag["description"] for tag in openapi.document()["tags"]}
    assert all(tags.values())
    used = set()
    for name, operation in _operations():
        (tag,) = operation["tags"]
        used.add(tag)
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), name
    assert used == tags.keys()


def test_every_parameter_and_header_is_described() -> None:
    for name, operation in _operations():
        for parameter in operation.get("parameters", []):
            assert parameter["description"], name
        for response in operation["responses"].values():
            assert all(header["description"] for header in response["headers"].values()), name


def test_every_example_fits_its_schema() -> None:
    counted = 0
    for name, media in _media():
        for example in media.get("examples", {}).values():
            check_schema(example["value"], media["schema"])
            counted += 1
        if media["schema"].get("$ref", "").endswith("Problem"):
            assert media["examples"], name
    for _, operation in _operations():
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                check_schema(parameter["example"], parameter["schema"])
                counted += 1
    assert counted > 100


def test_the_page_of_each_list_and_each_body_to_send_has_an_example() -> None:
    for name, operation in _operations():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert media["examples"], name
        ok = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        if ok.get("schema", {}).get("$ref", "").endswith("Page"):
            assert ok["examples"], name


def test_a_forbidden_call_names_the_permission_as_the_document_says(edge: Client) -> None:
    schema = _failure("put /v1/customers/{customer_id}/access", "403")
    assert schema == {"$ref": "#/components/schemas/ForbiddenProblem"}
    answer = edge.switch({"access": "active"}, role="viewer")
    check_schema(answer.json, schema)
    assert answer.json["permission"] == "access:change"
    assert (
        "permission"
        in openapi.document()["components"]["schemas"]["ForbiddenProblem"]["properties"]
    )


def test_a_version_conflict_has_the_customer_as_now_in_the_document() -> None:
    schema = _failure("put /v1/customers/{customer_id}/access", "412")
    assert schema == {"$ref": "#/components/schemas/VersionConflictProblem"}
    problem = openapi.document()["components"]["schemas"]["VersionConflictProblem"]
    assert problem["properties"]["current"] == {"$ref": "#/components/schemas/CustomerDetail"}
    assert "current" in problem["required"]


def _failure(name: str, status: str) -> Any:
    response = dict(_operations())[name]["responses"][status]
    return response["content"]["application/problem+json"]["schema"]
