"""One process of `make dev`: Chalice's local server, with the answers of our API Gateway.

Chalice's server closes the connection where the authorizer refuses a token, answers with bodies
of its own, gives requests no id, and their bodies as bytes. It also runs requests side by side,
though an application of Chalice has one current request.
"""

import signal
import sys
import threading
import uuid
from typing import Any

from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    LocalDevServer,
    LocalGateway,
    LocalGatewayException,
)

from app import app
from infra.gateway_responses import gateway_responses

_KINDS = {401: "UNAUTHORIZED", 403: "MISSING_AUTHENTICATION_TOKEN"}
_one_at_a_time = threading.Lock()


class _Gateway(LocalGateway):
    """Answers with problems where API Gateway itself would."""

    def handle_request(
        self, method: str, path: str, headers: dict[str, Any], body: bytes | None
    ) -> dict[str, Any]:
        try:
            with _one_at_a_time:
                return super().handle_request(method, path, headers, body)
        except LocalGatewayException as error:
            return _own_answer(_KINDS.get(error.CODE, "DEFAULT_5XX"))
        except Exception as error:  # noqa: BLE001 - as Lambda does
            is_refused = str(error) == "Unauthorized"
            return _own_answer("UNAUTHORIZED" if is_refused else "AUTHORIZER_FAILURE")

    def _generate_lambda_event(self, *given: Any) -> dict[str, Any]:
        event: dict[str, Any] = super()._generate_lambda_event(*given)
        event["requestContext"]["requestId"] = str(uuid.uuid4())
        if isinstance(event["body"], bytes):
            event["body"] = event["body"].decode(errors="replace")
        return event


class _Handler(ChaliceRequestHandler):
    def __init__(self, *given: Any, app_object: Any, config: Config) -> None:
        # Chalice's own constructor makes its own gateway, and handles the request.
        self.local_gateway = _Gateway(app_object, config)
        super(ChaliceRequestHandler, self).__init__(*given)


def _own_answer(kind: str) -> dict[str, Any]:
    response, request_id = gateway_responses()[kind], str(uuid.uuid4())
    headers = {
        name: request_id if value == "context.requestId" else value.strip("'")
        for name, value in response["ResponseParameters"]["Headers"].items()
    }
    body = response["ResponseTemplates"]["application/json"]
    return {
        "statusCode": response["StatusCode"],
        "headers": headers,
        "multiValueHeaders": {},
        "body": body.replace("$context.requestId", request_id),
    }


def main() -> int:
    """Serve on the port that the command line names, until the process is ended."""
    port = int(sys.argv[1])
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # `make dev` ends this process
    try:
        server = LocalDevServer(app, Config(), "127.0.0.1", port, handler_cls=_Handler)
    except OSError as error:
        sys.stderr.write(
            f"Port {port} cannot be used ({error.strerror}). Choose: make dev DEV_PORT={port + 1}\n"
        )
        return 1
    sys.stdout.write(f"Serving the working tree: http://localhost:{port}/\n")
    sys.stdout.flush()
    server.server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
