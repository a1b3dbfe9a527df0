"""The page over HTTP: what it may load, who may keep what for how long, and what is not served."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.package import ROOT
from tests.api.client import Client
from tests.api.conformity import Answer

_TYPES = {"css": "text/css", "js": "text/javascript", "json": "application/json"}
_FOR_A_YEAR = "public, max-age=31536000, immutable"


def _version(edge: Client) -> str:
    (version,) = set(re.findall(r'"/api/ui/versions/([^/]+)/', edge.get("/", None).body))
    return str(version)


def _again(edge: Client, path: str, validators: str) -> Answer:
    return edge.call("GET", path, None, headers={"If-None-Match": validators})


def _paths(edge: Client) -> list[str]:
    return ["/", "/ui/main.js", "/ui/es.json", f"/ui/versions/{_version(edge)}/main.js"]


def test_the_page_may_load_what_is_its_own_and_nothing_else(edge: Client) -> None:
    answer = edge.get("/", None)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.body.startswith("<!doctype html>")
    policy = dict(
        part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in str(policy)
    assert "*" not in str(policy)
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


def test_the_page_asks_for_files_that_may_be_kept_and_are_there(edge: Client) -> None:
    files = re.findall(r'(?:href|src)="/api/(ui/[^"]+)"', edge.get("/", None).body)
    kept = [file for file in files if file != "ui/stuck.js"]
    assert len(kept) == len(files) - 1 > 15
    validators = []
    for file in kept:
        answer = edge.get(f"/{file}", None)
        assert answer.status == 200
        assert answer.headers["cache-control"] == _FOR_A_YEAR
        kind = _TYPES[file.rpartition(".")[2]]
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        validators.append(answer.headers["etag"])
    assert all(re.fullmatch('"[0-9a-f]{16}"', validator) for validator in validators)
    assert len(set(validators)) == len(validators)


def test_what_has_no_version_in_its_address_is_asked_for_each_time(edge: Client) -> None:
    for path in ("/", "/ui/main.js", "/ui/style.css", "/ui/stuck.js", "/ui/en.json"):
        answer = edge.get(path, None)
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")


def test_whoever_has_it_already_is_told_so_without_a_body(edge: Client) -> None:
    for path in _paths(edge):
        first = edge.get(path, None)
        etag = first.headers["etag"]
        for validators in (etag, f"W/{etag}", f'"other", {etag}', f'W/"a",W/{etag} , "b"', "*"):
            answer = _again(edge, path, validators)
            assert (answer.status, answer.body) == (304, ""), (path, validators)
            for name in ("etag", "cache-control", "vary"):
                assert answer.headers[name] == first.headers[name]
            policies = [one.headers.get("content-security-policy") for one in (first, answer)]
            assert policies[0] == policies[1]


def test_whoever_has_something_else_gets_it_as_it_is_now(edge: Client) -> None:
    for path in _paths(edge):
        first = edge.get(path, None)
        for validators in ('"0123456789abcdef"', first.headers["etag"].strip('"'), "", '"', "W/"):
            answer = _again(edge, path, validators)
            assert (answer.status, answer.body) == (200, first.body), (path, validators)


def test_of_another_version_there_is_nothing(edge: Client) -> None:
    for file in ("main.js", "es.json", "style.css"):
        answer = edge.get(f"/ui/versions/0123456789abcdef/{file}", None)
        assert (answer.status, answer.problem) == (404, "not-found")
        assert answer.headers["cache-control"] == "no-store"
    assert edge.get("/ui/versions/1/main.js", None).status == 400


@pytest.mark.parametrize(
    ("file", "status"),
    [
        *(("none.css", 404), ("style.js", 404), ("STYLE.css", 404), ("__init__.py", 404)),
        *(("..%2Fsettings.py", 400), ("..%5Csettings.py", 400), ("%2Fetc%2Fpasswd", 400)),
        *(("%2e%2e%2fapi%2fauth.py", 400), ("style.css%00", 400), ("index.html", 404)),
        *((".style.css", 400), ("style", 400), ("style.css.map", 400), ("....css", 400)),
    ],
)
def test_no_other_file_is_served(edge: Client, file: str, status: int) -> None:
    assert edge.get(f"/ui/{file}", None).status == status
    assert edge.get(f"/ui/versions/{_version(edge)}/{file}", None).status == status


def test_another_word_makes_another_version(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "chalicelib", tmp_path / "chalicelib")

    def version() -> str:
        return subprocess.run(
            [sys.executable, "-c", "from chalicelib.api import pages; print(pages.version())"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    before = version()
    assert version() == before
    words = tmp_path / "chalicelib" / "ui" / "en.json"
    words.write_text(words.read_text().replace("Undo", "Revert"))
    assert version() != before
