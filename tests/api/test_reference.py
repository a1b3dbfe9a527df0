"""The page of API documentation: its files, and what it may load and run."""

import re

import pytest

from infra.package import ROOT
from infra.reference import add_swagger_ui
from tests.api.client import Client

FILES = {
    "reference.js": "text/javascript",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "license.txt": "text/plain",
}


@pytest.fixture(autouse=True)
def _built() -> None:
    add_swagger_ui()


@pytest.mark.parametrize(("name", "content_type"), FILES.items())
def test_a_file_of_the_documentation_is_served_and_not_sent_twice(
    edge: Client, name: str, content_type: str
) -> None:
    answer = edge.get(f"/docs/{name}", None)
    assert answer.status == 200
    assert answer.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert answer.body == (ROOT / "chalicelib" / "reference" / name).read_text("utf-8")
    etag = {"If-None-Match": answer.headers["etag"]}
    again = edge.call("GET", f"/docs/{name}", None, headers=etag)
    assert (again.status, again.body) == (304, "")


@pytest.mark.parametrize("name", ["index.html", "swagger-ui.js", "a.js", "__init__.py"])
def test_nothing_else_is_served_beside_it(edge: Client, name: str) -> None:
    assert edge.get(f"/docs/{name}", None).problem == "not-found"


def test_the_documentation_may_run_no_script_but_its_own_and_call_nobody_else(
    edge: Client,
) -> None:
    answer = edge.get("/docs", None)
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "default dompurify",
    }
    loaded = re.findall(r'(?:src|href)="([^"]+)"', answer.body)
    assert set(loaded) == {
        *("data:,", "docs/swagger-ui.css", "docs/reference.js", "docs/swagger-ui-bundle.js"),
        "v1/openapi.json",
    }
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.body)
