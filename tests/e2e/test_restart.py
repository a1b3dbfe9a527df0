"""`make stop`, then `make run`: nothing that was acknowledged is lost, and the stream goes on."""

import os
import signal
import threading
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.users.item import to_item
from chalicelib.users.model import Ecosystem
from tests.builders import customer
from tests.e2e.conftest import Stack, command, eventually, free_port

FROZEN_SECONDS = 22
"""As long as a state of many users, or a busy machine, makes the emulator take to save."""


class Writers:
    """Keeps writing in the background; `acknowledged` is what was answered with success."""

    def __init__(self) -> None:
        self.acknowledged: list[Any] = []
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, write: Callable[[int], Any]) -> None:
        thread = threading.Thread(target=self._run, args=(write,))
        self._threads.append(thread)
        thread.start()

    def end(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, write: Callable[[int], Any]) -> None:
        number = 0
        while not self._is_over.is_set():
            number += 1
            try:
                self.acknowledged.append(write(number))
            except (BotoCoreError, ClientError, OSError, urllib.error.URLError):
                time.sleep(0.1)


def test_what_was_acknowledged_is_there_and_is_found_after_a_restart(tmp_path: Path) -> None:
    port = free_port()
    stack = _run(tmp_path, port)
    shop, staff = Writers(), Writers()
    for name in ("Ayar", "Illari"):
        shop.start(_registration(stack, name))
    staff.start(_switch(stack))
    eventually(lambda: len(shop.acknowledged) > 20 and len(staff.acknowledged) > 2, seconds=60)
    _stop_slowly(stack)
    shop.end()
    staff.end()

    again = _run(tmp_path, port)
    token = again.token("viewer")
    kept = again.call("GET", "/v1/customers/cus_0042", token=token).json
    assert kept["version"] >= staff.acknowledged[-1]
    for customer_id in shop.acknowledged:
        assert again.call("GET", f"/v1/customers/{customer_id}", token=token).status == 200
    late = _registration(again, "Sumaq")(1)
    for word in ("ayar", "illari", "sumaq"):
        expected = {one for one in (*shop.acknowledged, late) if one.startswith(word)}
        assert expected
        eventually(lambda: expected <= _found(again, token, word), seconds=60)  # noqa: B023 - at once
    gateway, path = again.token("gateway"), f"/v1/ecosystems/eco_{late}/access"
    eventually(lambda: again.call("GET", path, token=gateway).status == 200)
    assert command(tmp_path, "infra.local", "stop").stdout == "Ended.\n"


def _run(folder: Path, port: int) -> Stack:
    done = command(
        folder, "infra.local", "run", "--port", str(port), "--demo-users", "10", "--detach"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Stack(folder, port)


def _stop_slowly(stack: Stack) -> None:
    """End the stack, whose emulator has no processor time for a while."""
    emulator = int((stack.folder / "pid").read_text())
    ending = threading.Thread(target=_stop, args=(stack.folder,))
    ending.start()
    eventually(lambda: not (stack.folder / "stack.json").exists())
    os.kill(emulator, signal.SIGSTOP)
    ending.join(FROZEN_SECONDS)
    os.kill(emulator, signal.SIGCONT)
    ending.join()


def _stop(folder: Path) -> None:
    assert command(folder, "infra.local", "stop").stdout == "Ended.\n"


def _found(stack: Stack, token: str, word: str) -> set[str]:
    answer = stack.call("GET", f"/v1/customers?limit=100&q={word}", token=token)
    return {row["id"] for row in answer.json["data"]}


def _registration(stack: Stack, name: str) -> Callable[[int], str]:
    """Return a writer that puts new customers of that first name, as the shop does."""
    dynamodb, table = stack.client("dynamodb"), stack.facts["tables"]["users"]

    def write(number: int) -> str:
        customer_id = f"{name.lower()}_{number}"
        ecosystem = Ecosystem(f"eco_{customer_id}", "sumaq-hampi", "2026-03-04T10:00:00Z")
        item = to_item(customer(customer_id, first_name=name, ecosystem=ecosystem))
        dynamodb.put_item(TableName=table, Item=item)
        time.sleep(0.1)
        return customer_id

    return write


def _switch(stack: Stack) -> Callable[[int], int]:
    """Return a writer that uses the switch; it returns the version that was acknowledged."""
    token, path, url = stack.token("admin"), "/v1/customers/cus_0042", stack.facts["url"]

    def write(_number: int) -> int:
        shown = stack.call("GET", url + path, token=token)
        if shown.status != 200 or not shown.content:
            raise OSError(shown.status)  # It is just ending.
        known = shown.json
        access = "suspended" if known.get("access") == "active" else "active"
        done = stack.call(
            "PUT",
            f"{url}{path}/access",
            token=token,
            body={"access": access, "reason": "Before the end"},
            headers={"If-Match": f'"{known.get("version")}"'},
        )
        if done.status != 200:
            raise OSError(done.status)
        version: int = done.json["version"]
        return version

    return write
