"""The AWS emulator (MiniStack) as a process: start it on this machine alone, end all of it."""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from infra.package import ROOT

FOLDER = Path(os.environ.get("STORE_USERS_LOCAL", ROOT / ".local"))
"""Where the local stack keeps what it needs; tests have theirs elsewhere."""
_PID_FILE = FOLDER / "pid"
_PORT_FILE = FOLDER / "state-port"
_LOG_FILE = FOLDER / "ministack.log"

_START_SECONDS = 300
_STOP_SECONDS = 600
"""The emulator reads its state at the start, and writes it at the end: minutes at 100,000 users."""

_NEEDED_BYTES = 1_000_000_000
"""Each process of a function unpacks the code into 51 MB of its own; ten of them are usual."""


class EmulatorError(Exception):
    """The emulator cannot run; the message says what to do about it."""


def environment() -> dict[str, str]:
    """What a process needs to talk to the emulator instead of AWS."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def running() -> int | None:
    """The process id of the emulator, or None."""
    try:
        pid = int(_PID_FILE.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # After a restart of the machine the number can be another process's.
    return pid if b"ministack" in command else None


def start(port: int) -> "subprocess.Popen[bytes]":
    """Start the emulator on 127.0.0.1 and wait until it answers. Raises `EmulatorError`."""
    _check_port(port)
    temporary = FOLDER / "tmp"
    # Functions that were killed have left their unpacked code.
    shutil.rmtree(temporary, ignore_errors=True)
    _check_disk()
    _move_state(port)
    temporary.mkdir(parents=True)
    with _LOG_FILE.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own words
            # By its path, not as a module: the functions would inherit a search path for modules.
            [sys.executable, "-P", str(ROOT / "infra" / "run_ministack.py")],
            env=_settings(port, temporary),
            cwd=FOLDER,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _PID_FILE.write_text(str(process.pid))
    _wait_until_ready(process, port)
    return process


def _settings(port: int, temporary: Path) -> dict[str, str]:
    return {
        **os.environ,
        **environment(),
        "BIND_HOST": "127.0.0.1",  # its default is every interface
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "AUTH": "true",  # policies are enforced, as AWS does
        "PERSIST_STATE": "1",
        "STATE_DIR": str(FOLDER / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(FOLDER / "s3"),
        "TMPDIR": str(temporary),
        "LOG_LEVEL": "INFO",
        "IOT_MTLS_ENABLED": "0",  # it would listen on every interface, on a port of its own
    }


@contextlib.contextmanager
def lock() -> Iterator[bool]:
    """Whether nobody else is starting a stack here; held until the end of the block."""
    with (FOLDER / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def port() -> int | None:
    """The port that the kept data was made on, and that the emulator runs on if it does."""
    return int(_PORT_FILE.read_text()) if _PORT_FILE.exists() else None


def stop() -> bool:
    """End the emulator and every function that it runs; True if there was one.

    Waits until the emulator has written its state: to kill it before is to lose all that was
    written since the start. Raises `EmulatorError`, after the end, if not all was kept.
    """
    pid = running()
    if pid is None:
        _PID_FILE.unlink(missing_ok=True)
        return False
    os.utime(_PID_FILE)
    asked = _PID_FILE.stat().st_mtime_ns
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    _signal_group(pid, signal.SIGKILL)
    _PID_FILE.unlink(missing_ok=True)
    if unsaved := _saved_before(asked):
        message = (
            f"Ended, but not everything written since `make run` was kept: {', '.join(unsaved)}. "
            f"{free_space()}; see {_LOG_FILE}"
        )
        raise EmulatorError(message)
    return True


def _saved_before(moment: int) -> list[str]:
    """Return the services whose state was not saved since the moment (nanoseconds)."""
    folder = FOLDER / "state"
    old = {path.stem for path in folder.glob("*.json") if path.stat().st_mtime_ns < moment}
    if not (folder / "dynamodb.json").exists():
        old.add("dynamodb")
    return sorted(old)


def free_space() -> str:
    """Return a sentence on the free space where the local stack keeps its data."""
    return f"{_free_bytes() / 1e6:,.0f} MB are free on the disk of {FOLDER}"


def _free_bytes() -> int:
    return shutil.disk_usage(FOLDER).free


def _check_disk() -> None:
    if _free_bytes() < _NEEDED_BYTES:
        message = (
            f"{free_space()}; the local stack needs {_NEEDED_BYTES / 1e6:,.0f}. Free some, "
            "or name a folder on another disk: STORE_USERS_LOCAL=/path make run"
        )
        raise EmulatorError(message)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            message = (
                f"Port {port} is taken by another program. Choose another one: "
                f"make run PORT={port + 1}"
            )
            raise EmulatorError(message) from error


def _move_state(port: int) -> None:
    """Make kept data fit the port: addresses of queues and of the API in it name the old one."""
    made_on = _PORT_FILE.read_text() if _PORT_FILE.exists() else str(port)
    if made_on != str(port):
        for path in (FOLDER / "state").glob("*.json"):
            text = path.read_text()
            path.write_text(text.replace(f"localhost:{made_on}", f"localhost:{port}"))
    _PORT_FILE.write_text(str(port))


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2)
            return
        time.sleep(0.1)
    # Without SIGTERM: it would save a state that it has not read to its end.
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()
    _PID_FILE.unlink(missing_ok=True)
    message = f"The AWS emulator did not start; see {_LOG_FILE}"
    raise EmulatorError(message)


def _is_alive(pid: int) -> bool:
    """Whether the process runs; a child of ours that has ended is collected."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def remove_state() -> None:
    """Forget all data of the local stack."""
    for name in ("state", "s3", "tmp", "people.json", _PORT_FILE.name):
        path = FOLDER / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def log_path() -> Path:
    """Where the emulator and the functions that it runs write."""
    return _LOG_FILE
