"""Firefox over its own remote protocol, Marionette, as geckodriver speaks it.

Mozilla's client (`marionette_driver`) does not run on Python 3.13, and geckodriver is in no package
index. Source: https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")

_PREFERENCES = {
    "marionette.port": 0,
    "intl.accept_languages": "es",
    "app.update.disabledForTesting": True,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
}
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of a reference to an element (W3C WebDriver, section 12.1)."""


class CommandError(Exception):
    """Firefox refused a command."""


class Firefox:
    """One window. Waits up to `patience` seconds for what it is asked to find."""

    def __init__(self, connection: socket.socket, patience: float) -> None:
        self._stream = connection.makefile("rwb")
        self._patience = patience
        self._sent = 0
        self._receive()
        self.send("WebDriver:NewSession")

    def send(self, command: str, **parameters: Any) -> Any:
        """Return the value that the command answers. Raises `CommandError`."""
        self._sent += 1
        body = json.dumps([0, self._sent, command, parameters]).encode()
        self._stream.write(b"%d:%b" % (len(body), body))
        self._stream.flush()
        _, _, error, result = self._receive()
        if error:
            raise CommandError(error["error"], error["message"])
        return result.get("value", result) if isinstance(result, dict) else result

    def run(self, script: str) -> Any:
        return self.send("WebDriver:ExecuteScript", script=script, args=[])

    def until(self, condition: str) -> None:
        """Wait until the JavaScript expression is true."""
        deadline = time.monotonic() + self._patience
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < deadline, condition
            time.sleep(0.05)

    def click(self, css: str) -> None:
        self.send("WebDriver:ElementClick", id=self._find(css))

    def write(self, css: str, text: str) -> None:
        """Put the text into the field, in place of what is in it."""
        element = self._find(css)
        self.send("WebDriver:ElementClear", id=element)
        self.send("WebDriver:ElementSendKeys", id=element, text=text)

    def resize(self, width: int, height: int) -> None:
        """Give the page that many CSS pixels: the window has a frame around it."""
        frame = self.run("return [outerWidth - innerWidth, outerHeight - innerHeight]")
        self.send(
            "WebDriver:SetWindowRect", x=0, y=0, width=width + frame[0], height=height + frame[1]
        )
        self.until(f"innerWidth === {width} && innerHeight === {height}")

    def _find(self, css: str) -> str:
        self.until(f"document.querySelector({json.dumps(css)})?.checkVisibility()")
        found = self.send("WebDriver:FindElement", using="css selector", value=css)
        identifier: str = found[_ELEMENT]
        return identifier

    def _receive(self) -> Any:
        size = b""
        while (digit := self._stream.read(1)) != b":":
            size += digit
        return json.loads(self._stream.read(int(size)))


@contextmanager
def running_firefox(profile: Path, patience: float) -> Iterator[Firefox]:
    """A Firefox with an empty profile in that folder; it ends with the context."""
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in _PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    assert FIREFOX
    command = [FIREFOX, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            with socket.create_connection(("127.0.0.1", _port(profile, patience))) as connection:
                connection.settimeout(patience)
                yield Firefox(connection, patience)
        finally:
            process.terminate()


def _port(profile: Path, patience: float) -> int:
    """The port that Firefox has chosen, as soon as it listens there."""
    told = profile / "MarionetteActivePort"
    deadline = time.monotonic() + patience
    while not (told.exists() and told.read_text()):
        assert time.monotonic() < deadline, "Firefox does not listen"
        time.sleep(0.05)
    return int(told.read_text())
