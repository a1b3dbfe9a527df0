"""Who is calling, and what may they do: the authorizer, roles and permissions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalice.app import AuthRequest, AuthResponse, Blueprint

from chalicelib import clock, log, metrics
from chalicelib.api.tokens import TokenError, client_of, verified
from chalicelib.errors import ForbiddenError, UnauthenticatedError
from chalicelib.settings import settings
from chalicelib.users.model import Author

_READ = frozenset({"customers:read", "leads:read"})
_SWITCH = frozenset({"access:change", "audit:read"})
_EXPORT_LEADS = frozenset({"exports:create", "exports:read", "exports:leads"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "viewer": _READ,
    "support": _READ | _SWITCH,
    "marketing": frozenset({"leads:read"}) | _EXPORT_LEADS,
    "admin": _READ | _SWITCH | _EXPORT_LEADS | {"exports:customers", "exports:delete"},
    "gateway": frozenset({"ecosystem-access:read"}),
}
"""What each role may do; several roles add up."""

_NAME = re.compile(r"\S{1,128}")
_SYSTEM_NAMES = frozenset({"erase", "link", "schedule", "stream", "system", "worker"})

authorizers = Blueprint(__name__)


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller: `id` is the subject of the token, `expires_at` ends the session.

    Both instants are seconds since 1970; `signed_in_at` is 0 where the token does not say.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    expires_at: int
    signed_in_at: int = 0

    @property
    def author(self) -> Author:
        """The caller as the audit names them."""
        return Author(self.name, self.id)

    @property
    def permissions(self) -> frozenset[str]:
        """What all the roles together permit."""
        return frozenset[str]().union(*(PERMISSIONS[role] for role in self.roles))

    @property
    def is_machine(self) -> bool:
        """True for a gateway, which is bounded and shut out by its client alone."""
        return "gateway" in self.roles

    def need(self, permission: str) -> None:
        """Raise `ForbiddenError` without the permission."""
        if permission not in self.permissions:
            raise ForbiddenError(permission)


class RefusedTokenError(Exception):
    """The error by whose message API Gateway answers 401; any other is a failure of sign-in.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
    """

    def __init__(self) -> None:
        """Say the one word that API Gateway looks for."""
        super().__init__("Unauthorized")


@authorizers.authorizer(ttl_seconds=300)
@log.without_messages(RefusedTokenError)
def authorizer(request: AuthRequest) -> AuthResponse:
    """Let API Gateway pass whoever has a good token; the views look at the roles.

    The answer is kept per token for five minutes, across routes: so it allows them all, and the
    views look at the expiry again.
    """
    try:
        return _allowed(verified(_bearer(request.token)))
    except TokenError as error:
        log.event("token.refused", reason=str(error))
        raise RefusedTokenError from None
    except Exception:
        # API Gateway counts its answer, a 503, among the faults of callers.
        metrics.event("sign_in.failed", level="ERROR", failed=1)
        raise


def _allowed(claims: Mapping[str, Any]) -> AuthResponse:
    """Let the bearer of the claims pass. Raises `TokenError` for a name that is not a user's."""
    context = {
        "name": _name(claims),
        "roles": ",".join(roles_of(claims)),
        "expires_at": str(int(claims["exp"])),
        "signed_in_at": str(_signed_in_at(claims)),
    }
    return AuthResponse(routes=["*"], principal_id=claims["sub"], context=context)


def actor_of(context: Mapping[str, Any]) -> Actor:
    """The actor that the authorizer told API Gateway of.

    Raises `UnauthenticatedError` where there is none, or the token has expired since.
    """
    if "principalId" not in context:
        raise UnauthenticatedError
    expires_at = int(context["expires_at"])
    if expires_at <= clock.now().timestamp():
        message = "Your session is over; sign in again"
        raise UnauthenticatedError(message)
    roles = tuple(role for role in context["roles"].split(",") if role)
    # An answer that was kept across an upgrade does not say it.
    signed_in_at = int(context.get("signed_in_at", 0))
    return Actor(context["principalId"], context["name"], roles, expires_at, signed_in_at)


def _signed_in_at(claims: Mapping[str, Any]) -> int:
    """Return when the person gave a password, else when the token was issued.

    A refreshed token has a new `iat`, and the `auth_time` of its sign-in (OpenID Connect Core 2).
    """
    told = claims.get("auth_time", claims.get("iat"))
    return int(told) if isinstance(told, int | float) else 0


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        message = "not a bearer token"
        raise TokenError(message)
    return token


def _name(claims: Mapping[str, Any]) -> str:
    """The name that people read in the audit. Raises `TokenError` for one that a system part has.

    Parts of the system have a blank in their names (see `Author.system`); older entries have none.
    """
    name = str(claims.get(settings().name_claim, claims["sub"]))
    if not _NAME.fullmatch(name) or name.casefold() in _SYSTEM_NAMES:
        message = "of a name that is not a user's"
        raise TokenError(message)
    return name


def roles_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The roles that the claims give: groups for people, the scope for the machine client."""
    if client_of(claims) == settings().gateway_client_id:
        scopes = str(claims.get("scope", "")).split()
        return ("gateway",) if settings().gateway_scope in scopes else ()
    groups = claims.get(settings().groups_claim)
    known = settings().group_roles
    given = {known.get(str(group), "") for group in groups} if isinstance(groups, list) else set()
    return tuple(sorted(given & PERMISSIONS.keys() - {"gateway"}))
