"""A client of the API for tests: says who calls in one word, and sends JSON."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tests.api.conformity import Answer
from tests.api.gateway import Gateway
from tests.api.pool import Pool


class Client:
    """Calls through `gateway` as somebody of `pool`: `role` None sends no token at all."""

    def __init__(self, gateway: Gateway, pool: Pool) -> None:
        self.gateway = gateway
        self.pool = pool
        self._tokens: dict[str, str] = {}

    def call(
        self,
        method: str,
        path: str,
        role: str | None = "admin",
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """The answer. `query` is encoded, and `body` is sent as JSON unless it is bytes."""
        given = dict(headers or {})
        if role is not None:
            given = {"Authorization": f"Bearer {self.token(role)}"} | given
        raw = b""
        if body is not None:
            given = {"Content-Type": "application/json"} | given
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        target = path if query is None else f"{path}?{urlencode(query, doseq=True)}"
        return self.gateway.send(method, target, given, raw)

    def get(self, path: str, role: str | None = "admin", **query: Any) -> Answer:
        """The answer to a GET with these parameters."""
        return self.call("GET", path, role, query=query or None)

    def switch(
        self,
        body: Any,
        *,
        role: str | None = "support",
        if_match: str | None = '"7"',
        user_id: str = "cus_0042",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to a use of the switch."""
        given = dict(headers or {}) | ({} if if_match is None else {"If-Match": if_match})
        path = f"/v1/customers/{user_id}/access"
        return self.call("PUT", path, role, headers=given, body=body)

    def order(self, key: str | None, body: Any, role: str = "admin") -> Answer:
        """The answer to an order of an export."""
        headers = None if key is None else {"Idempotency-Key": key}
        return self.call("POST", "/v1/exports", role, headers=headers, body=body)

    def token(self, role: str) -> str:
        """The token of that role, always the same one, as a browser keeps it."""
        if role not in self._tokens:
            self._tokens[role] = self.pool.token(role)
        return self._tokens[role]
