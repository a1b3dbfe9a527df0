"""A user pool of the tests: keys, the address that publishes them, and tokens as Cognito's."""

import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Test"


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:  # noqa: ARG001 - it is what the cache goes by
    """The key of that name: made once a run, for it takes a while."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def public_pem(name: str) -> bytes:
    """The public half as PEM, which is what a confused verifier takes for a shared secret."""
    return (
        private_key(name)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


class Pool:
    """Publishes the keys named in `key_ids`, or whatever `answer` says: a status and a body.

    `lost_bytes` is how much of it never arrives.
    """

    def __init__(self) -> None:
        self.key_ids = ["first"]
        self.answer: tuple[int, bytes] | None = None
        self.lost_bytes = 0
        self.fetches = 0
        self.keys_url = ""

    def token(self, role: str, **claims: Any) -> str:
        """An access token of somebody with `role`: `none` has no role, `gateway` is a machine.

        `claims` replace those that Cognito would write; None leaves one out.
        """
        made = gateway_claims() if role == "gateway" else person_claims(role)
        return self.sign({**made, **claims})

    def sign(self, claims: Mapping[str, Any], key: str = "first", **header: Any) -> str:
        """A token with these claims, signed with the key of that name."""
        head = {"kid": key, "alg": "RS256", **header}
        signed = signing_input(head, claims)
        signature = private_key(key).sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return f"{signed.decode()}.{_base64(signature)}"

    def published(self) -> tuple[int, bytes]:
        """What is at the address of the keys now."""
        return self.answer or (200, json.dumps({"keys": [_jwk(k) for k in self.key_ids]}).encode())


def person_claims(role: str, *more_roles: str) -> dict[str, Any]:
    """What Cognito writes into the access token of a member of the staff."""
    groups = [] if role == "none" else [role, *more_roles]
    return {
        **_common_claims(),
        "sub": str(uuid.uuid5(uuid.NAMESPACE_DNS, role)),
        "client_id": "page-client",
        "scope": "openid email profile",
        "username": f"{role}@staff.example",
        **({"cognito:groups": groups} if groups else {}),
    }


def gateway_claims() -> dict[str, Any]:
    """What Cognito writes into the access token of the machine client."""
    return {
        **_common_claims(),
        "sub": "gateway-client",
        "client_id": "gateway-client",
        "scope": "store-users/gateway",
        "version": 2,
    }


def signing_input(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bytes:
    """The part of a token that is signed; claims that are None are left out."""
    given = {name: value for name, value in claims.items() if value is not None}
    return ".".join(_base64(json.dumps(part).encode()) for part in (header, given)).encode()


def unsigned(claims: Mapping[str, Any]) -> str:
    """A token that says of itself that it needs no signature."""
    return signing_input({"kid": "first", "alg": "none"}, claims).decode() + "."


def signed_with_public_key(claims: Mapping[str, Any], key: str = "first") -> str:
    """A token signed with what everybody knows, in the hope that it is taken for a secret."""
    signed = signing_input({"kid": key, "alg": "HS256"}, claims)
    return f"{signed.decode()}.{_base64(hmac.digest(public_pem(key), signed, hashlib.sha256))}"


@contextmanager
def running_pool() -> Iterator[Pool]:
    """A pool whose keys are published on a port of 127.0.0.1, which is free again afterwards."""
    pool = Pool()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pool.fetches += 1
            status, body = pool.published()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + pool.lost_bytes))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    pool.keys_url = f"http://127.0.0.1:{server.server_port}/us-east-1_Test/.well-known/jwks.json"
    try:
        yield pool
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _common_claims() -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "token_use": "access",
        "auth_time": now,
        "iat": now,
        "exp": now + 3_600,
        "jti": str(uuid.uuid4()),
    }


def _jwk(key: str) -> dict[str, str]:
    numbers = private_key(key).public_key().public_numbers()
    return {
        "kid": key,
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "n": _base64(numbers.n.to_bytes(256, "big")),
        "e": _base64(numbers.e.to_bytes(3, "big")),
    }


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
