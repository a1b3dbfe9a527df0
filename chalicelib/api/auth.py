"""Who is calling, and what may they do: the authorizer, roles and permissions."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from chalice.app import AuthRequest, AuthResponse, Blueprint

from chalicelib import clock, log, metrics
from chalicelib.errors import ForbiddenError, UnauthenticatedError
from chalicelib.settings import settings
from chalicelib.users.model import Author

if TYPE_CHECKING:
    from jwt import PyJWK

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

_KEYS_KEPT_SECONDS = 3_600
_SECONDS_BETWEEN_FETCHES = 10
_FETCH_TIMEOUT_SECONDS = 3

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


class TokenError(Exception):
    """The token proves nothing; the message says why, for the log."""


class RefusedTokenError(Exception):
    """The error by whose message API Gateway answers 401; any other is a failure of sign-in.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
    """

    def __init__(self) -> None:
        """Say the one word that API Gateway looks for."""
        super().__init__("Unauthorized")


class KeysUnavailableError(Exception):
    """Nothing can be said of the token: it is let out, and API Gateway answers 503."""


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


def verified(token: str) -> dict[str, Any]:
    """The claims of an access token of our issuer and clients.

    Signature, issuer, expiry, use or audience, and client are checked
    (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html).
    Raises `TokenError`.
    """
    import jwt

    audience = settings().token_audience
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            _signing_keys().find(str(header.get("kid"))),
            algorithms=["RS256"],
            issuer=settings().token_issuer,
            audience=audience or None,
            options={
                "require": ["exp", "iss", "sub"],
                "verify_aud": bool(audience),
                "verify_iat": False,
            },
        )
    except jwt.PyJWTError as error:
        raise TokenError(type(error).__name__) from None
    _check_use(claims)
    return claims


def _check_use(claims: Mapping[str, Any]) -> None:
    """Raise `TokenError` for an ID token, and for a token of another client.

    Cognito writes `token_use`. Of other issuers only the audience tells: that of an ID token is
    its client (OpenID Connect Core 1.0, section 2), that of an access token is ours.
    """
    use = claims.get("token_use", "access" if settings().token_audience else None)
    if use != "access":
        message = "not an access token"
        raise TokenError(message)
    own = {settings().page_client_id, settings().gateway_client_id} - {""}
    if _client(claims) not in own | settings().trusted_client_ids:
        message = "of another client"
        raise TokenError(message)


def _client(claims: Mapping[str, Any]) -> str:
    return str(claims.get(settings().client_claim, ""))


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
    if _client(claims) == settings().gateway_client_id:
        scopes = str(claims.get("scope", "")).split()
        return ("gateway",) if settings().gateway_scope in scopes else ()
    groups = claims.get(settings().groups_claim)
    known = settings().group_roles
    given = {known.get(str(group), "") for group in groups} if isinstance(groups, list) else set()
    return tuple(sorted(given & PERMISSIONS.keys() - {"gateway"}))


class _SigningKeys:
    """The pool's public keys: kept, and fetched again for a key id that is not among them.

    Not more often than every ten seconds, so that forged key ids cannot make us flood the pool,
    nor a pool that is down make every caller wait. Keys that are here serve on while it is.
    """

    def __init__(self) -> None:
        self._keys: dict[str, PyJWK] = {}
        self._tried_at = float("-inf")
        self._failed = False

    def find(self, key_id: str) -> "PyJWK":
        if self._is_due(known=key_id in self._keys):
            self._fetch()
        if key_id in self._keys:
            return self._keys[key_id]
        if self._failed:
            message = "the keys of the user pool cannot be fetched"
            raise KeysUnavailableError(message)
        message = "signed with an unknown key"
        raise TokenError(message)

    def _is_due(self, *, known: bool) -> bool:
        age = time.monotonic() - self._tried_at
        wanted = self._failed or not known
        return age > (_SECONDS_BETWEEN_FETCHES if wanted else _KEYS_KEPT_SECONDS)

    def _fetch(self) -> None:
        from jwt import PyJWKSet

        self._tried_at = time.monotonic()
        try:
            with urllib.request.urlopen(  # noqa: S310 - the address is configuration
                settings().token_keys_url, timeout=_FETCH_TIMEOUT_SECONDS
            ) as answer:
                keys = PyJWKSet.from_dict(json.load(answer)).keys
        except Exception as error:  # noqa: BLE001 - a pool out of order answers anything
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            log.event("token.keys_not_fetched", level="WARNING", **log.failure(error))
            self._failed = True
        else:
            self._keys = {str(key.key_id): key for key in keys}
            self._failed = False


@cache
def _signing_keys() -> _SigningKeys:
    return _SigningKeys()
