"""`make dev`: the working tree on the running stack, seconds after an edit."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from infra.package import ROOT
from tests.e2e.conftest import Reply, Stack, command, eventually, free_port


class Working:
    """A copy of the working tree, which `make dev` serves."""

    def __init__(self, tree: Path, stack: Stack, port: int) -> None:
        self.url = f"http://localhost:{port}"
        self._file = tree / "chalicelib" / "api" / "session.py"
        self._stack = stack

    def edit(self, old: str, new: str) -> None:
        text = self._file.read_text()
        assert text.count(old) == 1
        self._file.write_text(text.replace(old, new))

    def call(self, method: str, path: str, **given: object) -> Reply | None:
        """Return the answer; None while no server answers."""
        try:
            return self._stack.call(method, self.url + path, **given)  # type: ignore[arg-type]
        except OSError:
            return None

    def health(self) -> object:
        answer = self.call("GET", "/health")
        return answer and answer.json["status"]


@contextmanager
def _served(folder: Path, stack: Stack) -> Iterator[Working]:
    port = free_port()
    shutil.copy(ROOT / "app.py", folder)
    for name in ("chalicelib", "infra"):
        shutil.copytree(ROOT / name, folder / name)
    with subprocess.Popen(
        [sys.executable, "-m", "infra.dev", "--port", str(port)],
        cwd=folder,
        env={**os.environ, "STORE_USERS_LOCAL": str(stack.folder)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Working(folder, stack, port)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_an_edit_is_served_and_a_fault_in_one_waits_for_the_next(
    tmp_path: Path, stack: Stack
) -> None:
    with _served(tmp_path, stack) as working:
        eventually(lambda: working.health() == "ok", seconds=60)
        working.edit('Answer({"status": "ok"})', 'Answer({"status": "ok"}')
        eventually(lambda: working.health() is None)
        working.edit('Answer({"status": "ok"}', 'Answer({"status": "edited"})')
        eventually(lambda: working.health() == "edited", seconds=60)


def test_it_answers_as_the_stack_does_from_the_data_of_the_stack(
    tmp_path: Path, stack: Stack
) -> None:
    token = stack.token("admin")
    with _served(tmp_path, stack) as working:
        eventually(working.health, seconds=60)
        for path, bearer in (
            ("/v1/customers?limit=3", token),
            ("/v1/customers/cus_0042", token),
            ("/v1/customers?limit=0", token),
            ("/v1/customers", "no.token"),
            ("/v1/customers", None),
            ("/v1/nothing", None),
        ):
            ours, theirs = _asked_both(working, stack, "GET", path, token=bearer)
            assert _without_ids(ours.json) == _without_ids(theirs.json), path
            assert ours.headers["Content-Type"] == theirs.headers["Content-Type"], path
        preflight, _ = _asked_both(working, stack, "OPTIONS", "/v1/customers")
        assert preflight.headers["Access-Control-Allow-Origin"] == stack.front_end
        _switch_through(working, stack, token)
        assert _sign_in(stack, f"{working.url}/") == 200
        assert _sign_in(stack, "http://localhost:1/") == 400


def _asked_both(
    working: Working, stack: Stack, method: str, path: str, **given: object
) -> tuple[Reply, Reply]:
    """Ask as a front end on another origin; the answers have the status and CORS headers alike."""
    headers = {"Origin": stack.front_end, "Access-Control-Request-Method": "GET"}
    ours = working.call(method, path, headers=headers, **given)
    theirs = stack.call(method, path, headers=headers, **given)  # type: ignore[arg-type]
    assert ours is not None
    assert ours.status == theirs.status, path
    assert _cors(ours) == _cors(theirs) != {}, path
    return ours, theirs


def _cors(reply: Reply) -> dict[str, str]:
    found = {name.lower(): value for name, value in reply.headers.items()}
    return {name: value for name, value in found.items() if name.startswith("access-control-")}


def _without_ids(answer: dict[str, object]) -> dict[str, object]:
    """Leave out what differs by request: its id, and cursors, which are encrypted."""
    return {name: value for name, value in answer.items() if name not in {"request_id", "page"}}


def _switch_through(working: Working, stack: Stack, token: str) -> None:
    path = "/v1/customers/cus_0047"
    before = stack.call("GET", path, token=token).json
    access = "suspended" if before["access"] == "active" else "active"
    done = working.call(
        "PUT",
        f"{path}/access",
        token=token,
        body={"access": access, "reason": "Through the working tree"},
        headers={"If-Match": f'"{before["version"]}"'},
    )
    assert done is not None
    assert done.status == 200, done.content
    assert stack.call("GET", path, token=token).json["access"] == access


def _sign_in(stack: Stack, redirect_uri: str) -> int:
    """Return the status of the sign-in page that would send people back there."""
    query = {
        "response_type": "code",
        "client_id": stack.facts["client_id"],
        "redirect_uri": redirect_uri,
        "scope": "openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    address = f"{stack.facts['endpoint']}/oauth2/authorize?{urlencode(query)}"
    return stack.call("GET", address).status


def test_without_a_running_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = command(tmp_path, "infra.dev")
    assert done.returncode == 1
    assert done.stderr == "The local stack does not run. Start it: make run\n"


def test_a_taken_port_is_told_with_another_one(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        done = command(stack.folder, "infra.dev_server", str(taken))
    assert done.returncode == 1
    assert f"Choose: make dev DEV_PORT={taken + 1}" in done.stderr
