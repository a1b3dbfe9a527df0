"""An AWS endpoint that fails on purpose: it hands requests on to an engine, but for its faults.

What is under test runs in processes of its own and finds it by `AWS_ENDPOINT_URL`, as it would
find AWS: nothing in those processes is patched.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

from tests.faults.faults import Act, Answer, Fault, Hold, Request, passed_on

_HOP_BY_HOP = frozenset({"connection", "content-length", "expect", "transfer-encoding", "date"})


class Endpoint:
    """The endpoint in front of the engine at an address; it serves until it is closed."""

    def __init__(self, engine: str) -> None:
        """Listen on a free port of this machine."""
        self.calls: list[str] = []
        self._engine = engine
        self._faults: list[Fault] = []
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
        fault = self.fail(operation, getattr(hold, how), **{"times": 1_000, **when})
        try:
            yield hold
        finally:
            hold.let_go()
        with self._lock:
            self._faults.remove(fault)

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
        act = striking[0] if striking else passed_on
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
