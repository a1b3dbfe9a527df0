"""What counts as proved on AWS, and when the page that says so is written."""

import dataclasses
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.package import ROOT
from infra.people import Person
from infra.prove.__main__ import conclude, unfit_settings
from infra.prove.page import Run
from infra.prove.sign_in import sign_in
from infra.prove.steps import count_passed
from infra.prove.trial import FailedError, Result, Step, Trial, take, walk
from infra.target import Target

TRIAL = Trial(Target("trial", "eu-west-1"), Path())
EMULATED = Trial(Target("trial", "us-east-1", "http://localhost:4566"), Path())
RUN = Run("2026-12-01", "1df7802", is_clean=True, region="eu-west-1", stage="trial", is_on_aws=True)
RESULTS = [
    Result("deploy", "ok", 240, "UPDATE_COMPLETE; 5 people"),
    Result("failed update", "ok", 61, "a | b\nc"),
]
PERSON: Person = {"username": "ana@example.com", "password": "Mine-alone-1", "roles": ["admin"]}


@pytest.fixture(autouse=True)
def _no_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "proved-on-aws.md"


def test_the_page_tells_day_commit_region_and_each_step(page: Path) -> None:
    assert conclude(RUN, RESULTS, page) == 0
    text = page.read_text()
    assert "on 2026-12-01 in eu-west-1" in text
    assert "commit `1df7802`" in text
    assert "| deploy | ok | 240 | UPDATE_COMPLETE; 5 people |\n" in text
    assert "| failed update | ok | 61 | a \\| b c |\n" in text


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"is_on_aws": False}, "This was an emulator, not AWS"),
        ({"is_clean": False}, "The files are not those of a commit"),
        ({"commit": ""}, "The files are not those of a commit"),
    ],
)
def test_nothing_is_written_of_an_emulator_or_of_files_that_no_commit_has(
    page: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, object], reason: str
) -> None:
    assert conclude(dataclasses.replace(RUN, **changed), RESULTS, page) == 3  # type: ignore[arg-type]
    assert not page.exists()
    assert reason in capsys.readouterr().out


@pytest.mark.parametrize(("state", "status"), [("failed", 1), ("skipped", 3)])
def test_nothing_is_written_where_a_step_failed_or_was_left_out(
    page: Path, capsys: pytest.CaptureFixture[str], state: str, status: int
) -> None:
    bad = Result("restore drill", state, 0, "no history")
    assert conclude(RUN, [*RESULTS, bad], page) == status
    assert not page.exists()
    assert f"The step «restore drill» {state}: no history" in capsys.readouterr().out


def _fail(_trial: Trial) -> str:
    message = "it does not answer"
    raise FailedError(message)


def test_the_trial_needs_no_person_who_confirms_mail_whatever_other_stages_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = (ROOT / "infra" / "stages.toml").read_text()
    mailed = shipped.replace("\n[defaults]\n", '\n[defaults]\nAlarmEmail = "ops@example.com"\n')
    other = '\n[other]\nDeletionProtection = "false"\nPasswordSignIn = "true"\n'
    stages = tmp_path / "stages.toml"
    stages.write_text(mailed + other)
    monkeypatch.setenv("STORE_USERS_STAGES", str(stages))
    assert list(unfit_settings("trial")) == []
    assert list(unfit_settings("other")) == ['the stage other needs AlarmEmail = ""']


def test_a_step_that_saw_nothing_has_failed() -> None:
    assert take(Step("doctor", lambda _: ""), TRIAL).state == "failed"
    assert take(Step("doctor", lambda _: "all well"), TRIAL).state == "ok"


def test_a_step_for_aws_alone_is_left_out_elsewhere_with_its_reason() -> None:
    step = Step("restore drill", _fail, only_on_aws="no history")
    assert take(step, EMULATED) == Result("restore drill", "skipped", 0, "no history")
    assert take(step, TRIAL).state == "failed"


def test_the_stage_is_removed_where_a_step_fails_and_no_other_is_taken() -> None:
    told: list[Result] = []
    last = Step("destroy", lambda _: "nothing is left")
    results = walk([Step("deploy", _fail), Step("doctor", str)], last, TRIAL, told.append)
    assert [(one.name, one.state) for one in results] == [("deploy", "failed"), ("destroy", "ok")]
    assert told == results


def test_the_stage_is_removed_where_the_person_interrupts() -> None:
    def interrupt(_trial: Trial) -> str:
        raise KeyboardInterrupt

    told: list[Result] = []
    last = Step("destroy", lambda _: "nothing is left")
    with pytest.raises(KeyboardInterrupt):
        walk([Step("deploy", interrupt)], last, TRIAL, told.append)
    assert [one.name for one in told] == ["destroy"]


def _report(**counts: int) -> str:
    given = {"tests": 0, "errors": 0, "failures": 0, "skipped": 0, **counts}
    attributes = " ".join(f'{name}="{number}"' for name, number in given.items())
    return f"<testsuites><testsuite {attributes}/></testsuites>"


def test_tests_have_passed_where_there_were_some_and_none_was_skipped() -> None:
    assert count_passed(_report(tests=19)) == "19 tests passed, none skipped"
    for counts in ({}, {"tests": 19, "skipped": 1}, {"tests": 19, "failures": 1}):
        with pytest.raises(FailedError):
            count_passed(_report(**counts))


class _HostedPage(BaseHTTPRequestHandler):
    """Signs in as Cognito's classic page does: a cookie, a hidden token, a form for each width."""

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/oauth2/authorize":
            return self._send(302, ("Location", f"/login?{urlsplit(self.path).query}"))
        form = (
            f'<form action="/login?{urlsplit(self.path).query}" method="post">'
            '<input type="hidden" name="_csrf" value="secret"/><input name="username" type="text"/>'
            '<input name="password" type="password"/></form>'
        )
        search = '<form action="/search"><input name="q"/></form>'
        return self._send(200, ("Set-Cookie", "XSRF-TOKEN=secret"), search + form + form)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: value for name, (value,) in parse_qs(body).items()}
        if self.path == "/oauth2/token":
            good = form["code"] == "c0de" and form["code_verifier"]
            return self._send(200 if good else 400, ("X", "y"), '{"access_token": "token"}')
        state = parse_qs(urlsplit(self.path).query)["state"][0]
        known = form["_csrf"] in (self.headers["Cookie"] or "-") and "q" not in form
        if not known or form["password"] != PERSON["password"]:
            return self._send(302, ("Location", "/login"))
        return self._send(302, ("Location", f"https://app.example/api/?code=c0de&state={state}"))

    def _send(self, status: int, header: tuple[str, str], text: str = "") -> None:
        self.send_response(status)
        self.send_header(*header)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def provider() -> Iterator[dict[str, str]]:
    """`sign_in` of `/v1/config`, with the address of such a page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _HostedPage) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield {"url": url, "client_id": "page", "scopes": "openid"}
        server.shutdown()
        thread.join()


def test_a_person_signs_in_on_a_page_with_a_cookie_and_a_hidden_token(
    provider: dict[str, str],
) -> None:
    assert sign_in(provider, "https://app.example/api/", PERSON) == "token"


def test_a_password_that_is_not_taken_fails_the_step(provider: dict[str, str]) -> None:
    wrong: Person = {**PERSON, "password": "another"}
    with pytest.raises(FailedError, match="the sign-in page did not take the password"):
        sign_in(provider, "https://app.example/api/", wrong)
