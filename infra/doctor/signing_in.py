"""Whether people can sign in and tokens can be checked: the keys, the sign-in page, the authorizer.

Seen from outside, as callers see it. API Gateway counts its own answer to a failing authorizer, a
503, among its 4XX, and to a function that it may not invoke among them as well: no metric of AWS
tells of either.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from chalicelib.settings import settings
from infra.doctor.finding import Finding
from infra.stage import Stage

_TIMEOUT_SECONDS = 20
_CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""A challenge of PKCE that no one has the verifier of: that of RFC 7636, appendix B."""


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer, whatever its status; `address` is where redirections led."""

    status: int
    address: str
    body: bytes


def sign_in(stage: Stage) -> Iterator[Finding]:
    """The issuer's keys, the hosted sign-in page, and the authorizer's answer to a forged token."""
    del stage
    looks = {"sign-in keys": _keys, "sign-in page": _page, "authorizer": _authorizer}
    for about, look in looks.items():
        try:
            yield look()
        except (OSError, ValueError) as error:
            seen = f"cannot be reached: {type(error).__name__} {error}"
            yield Finding(about, is_well=False, seen=seen, remedy="docs/runbook.md, SignInAlarm")


def _keys() -> Finding:
    address = settings().token_keys_url
    told = _get(address)
    document = json.loads(told.body) if told.status == HTTPStatus.OK else {}
    keys = document.get("keys") if isinstance(document, dict) else None
    seen = f"{told.status}, {len(keys or ())} keys at {address}"
    remedy = "is TokenIssuer's TokenKeysUrl right, and the user pool there?"
    return Finding("sign-in keys", is_well=bool(keys), seen=seen, remedy=remedy)


def _page() -> Finding:
    """The page to which ours sends people, asked for as ours does.

    Cognito shows a page `/error` to a client or an address to return to that it does not know.
    """
    address = settings().sign_in_url
    if not address:
        return Finding("sign-in page", is_well=True, seen="none of ours: SignInUrl is empty")
    query = {
        "response_type": "code",
        "client_id": settings().page_client_id,
        "redirect_uri": f"{settings().public_url}/",
        "scope": "openid email profile",
        "state": "doctor",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
    }
    told = _get(f"{address}/oauth2/authorize?{urllib.parse.urlencode(query)}")
    shown = told.address.partition("?")[0]
    is_well = told.status == HTTPStatus.OK and not shown.endswith("/error")
    remedy = "are the client and its callback addresses those of this stage? make deploy"
    return Finding("sign-in page", is_well=is_well, seen=f"{told.status} {shown}", remedy=remedy)


def _authorizer() -> Finding:
    told = _get(
        f"{settings().public_url}/v1/session", {"Authorization": f"Bearer {_forged_token()}"}
    )
    is_well = told.status == HTTPStatus.UNAUTHORIZED
    remedy = "read the log of the function `authorizer`: see docs/runbook.md, SignInAlarm"
    seen = f"{told.status} to a forged token" + ("" if is_well else ", not 401")
    return Finding("authorizer", is_well=is_well, seen=seen, remedy=remedy)


def _forged_token() -> str:
    """A token whose key no issuer has: to refuse it, the authorizer has to know all keys."""
    header = {"alg": "RS256", "typ": "JWT", "kid": "doctor"}
    parts = [json.dumps(header).encode(), b"{}", b"no signature"]
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _get(address: str, headers: Mapping[str, str] | None = None) -> _Told:
    request = urllib.request.Request(address, headers=dict(headers or {}))  # noqa: S310 - configured
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            return _Told(answer.status, answer.url, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return _Told(error.code, error.url or address, error.read())
