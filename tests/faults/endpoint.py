"""An AWS endpoint that fails on purpose: it hands requests on to an engine, but for its faults.

What is under test runs in processes of its own and finds it by `AWS_ENDPOINT_URL`, as it would
find AWS: nothing in those processes is patched. Operations are named as botocore names them,
`s3.UploadPart`.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import urllib3

_PATIENCE_SECONDS = 30
_SERVICES = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "secretsmanager": "secretsmanager",
}
_S3_OPERATIONS: Mapping[tuple[str, str], str] = {
    ("POST", "uploads"): "CreateMultipartUpload",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("PUT", "uploadId"): "UploadPart",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("GET", "uploads"): "ListMultipartUploads",
    ("GET", "list-type"): "ListObjectsV2",
    ("PUT", ""): "PutObject",
    ("GET", ""): "GetObject",
    ("HEAD", ""): "HeadObject",
    ("DELETE", ""): "DeleteObject",
}
_HOP_BY_HOP = frozenset({"connection", "content-length", "expect", "transfer-encoding", "date"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came in, whole."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """Which operation of which service it asks for."""
        service, _, operation = self.headers.get("x-amz-target", "").partition(".")
        if operation:
            return f"{_SERVICES[service]}.{operation}"
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return f"sns.{parse_qs(self.body.decode())['Action'][0]}"
        given = {name for name, _ in parse_qsl(urlsplit(self.path).query, keep_blank_values=True)}
        asked = [key for key in _S3_OPERATIONS if key[0] == self.method and key[1] in given]
        return f"s3.{_S3_OPERATIONS[asked[0] if asked else (self.method, '')]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Forward = Callable[[Request], Answer]
Act = Callable[[Request, Forward], Answer | None]
"""What a fault does with a request; None breaks the connection off."""


def refused(status: int, code: str) -> Act:
    """The engine never sees the request; the answer is this error, as the service words it."""

    def act(request: Request, _: Forward) -> Answer:
        if request.operation.startswith("s3."):
            text = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
            return Answer(status, {"Content-Type": "application/xml"}, text.encode())
        if request.operation.startswith("sns."):
            text = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>"
            return Answer(status, {"Content-Type": "text/xml"}, text.encode())
        body = json.dumps({"__type": f"com.amazonaws#{code}", "message": code})
        return Answer(status, {"Content-Type": "application/x-amz-json-1.0"}, body.encode())

    return act


def _pass_on(request: Request, forward: Forward) -> Answer:
    return forward(request)


def reset(_request: Request, _forward: Forward) -> None:
    """The connection breaks before the engine sees the request."""


def lost_answer(request: Request, forward: Forward) -> None:
    """The engine does what it is asked to, and the connection breaks before the answer."""
    forward(request)


THROTTLED = refused(400, "ProvisionedThroughputExceededException")
SLOW_DOWN = refused(503, "SlowDown")
BROKEN = refused(500, "InternalServerError")
DENIED = refused(400, "AccessDeniedException")
EXPIRED_TOKEN = refused(400, "ExpiredTokenException")


@dataclass(slots=True)
class Fault:
    """`act` on the calls of `operation` from the `nth` on, `times` of them.

    Only those count in whose path and body all of `containing` occur.
    """

    operation: str
    act: Act
    nth: int = 1
    times: int = 1
    containing: tuple[str, ...] = ()
    met: int = 0
    seen: int = 0

    def strikes(self, request: Request) -> bool:
        """Whether it is this call's turn."""
        whole = request.path.encode() + request.body
        if request.operation != self.operation or not all(
            text.encode() in whole for text in self.containing
        ):
            return False
        self.seen += 1
        strikes = self.nth <= self.seen < self.nth + self.times
        self.met += strikes
        return strikes


@dataclass(slots=True)
class Hold:
    """A call that is held: until it is let go, or for as long as the one who called lives."""

    _has_come: threading.Event = field(default_factory=threading.Event)
    _may_go: threading.Event = field(default_factory=threading.Event)

    def before(self, request: Request, forward: Forward) -> Answer | None:
        """Hold it before the engine sees it."""
        self._wait()
        return forward(request)

    def dropping(self, request: Request, forward: Forward) -> Answer | None:
        """Hold it, and never let the engine see it."""
        if self._may_go.is_set():
            return forward(request)
        self._wait()
        return None

    def after(self, request: Request, forward: Forward) -> Answer | None:
        """Let the engine do it, and hold the answer."""
        answer = forward(request)
        self._wait()
        return answer

    def wait_for_it(self) -> None:
        """Return when the call has come, and is held."""
        assert self._has_come.wait(_PATIENCE_SECONDS), "the call that was to be held did not come"

    def let_go(self) -> None:
        """Let the call go on."""
        self._may_go.set()

    def _wait(self) -> None:
        self._has_come.set()
        self._may_go.wait(_PATIENCE_SECONDS)


class Endpoint:
    """The endpoint in front of the engine at an address; it serves until it is closed."""

    def __init__(self, engine: str) -> None:
        """Listen on a free port of this machine."""
        self.calls: list[str] = []
        self._engine = engine
        self._faults: list[Fault] = []
        self._holds: list[Hold] = []
        self._lock = threading.Lock()
        self._pool = urllib3.PoolManager(maxsize=16, retries=False)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.answer = self._answer
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def fail(self, operation: str, act: Act, **when: Any) -> Fault:
        """Do `act` to calls of `operation`: see `Fault` for which."""
        fault = Fault(operation, act, **when)
        with self._lock:
            self._faults.append(fault)
        return fault

    @contextlib.contextmanager
    def holding(self, operation: str, *, how: str = "before", **when: Any) -> Iterator[Hold]:
        """Hold calls until the end of the block at the latest; `how` is a method of `Hold`.

        Whoever has waited too long for an answer asks again: that is held as well, unless `times`
        says otherwise.
        """
        hold = Hold()
        self.fail(operation, getattr(hold, how), **{"times": 1_000, **when})
        try:
            yield hold
        finally:
            hold.let_go()

    def count(self, operation: str) -> int:
        """How many calls of the operation there were, repetitions included."""
        return self.calls.count(operation)

    def mend(self) -> None:
        """Forget all faults. Complains of one that never was: its test would have shown nothing."""
        with self._lock:
            faults, self._faults = self._faults, []
        unmet = [fault.operation for fault in faults if not fault.met]
        assert not unmet, f"these calls never came, or too seldom: {unmet}"

    def close(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._pool.clear()

    def _answer(self, request: Request) -> Answer | None:
        with self._lock:
            self.calls.append(request.operation)
            # Each counts the calls that it looks for, whichever strikes.
            striking = [one.act for one in self._faults if one.strikes(request)]
        act = striking[0] if striking else _pass_on
        return act(request, self._forward)

    def _forward(self, request: Request) -> Answer:
        # The signature is over the host that was asked: it has to stay.
        headers = {
            name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP
        }
        answer = self._pool.request(
            request.method, self._engine + request.path, body=request.body, headers=headers
        )
        return Answer(answer.status, answer.headers, answer.data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    answer: Callable[[Request], Answer | None]

    def handle_error(self, *_: object) -> None:
        """Say nothing: whoever is killed leaves his connections open."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        answer = self.server.answer(Request(self.command, self.path, headers, body))
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        # The answer to a HEAD tells the length of a body that it does not have.
        length = answer.headers.get("content-length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815 - as http.server names them

    def log_message(self, *_: object) -> None:
        """Say nothing."""
