"""What other people's tools say of the running stack and of the template."""

import subprocess
import sys
from pathlib import Path

from openapi_spec_validator import validate

from infra.package import ROOT, TEMPLATE
from tests.e2e.conftest import Stack


def test_the_openapi_document_that_is_served_is_valid(stack: Stack) -> None:
    reply = stack.call("GET", "/v1/openapi.json")
    assert reply.headers["Content-Type"] == "application/json"
    validate(reply.json)


def test_schemathesis_finds_nothing(stack: Stack, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "run"),
            *(f"{stack.facts['url']}/v1/openapi.json", "--url", stack.facts["url"]),
            *("--header", f"Authorization: Bearer {stack.token('admin')}"),
            *("--max-examples", "20", "--no-color", "--seed", "1"),
            *("--report-dir", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:]


def test_the_template_passes_cfn_lint_and_conforms(stack: Stack) -> None:
    assert stack.facts["url"], "the stack was deployed from this template"
    linter = str(Path(sys.executable).with_name("cfn-lint"))
    for command in ([linter, str(TEMPLATE)], [sys.executable, "-m", "infra.conform"]):
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout
