"""`make run` on a disk that is full: it says so, and never that the stack runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.package import ROOT
from tests.e2e.conftest import free_port

_MOUNT = 'mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"'


def test_a_disk_without_space_is_told_before_anything_starts(tmp_path: Path) -> None:
    done = _run_on_disk(tmp_path, "size=64m")
    assert done.returncode == 1
    assert "MB are free on the disk of" in done.stdout
    assert "the local stack needs 1,000" in done.stdout
    assert "Deploying" not in done.stdout


def test_a_stack_that_does_not_answer_is_told_as_such(tmp_path: Path) -> None:
    """No function can unpack its code there: each call is answered with an error."""
    done = _run_on_disk(tmp_path, "size=4g,nr_inodes=500")
    assert done.returncode == 1
    assert "The stack does not work. GET http://localhost:" in done.stdout
    assert "HTTP Error 5" in done.stdout
    assert "Store Users runs" not in done.stdout


def _run_on_disk(folder: Path, options: str) -> "subprocess.CompletedProcess[str]":
    """Run the stack in a folder that is a disk of its own, which ends with the process."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-m", "true"], check=False).returncode:
        pytest.skip("this machine allows no mount of its own (unshare -m)")
    disk = [unshare, "-m", "sh", "-c", _MOUNT, "sh", options, str(folder)]
    stack = [sys.executable, "-m", "infra.local", "run", "--detach", "--demo-users", "0"]
    return subprocess.run(
        [*disk, *stack, "--port", str(free_port())],
        cwd=ROOT,
        env={**os.environ, "STORE_USERS_LOCAL": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
