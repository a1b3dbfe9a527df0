"""What schemas are made of: JSON Schema 2020-12, as OpenAPI 3.1 takes it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

ID: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
DATE: Schema = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
INSTANT: Schema = {"type": "string", "format": "date-time"}


def ref(name: str) -> Schema:
    """A reference to the component schema `name`."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def record(properties: Mapping[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """An object of exactly these members, all of them there but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }


def page_of(row: str) -> Schema:
    """A page of a list whose rows are of the component schema `row`."""
    return record({"data": {"type": "array", "items": ref(row)}, "page": ref("Page")})


TEXT: Schema = {"type": "string"}
