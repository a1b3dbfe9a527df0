r"""Building blocks of schemas: JSON Schema 2020-12, as OpenAPI 3.1 takes it.

Every pattern keeps to the syntax that regular expressions share (ECMA-262 with and without its
flags, Python, Java, RE2, PCRE): no `\u`, no look-around, no character beyond U+FFFF.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
ID: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9_\-]{1,64}$"}
DATE: Schema = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "integer"}
_PREFIX = "#/components/schemas/"


def ref(name: str) -> Schema:
    """Return a reference to the component schema `name`."""
    return {"$ref": f"{_PREFIX}{name}"}


def name_in(schema: Schema) -> str | None:
    """Return the name of the component that `schema` refers to; None if it is no reference."""
    return schema["$ref"].removeprefix(_PREFIX) if "$ref" in schema else None


def nullable(schema: Schema) -> Schema:
    """Return the schema, or null. `schema` is a reference, or one without an `enum`."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


AUTHOR_ID = nullable({**TEXT, "description": "Who acted: the subject of the token, never reused."})
"""The name beside it is for people; null for a part of the system, and in older acts."""


def one_of(values: Iterable[str], **more: Any) -> Schema:
    """Return a schema of the texts `values`; `more` are further keywords, such as `default`."""
    return {"type": "string", "enum": list(values), **more}


def array_of(items: Schema, **more: Any) -> Schema:
    """Return a schema of arrays of `items`."""
    return {"type": "array", "items": items, **more}


def record(
    properties: Mapping[str, Schema], *, optional: tuple[str, ...] = (), about: str = ""
) -> Schema:
    """Return an object of exactly these members, all of them required but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        **({"description": about} if about else {}),
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }


def union(tag: str, members: Mapping[str, str], about: str) -> Schema:
    """Return a union of component schemas, told apart by the value of the property `tag`.

    `members` is the name of the component schema for each value.
    """
    return {
        "type": "object",
        "description": about,
        "oneOf": [ref(name) for name in members.values()],
        "discriminator": {
            "propertyName": tag,
            "mapping": {value: f"{_PREFIX}{name}" for value, name in members.items()},
        },
    }


def page_of(row: str, about: str) -> Schema:
    """Return a page of a list whose rows are of the component schema `row`."""
    return record({"data": array_of(ref(row)), "page": ref("Page")}, about=about)
