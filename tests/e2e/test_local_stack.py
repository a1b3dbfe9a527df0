"""`make run`, `make stop` and their ways to end."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.package import ROOT
from tests.e2e.conftest import Stack, command, eventually, free_port


@pytest.fixture
def port() -> int:
    return free_port()


def test_everything_that_was_started_ends_and_the_data_stays(tmp_path: Path, port: int) -> None:
    stack = _run(tmp_path, port)
    token = stack.token("admin")
    path = "/v1/customers/cus_0042/access"
    wish = {"access": "suspended", "reason": "To be kept"}
    done = stack.call("PUT", path, token=token, body=wish, headers={"If-Match": '"1"'})
    assert done.status == 200
    group = os.getpgid(int((tmp_path / "pid").read_text()))
    facts = stack.facts

    assert command(tmp_path, "infra.local", "stop").stdout == "Ended.\n"
    assert _is_free(port)
    assert not _members(group)
    assert not (tmp_path / "stack.json").exists()
    assert command(tmp_path, "infra.local", "stop").stdout == "Nothing was running.\n"

    again = _run(tmp_path, port)
    assert again.facts["people"] == facts["people"]
    kept = again.call("GET", "/v1/customers/cus_0042", token=again.token("admin")).json
    assert (kept["access"], kept["version"]) == ("suspended", 2)

    anew = _run(tmp_path, port, "--reset")
    fresh = anew.call("GET", "/v1/customers/cus_0042", token=anew.token("admin")).json
    assert (fresh["access"], fresh["version"]) == ("active", 1)
    assert command(tmp_path, "infra.local", "stop").returncode == 0


@contextmanager
def _in_the_foreground(folder: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    """`make run` without people, which stays until it is ended; it is up."""
    with subprocess.Popen(
        [sys.executable, "-m", "infra.local", "run", "--port", str(port), "--demo-users", "0"],
        cwd=ROOT,
        env={**os.environ, "STORE_USERS_LOCAL": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            eventually((folder / "stack.json").exists, seconds=120)
            yield process
        finally:
            process.terminate()


def test_ctrl_c_ends_everything(tmp_path: Path, port: int) -> None:
    with _in_the_foreground(tmp_path, port) as process:
        group = os.getpgid(int((tmp_path / "pid").read_text()))
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert "Ending" in output
    assert _is_free(port)
    assert not _members(group)


def test_an_unexpected_end_of_the_emulator_is_told(tmp_path: Path, port: int) -> None:
    with _in_the_foreground(tmp_path, port) as process:
        os.killpg(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        output, _ = process.communicate(timeout=60)
    assert "The emulator ended unexpectedly; see" in output
    assert process.returncode == 1
    assert not (tmp_path / "stack.json").exists()


def test_data_that_could_not_be_kept_is_told(emulator_port: int, tmp_path: Path) -> None:
    assert emulator_port
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "state").rename(tmp_path / "moved")
    (tmp_path / "state").write_text("no folder: nothing can be saved in it")
    done = command(tmp_path, "infra.local", "stop")
    assert done.returncode == 1
    assert "not everything written since `make run` was kept: dynamodb" in done.stderr
    assert "MB are free on the disk of" in done.stderr
    assert command(tmp_path, "infra.local", "stop").stdout == "Nothing was running.\n"


def test_a_process_that_only_has_the_number_of_the_emulator_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as other:
        (tmp_path / "pid").write_text(str(other.pid))
        assert command(tmp_path, "infra.local", "stop").stdout == "Nothing was running.\n"
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize("arguments", [["--port", "99999"], ["--demo-users", "-3"]])
def test_numbers_that_cannot_be_are_refused_before_anything_starts(
    tmp_path: Path, arguments: list[str]
) -> None:
    done = command(tmp_path, "infra.local", "run", *arguments)
    assert done.returncode == 2
    assert "is not a whole number from" in done.stderr
    assert not (tmp_path / "pid").exists()


def test_a_taken_port_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        done = command(tmp_path, "infra.local", "run", "--port", str(taken), "--detach")
    assert done.returncode == 1
    assert f"Port {taken} is taken by another program" in done.stdout
    assert f"make run PORT={taken + 1}" in done.stdout


def test_kept_data_goes_on_at_another_port(tmp_path: Path, port: int) -> None:
    _run(tmp_path, port)
    command(tmp_path, "infra.local", "stop")
    stack = _run(tmp_path, free_port())
    token = stack.token("admin")
    key = {"Idempotency-Key": "3f2b8c1e-5d2f-4a47-9d39-0c6f3c1a9b10"}
    order = {"resource": "leads"}
    asked = stack.call("POST", "/v1/exports", token=token, body=order, headers=key)
    address = asked.headers["Location"]
    job = eventually(
        lambda: next(
            (
                one
                for one in [stack.call("GET", address, token=token).json]
                if one["status"] == "succeeded"
            ),
            None,
        )
    )
    assert stack.call("GET", job["download_url"]).content[:2] == b"PK"
    command(tmp_path, "infra.local", "stop")


def test_a_token_without_a_running_stack_says_how_to_start_one(tmp_path: Path) -> None:
    done = command(tmp_path, "infra.local", "token", "admin")
    assert done.returncode == 1
    assert done.stderr == "The local stack does not run. Start it: make run\n"


def test_the_stack_listens_on_this_machine_alone(stack: Stack) -> None:
    group = os.getpgid(int((stack.folder / "pid").read_text()))
    for pid in _members(group):
        for address in _listening(pid):
            assert address == "0100007F", f"process {pid} listens on {address}"


def test_the_three_curl_lines_that_it_prints_work(tmp_path: Path, port: int) -> None:
    arguments = ["run", "--port", str(port), "--demo-users", "40", "--detach"]
    said = command(tmp_path, "infra.local", *arguments).stdout
    script = said.partition("Try:\n")[2].replace(
        "make -s token ROLE=", f"{sys.executable} -m infra.local token "
    )
    assert script.count("curl ") == 3
    environment = {**os.environ, "STORE_USERS_LOCAL": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", "-ec", re.sub(r"curl -s", "curl -sf -w '\\\\n'", script)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    command(tmp_path, "infra.local", "stop")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"access":"suspended"' in done.stdout
    assert '"status":"queued"' in done.stdout


def _run(folder: Path, port: int, *more: str) -> Stack:
    arguments = ["run", "--port", str(port), "--demo-users", "10", "--detach", *more]
    done = command(folder, "infra.local", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return Stack(folder, port)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _members(group: int) -> list[int]:
    """The processes of a group that still run (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _listening(pid: int) -> list[str]:
    """The local IPv4 addresses, as /proc/net/tcp writes them, that a process listens on."""
    sockets = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(str(link.readlink()))
        except OSError:
            continue
    addresses = []
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
            addresses.append(fields[1].partition(":")[0])
    return addresses
