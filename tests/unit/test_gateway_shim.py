"""The emulator's gateway, with what API Gateway does to answers."""

# ruff: noqa: SLF001 - MiniStack has no public way to its gateway

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ministack.services import apigateway_v1 as gateway

from infra import gateway_shim

Answer = Callable[[], Any]
_BODY = {"statusCode": 200, "headers": {"ETag": "7"}, "body": ""}


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Ask an API whose function gives that result; what comes of it, or the gateway response."""
    given: list[Any] = []

    async def call_lambda(*_: Any, **__: Any) -> Any:
        (result,) = given
        await asyncio.sleep(result.pop("seconds", 0))
        return result, None

    monkeypatch.setattr(gateway, "_call_lambda_raw", call_lambda)
    monkeypatch.setattr(
        gateway, "_build_lambda_event_v1", lambda *_, **__: {"body": given[0].get("sent")}
    )
    monkeypatch.setattr(gateway_shim, "SECONDS", 0.05)
    for patched in (
        *("_execute_in_scope", "_invoke_lambda_proxy_v1"),
        *("_lambda_proxy_response", "_call_lambda_raw"),
    ):
        monkeypatch.setattr(gateway, patched, getattr(gateway, patched))
    gateway_shim.install()

    def asked(result: Any) -> Any:
        given[:] = [result]
        resource = {"id": "r", "path": "/v1/leads"}
        call = gateway._invoke_lambda_proxy_v1(
            *({}, "api", "api", {}, resource, "/v1/leads", "GET", {}, b"", {}, {})
        )
        # In a thread of its own: Playwright keeps a loop running in that of the tests.
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(asyncio.run, call).result()
        if isinstance(answer, gateway._GatewayError):
            return answer.response_type
        return answer

    return asked


def _result(**more: Any) -> dict[str, Any]:
    return {"body": json.dumps({**_BODY, **more})}


def test_headers_that_api_gateway_keeps_for_itself_come_under_another_name(
    ask: Callable[[Any], Any],
) -> None:
    headers = {
        "WWW-Authenticate": "Bearer",
        "Date": "today",
        "Server": "ours",
        "ETag": '"7"',
        "Content-Type": "text/html",
        "Retry-After": "2",
    }
    status, got, _ = ask(_result(headers=headers))
    assert status == 200
    assert got == {
        "x-amzn-remapped-www-authenticate": "Bearer",
        "x-amzn-remapped-date": "today",
        "x-amzn-remapped-server": "ours",
        "ETag": '"7"',
        "Content-Type": "text/html",
        "Retry-After": "2",
    }


def test_several_values_of_a_header_stay_several(ask: Callable[[Any], Any]) -> None:
    _, got, _ = ask(_result(multiValueHeaders={"Link": ["</a>", "</b>"]}))
    assert got["Link"] == ["</a>", "</b>"]


def test_an_answer_that_lambda_does_not_take_is_an_error_of_the_server(
    ask: Callable[[Any], Any],
) -> None:
    room = gateway_shim.ANSWER_BYTES - len(json.dumps(_BODY))
    assert ask(_result(body="x" * room))[0] == 200
    assert ask(_result(body="x" * (room + 1))) == "DEFAULT_5XX"


def test_a_request_that_lambda_does_not_take_does_not_reach_the_function(
    ask: Callable[[Any], Any],
) -> None:
    room = gateway_shim.EVENT_BYTES - len(json.dumps({"body": ""}))
    assert ask(_result() | {"sent": "x" * room})[0] == 200
    assert ask(_result() | {"sent": "x" * (room + 1)}) == gateway_shim.TOO_LARGE


def test_a_function_that_fails_is_answered_by_the_gateway_response(
    ask: Callable[[Any], Any],
) -> None:
    assert ask({"body": {"errorMessage": "gone"}, "error": True}) == "DEFAULT_5XX"


def test_a_function_that_takes_too_long_is_not_waited_for(ask: Callable[[Any], Any]) -> None:
    assert ask({**_result(), "seconds": 5}) == "INTEGRATION_TIMEOUT"
