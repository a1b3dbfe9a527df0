"""People at work: requests as a day mixes them, given to the API of this process; what each cost.

One process is one execution environment of Lambda: it serves one request at a time.
"""

import contextlib
import io
import json
import math
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.search import SEARCHES

_STEPS_AN_OCTAVE = 16
"""Latencies are kept in steps of 4.4 %: a soak must not grow by what it notes."""

_ROUTES = {
    "customers": "/v1/customers",
    "leads": "/v1/leads",
    "detail": "/v1/customers/{customer_id}",
    "switch": "/v1/customers/{customer_id}/access",
    "exports": "/v1/exports",
}
_FAILED = 400


@dataclass(slots=True)
class Notes:
    """By operation: latencies in steps, answers by status, requests and units of DynamoDB."""

    steps: Counter[tuple[str, int]] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, seconds: float, status: int, log_line: Mapping[str, Any]) -> None:
        """Note one answer."""
        step = round(_STEPS_AN_OCTAVE * math.log2(max(seconds, 1e-5) * 1000))
        self.steps[name, step] += 1
        self.statuses[name, status] += 1
        self.requests[name] += log_line["dynamodb_requests"]
        self.units[name] += log_line["capacity_units"]

    def merge(self, other: "Notes") -> None:
        """Add those of another process."""
        self.steps.update(other.steps)
        self.statuses.update(other.statuses)
        self.requests.update(other.requests)
        self.units.update(other.units)

    def count(self, name: str) -> int:
        """How many answers."""
        return sum(number for (one, _), number in self.statuses.items() if one == name)

    def errors(self) -> dict[str, int]:
        """Answers that were no success: {operation and status: how many}."""
        return {
            f"{name} {status}": number
            for (name, status), number in self.statuses.items()
            if status >= _FAILED
        }

    def percentile(self, share: float, names: Iterable[str]) -> float:
        """The latency in milliseconds that this share of the answers kept to."""
        wanted = set(names)
        found = sorted((step, n) for (name, step), n in self.steps.items() if name in wanted)
        left = share * sum(number for _, number in found)
        for step, number in found:
            left -= number
            if left <= 0:
                return float(2 ** (step / _STEPS_AN_OCTAVE))
        return math.nan


class Caller:
    """A member of staff with the role admin, who switches customers that nobody else does."""

    def __init__(self, number: int, customers: list[str], leads_since: str) -> None:
        """The customers are this caller's own; exports take the leads registered since then."""
        from app import app

        self._app = app
        self._number = number
        self._customers = customers
        self._leads_since = leads_since
        self._random = random.Random(number)
        self._mix = [
            (35, "list", self._list),
            (20, "search", self._search),
            (15, "filter", self._filter),
            (5, "page number", self._page_number),
            (20, "detail", self._detail),
            (4, "switch", self._switch),
            (1, "export", self._export),
        ]

    def go_on(self, notes: Notes) -> None:
        """Make one request of the mix: 95 reads, 4 switches, 1 export in a hundred."""
        weights = [weight for weight, _, _ in self._mix]
        ((_, name, request),) = self._random.choices(self._mix, weights)
        request(lambda *given, **more: self._noted(notes, name, *given, **more))

    def _noted(self, notes: Notes, name: str, *given: Any, **more: Any) -> None:
        started = time.perf_counter()
        status, _, log_line = self._send(*given, **more)
        notes.add(name, time.perf_counter() - started, status, log_line)

    def _list(self, send: Callable[..., None]) -> None:
        sort = self._random.choice(
            ("-registered_at", "registered_at", "first_name", "company_name")
        )
        send("GET", self._random.choice(("customers", "leads")), query={"sort": sort})

    def _search(self, send: Callable[..., None]) -> None:
        send("GET", "leads", query={"q": self._random.choice(list(SEARCHES.values()))})

    def _filter(self, send: Callable[..., None]) -> None:
        name, value = self._random.choice(
            (("access", "suspended"), ("ecosystem", "none"), ("status", "past_due"))
        )
        send("GET", "customers", query={name: value})

    def _page_number(self, send: Callable[..., None]) -> None:
        send("GET", "customers", query={"page": str(self._random.randint(1, 100))})

    def _detail(self, send: Callable[..., None]) -> None:
        send("GET", "detail", user_id=self._random.choice(self._customers))

    def _switch(self, send: Callable[..., None]) -> None:
        user_id = self._random.choice(self._customers)
        # Looked at first, unmeasured: as somebody who switches has the customer on the screen.
        _, seen, _ = self._send("GET", "detail", user_id=user_id)
        access = "active" if seen["access"] == "suspended" else "suspended"
        send(
            *("PUT", "switch"),
            user_id=user_id,
            headers={"If-Match": f'"{seen["version"]}"'},
            body={"access": access, "reason": "Load bench"},
        )

    def _export(self, send: Callable[..., None]) -> None:
        send(
            *("POST", "exports"),
            headers={"Idempotency-Key": str(uuid.uuid4())},
            body={"resource": "leads", "filters": {"registered_from": self._leads_since}},
        )

    def _send(self, *given: Any, **more: Any) -> tuple[int, Any, dict[str, Any]]:
        log = io.StringIO()
        with contextlib.redirect_stdout(log):
            answer = self._app(self._event(*given, **more), None)
        line = next(one for one in map(json.loads, log.getvalue().splitlines()) if "route" in one)
        if answer["statusCode"] >= _FAILED:
            sys.stderr.write(log.getvalue())
        return answer["statusCode"], json.loads(answer["body"] or "null"), line

    def _event(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        route: str,
        *,
        user_id: str | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> dict[str, Any]:
        """What API Gateway's REST proxy hands to the function.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
        """
        path = _ROUTES[route]
        given = {"Content-Type": "application/json", **(headers or {})}
        return {
            "resource": path,
            "path": path.replace("{customer_id}", user_id or ""),
            "httpMethod": method,
            "headers": given,
            "multiValueHeaders": _each_once(given),
            "queryStringParameters": query,
            "multiValueQueryStringParameters": _each_once(query or {}),
            "pathParameters": {"customer_id": user_id} if user_id else None,
            "stageVariables": None,
            "requestContext": self._context(method, path),
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }

    def _context(self, method: str, path: str) -> dict[str, Any]:
        """With what the authorizer has told of the caller."""
        name = f"caller-{self._number}"
        return {
            "resourcePath": path,
            "httpMethod": method,
            "stage": "api",
            "requestId": str(uuid.uuid4()),
            "identity": {"sourceIp": "192.0.2.1"},
            "authorizer": {
                "principalId": name,
                "name": name,
                "roles": "admin",
                "expires_at": "4102444800",
            },
        }


def _each_once(values: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in values.items()}
