"""What API Gateway does to requests and answers, and MiniStack leaves out.

Sources: the important notes for REST APIs, and the quotas,
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html

infra/run_ministack.py installs it; the stand-in of the tests in process takes its names and bounds.
"""

# ruff: noqa: SLF001 - MiniStack has no public way to its gateway

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

REQUEST_BYTES = 10 * 1024 * 1024
"""The largest body that API Gateway takes."""
EVENT_BYTES = 6 * 1024 * 1024
"""The largest event that Lambda takes for a function, as JSON: the request with its body."""
ANSWER_BYTES = 6 * 1024 * 1024
"""The largest answer that Lambda takes from a function, as JSON."""
SECONDS = 29.0
"""How long API Gateway waits for an answer."""

TOO_LARGE = (413, {"Content-Type": "application/json"}, b'{"message":"Request Too Long"}')
"""Not ours: the gateway response `REQUEST_TOO_LARGE` cannot be customized.

What it answers where Lambda does not take the event is not documented: taken for the same.
"""

_REMAPPED = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "age", "authorization", "connection"),
        *("content-length", "content-md5", "date", "expect", "host", "max-forwards", "pragma"),
        *("proxy-authenticate", "range", "referer", "server", "te", "trailer"),
        *("transfer-encoding", "upgrade", "user-agent", "via", "warn", "www-authenticate"),
    }
)
"""All headers that AWS says may be renamed, but those of the content, which arrive."""


class _FunctionError(Exception):
    """The function failed, or its answer is larger than Lambda takes."""


class _EventError(Exception):
    """The event is larger than Lambda takes."""


def remapped(name: str) -> str:
    """The name under which a client gets the header of a function's answer."""
    return f"x-amzn-remapped-{name.lower()}" if name.lower() in _REMAPPED else name


def install() -> None:
    """Let MiniStack's REST APIs do as API Gateway does."""
    from ministack.services import apigateway_v1 as gateway

    execute, invoke = gateway._execute_in_scope, gateway._invoke_lambda_proxy_v1
    shape = gateway._lambda_proxy_response

    async def execute_in_scope(*given: Any) -> Any:
        *_, body, _, _, _ = given
        return TOO_LARGE if len(body or b"") > REQUEST_BYTES else await execute(*given)

    async def invoke_lambda_proxy(*given: Any, **named: Any) -> Any:
        try:
            answer = await asyncio.wait_for(invoke(*given, **named), SECONDS)
        except TimeoutError:
            return gateway._gw_error("INTEGRATION_TIMEOUT", "Endpoint request timed out")
        except _EventError:
            return TOO_LARGE
        except _FunctionError:
            return gateway._gw_error("DEFAULT_5XX", "Internal server error")
        if isinstance(answer, gateway._GatewayError):
            return answer
        status, headers, body = answer
        return status, {remapped(name): value for name, value in headers.items()}, body

    def lambda_proxy_response(result: Any) -> Any:
        response, error = shape(result)
        if error or len(json.dumps(response, ensure_ascii=False).encode()) > ANSWER_BYTES:
            raise _FunctionError
        return response, None

    gateway._execute_in_scope = execute_in_scope
    gateway._invoke_lambda_proxy_v1 = invoke_lambda_proxy
    gateway._lambda_proxy_response = lambda_proxy_response
    gateway._call_lambda_raw = _bounded(gateway._call_lambda_raw)


def _bounded(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """What calls a function, but raises `_EventError` for an event that Lambda does not take."""

    async def call_lambda(function: str, event: Any, **named: Any) -> Any:
        if len(json.dumps(event, ensure_ascii=False).encode()) > EVENT_BYTES:
            raise _EventError
        return await call(function, event, **named)

    return call_lambda
