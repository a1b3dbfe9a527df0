"""A place on the network for the bytes of an upload: a process that takes S3's parts and forgets.

It stands at the far end of real requests: what is measured signs, sends and retries as on AWS.
"""

import http.server
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ID = "<UploadId>bench</UploadId>"
_COMPLETED = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
_ADDRESS = re.compile(rb"http://127\.0\.0\.1:\d+")


@contextmanager
def bucket() -> Iterator[str]:
    """The address of the place, which ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.bucket"], stdout=subprocess.PIPE
    ) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()


def _address(process: "subprocess.Popen[bytes]") -> str:
    line = process.stdout.readline() if process.stdout else b""
    found = _ADDRESS.match(line)
    if found is None:
        message = "the bucket did not start"
        raise RuntimeError(message)
    return found[0].decode()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        left = int(self.headers.get("Content-Length", 0))
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        while left:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        self._answer("")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        begins = "uploads" in self.path
        self._answer(
            f"<InitiateMultipartUploadResult>{_ID}</InitiateMultipartUploadResult>"
            if begins
            else _COMPLETED
        )

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
