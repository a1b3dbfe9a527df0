"""What can be wrong with an answer of AWS: refused, broken off, lost on its way, held.

Operations are named as botocore names them: `s3.UploadPart`.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, urlsplit

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


def passed_on(request: Request, forward: Forward) -> Answer:
    """Nothing is wrong."""
    return forward(request)


def reset(_request: Request, _forward: Forward) -> None:
    """The connection breaks before the engine sees the request."""


def lost_answer(request: Request, forward: Forward) -> None:
    """The engine does what it is asked to, and the connection breaks before the answer."""
    forward(request)


TRIES = 4
"""How often a client asks before it gives up."""

THROTTLED = refused(400, "ProvisionedThroughputExceededException")
SLOW_DOWN = refused(503, "SlowDown")
BROKEN = refused(500, "InternalServerError")
DENIED = refused(400, "AccessDeniedException")
EXPIRED_TOKEN = refused(400, "ExpiredTokenException")
CLOCK_IS_OFF = refused(400, "InvalidSignatureException")
"""What DynamoDB answers to a request that was signed more than minutes ago, or ahead."""


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
