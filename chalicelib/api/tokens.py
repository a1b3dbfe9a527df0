"""What a token proves: signature, issuer, expiry, use and client, and the keys that tell."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib import log
from chalicelib.settings import settings

if TYPE_CHECKING:
    from jwt import PyJWK

_KEYS_KEPT_SECONDS = 3_600
_SECONDS_BETWEEN_FETCHES = 10
_FETCH_TIMEOUT_SECONDS = 3


class TokenError(Exception):
    """The token proves nothing; the message says why, for the log."""


class KeysUnavailableError(Exception):
    """Nothing can be said of the token: it is let out, and API Gateway answers 503."""


def verified(token: str) -> dict[str, Any]:
    """The claims of an access token of our issuer and clients.

    Signature, issuer, expiry, use or audience, and client are checked
    (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html).
    Raises `TokenError`, `KeysUnavailableError`.
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
    if client_of(claims) not in own | settings().trusted_client_ids:
        message = "of another client"
        raise TokenError(message)


def client_of(claims: Mapping[str, Any]) -> str:
    """Return the id of the client that the token was issued to; "" where it does not say."""
    return str(claims.get(settings().client_claim, ""))


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
