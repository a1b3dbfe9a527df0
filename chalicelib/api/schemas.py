"""Every shape of what is sent and answered, one a component of the OpenAPI document."""

from collections.abc import Mapping

from chalicelib.api.enumerations import ENUMERATIONS
from chalicelib.api.export_schemas import EXPORTS
from chalicelib.api.problems import PROBLEM_SCHEMAS
from chalicelib.api.shapes import (
    COUNT,
    INSTANT,
    TEXT,
    Schema,
    array_of,
    name_in,
    record,
    ref,
)
from chalicelib.api.user_schemas import USERS

MAX_BODY_BYTES = 16_384

_SERVICE: Mapping[str, Schema] = {
    "SignIn": record(
        {
            "issuer": TEXT,
            "url": TEXT,
            "pool_url": TEXT,
            "client_id": TEXT,
            "scopes": TEXT,
            "session_seconds": COUNT,
        },
        about="Where and how to sign in. `url`, `pool_url` and `client_id` are empty where another "
        "issuer than a user pool with a hosted sign-in signs people in.",
    ),
    "Config": record(
        {
            "stage": TEXT,
            "languages": array_of(TEXT),
            "time_zone": TEXT,
            "sign_in": ref("SignIn"),
            "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        about="What a client must know before signing in.",
    ),
    "Session": record(
        {
            "id": TEXT,
            "username": TEXT,
            "roles": array_of(TEXT),
            "permissions": array_of(TEXT),
            "expires_at": INSTANT,
        },
        about="The caller, and what the caller may do.",
    ),
    "Health": record({"status": ref("HealthStatus")}, about="Is the service up?"),
    "StoresHealth": record(
        {
            "status": ref("HealthStatus"),
            "checks": {"type": "object", "additionalProperties": ref("HealthStatus")},
        },
        about="Do the stores answer? `checks` tells of each table and the bucket.",
    ),
    "OpenApiDocument": {
        "type": "object",
        "additionalProperties": True,
        "description": "A document of OpenAPI 3.1.",
    },
}

SCHEMAS: Mapping[str, Schema] = {
    **ENUMERATIONS,
    **USERS,
    **EXPORTS,
    **_SERVICE,
    **PROBLEM_SCHEMAS,
}
"""Every component schema by its name."""


def resolved(schema: Schema) -> Schema:
    """Return the component that `schema` refers to, or `schema` itself."""
    name = name_in(schema)
    return schema if name is None else SCHEMAS[name]
