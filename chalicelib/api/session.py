"""What a client must know around signing in: configuration, session, health, contract."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from chalicelib import aws, clock, log
from chalicelib.api import openapi
from chalicelib.api.enumerations import LANGUAGES
from chalicelib.api.http import Answer, Call, serves
from chalicelib.api.schemas import MAX_BODY_BYTES
from chalicelib.aws_errors import calling
from chalicelib.settings import origin, settings
from chalicelib.users.tables import store


@serves("get_config")
def get_config(call: Call) -> Answer:  # noqa: ARG001 - a view
    """Public configuration: nothing here is secret."""
    return Answer(
        {
            "stage": settings().stage,
            "languages": LANGUAGES,
            "time_zone": settings().time_zone.key,
            "sign_in": {
                "issuer": settings().token_issuer,
                "url": settings().sign_in_url,
                "client_id": settings().page_client_id,
                "pool_url": _pool_url(),
                "scopes": "openid email profile",
                "session_seconds": settings().session_hours * 3_600,
            },
            "limits": {
                "page_rows": 100,
                "body_bytes": MAX_BODY_BYTES,
                "running_exports": settings().max_running_exports,
                "export_retention_days": settings().export_retention_days,
            },
        }
    )


def _pool_url() -> str:
    """Address of the user pool's API; empty where people sign in with another provider."""
    return f"{origin(settings().token_keys_url)}/" if settings().sign_in_url else ""


@serves("get_session")
def get_session(call: Call) -> Answer:
    """The caller. Without a role there is a session, but nothing that it permits."""
    actor = call.actor
    return Answer(
        {
            "id": actor.id,
            "username": actor.name,
            "roles": list(actor.roles),
            "permissions": sorted(actor.permissions),
            "expires_at": clock.instant(datetime.fromtimestamp(actor.expires_at, tz=UTC)),
        }
    )


@serves("get_openapi")
def get_openapi(call: Call) -> Answer:  # noqa: ARG001 - a view
    """The contract, with this deployment's address."""
    return Answer(openapi.document(settings().public_url))


@serves("get_health")
def get_health(call: Call) -> Answer:  # noqa: ARG001 - a view
    """Say that the API answers. It asks nothing else, for it is public."""
    return Answer({"status": "ok"})


@serves("get_health_of_stores")
def get_health_of_stores(call: Call) -> Answer:  # noqa: ARG001 - a view
    """Ask each store for something that is not there; 503 where one does not answer."""
    checks = {name: _check(name, probe) for name, probe in _probes().items()}
    healthy = all(state == "ok" for state in checks.values())
    status = "ok" if healthy else "failing"
    return Answer({"status": status, "checks": checks}, 200 if healthy else 503)


def _probes() -> dict[str, Callable[[], object]]:
    names = settings()
    tables = {
        "users": (names.users_table, None),
        "ecosystems": (names.ecosystems_table, None),
        "search": (names.search_table, "health"),
        "totals": (names.totals_table, "health"),
        "audit": (names.audit_table, "health"),
        "exports": (names.exports_table, None),
    }
    probes: dict[str, Callable[[], object]] = {
        name: partial(store().get_item, table, "health", range_key)
        for name, (table, range_key) in tables.items()
    }
    probes["bucket"] = _head_bucket
    return probes


def _head_bucket() -> None:
    with calling("s3"):
        aws.s3().head_bucket(Bucket=settings().exports_bucket)


def _check(name: str, probe: Callable[[], object]) -> str:
    try:
        probe()
    except Exception as error:  # noqa: BLE001 - whatever it is, this store is not well
        log.event("health.failing", level="ERROR", store=name, **log.failure(error))
        return "failing"
    return "ok"
