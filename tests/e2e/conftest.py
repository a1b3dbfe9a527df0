"""The whole system as `make run` brings it up: the real template on the AWS emulator."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.demo import demo_users
from infra.emulator import environment
from infra.package import ROOT
from tests.privacy import told, words_of

FRONT_END = "localhost:5173"
"""Where infra/stages.toml expects another front end of the local stack."""


@dataclass(frozen=True)
class Reply:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        return None


_CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass(frozen=True)
class Stack:
    """A running stack: where it is, and how to talk to it."""

    folder: Path
    port: int
    front_end_port: int = 5173

    @property
    def front_end(self) -> str:
        """The other origin that may read answers."""
        return f"http://localhost:{self.front_end_port}"

    @property
    def facts(self) -> Any:
        return json.loads((self.folder / "stack.json").read_text())

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return command(self.folder, *arguments)

    def token(self, role: str) -> str:
        done = self.run("infra.local", "token", role)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def client(self, service: str) -> Any:
        """A client with the credentials of the account, which may do everything."""
        return self._client(service, **({} if self.facts["endpoint"] is None else _CREDENTIALS))

    def role(self, function: str) -> str:
        """The name of the role that the function runs as."""
        name = self.facts["functions"][function]
        found = self.client("lambda").get_function_configuration(FunctionName=name)
        role: str = found["Role"].rpartition("/")[2]
        return role

    def client_of(self, function: str, service: str) -> Any:
        """A client with the credentials of the role of the function."""
        iam, name = self.client("iam"), self.role(function)
        role = iam.get_role(RoleName=name)["Role"]
        trust = role["AssumeRolePolicyDocument"]
        everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = {**trust, "Statement": [*trust["Statement"], everybody]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))
        try:
            session = self.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")
        finally:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        return self._client(
            service,
            aws_access_key_id=session["Credentials"]["AccessKeyId"],
            aws_secret_access_key=session["Credentials"]["SecretAccessKey"],
            aws_session_token=session["Credentials"]["SessionToken"],
        )

    def _client(self, service: str, **credentials: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=self.facts["region"],
            endpoint_url=self.facts["endpoint"],
            **credentials,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        address = path if path.startswith("http") else self.facts["url"] + path
        request = urllib.request.Request(address, data=data, headers=sent, method=method)
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=120) as answer:
                return Reply(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, dict(error.headers), error.read())


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "STORE_USERS_LOCAL": str(folder)}
    if (stages := folder / "stages.toml").exists():
        environment["STORE_USERS_STAGES"] = str(stages)
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(ask: Callable[[], Any], seconds: float = 20) -> Any:
    """What `ask` answers as soon as it is true: for what happens in the background."""
    deadline = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def subscribed_queue(client: Callable[[str], Any], topic: str) -> str:
    """The address of a new queue that gets what is published to the topic."""
    sqs = client("sqs")
    queue: str = sqs.create_queue(QueueName=f"inbox-{uuid.uuid4().hex}")["QueueUrl"]
    asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = asked["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if deployed := os.environ.get("STORE_USERS_DEPLOYED"):
        yield Stack(Path(deployed), 0)
        return
    folder, port, other = tmp_path_factory.mktemp("stack"), free_port(), free_port()
    stages = (ROOT / "infra" / "stages.toml").read_text()
    assert FRONT_END in stages
    (folder / "stages.toml").write_text(stages.replace(FRONT_END, f"localhost:{other}"))
    done = command(
        folder, "infra.local", "run", "--port", str(port), "--demo-users", "60", "--detach"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    yield Stack(folder, port, other)
    leaks = leaks_in(folder / "ministack.log")
    command(folder, "infra.local", "stop")
    assert leaks == []


def leaks_in(log: Path) -> list[str]:
    """The lines that the functions logged and that tell of a demo user, or hold a secret."""
    known = set()
    for user in demo_users(60, today=datetime.now(UTC).date()):
        known |= words_of(user)
    lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
    assert lines, "the functions have logged"
    return [line for line in lines if told(line, known)]


_START = """
import sys
from infra import emulator
emulator.FOLDER.mkdir(exist_ok=True)
emulator.start(int(sys.argv[1]))
"""


@contextmanager
def running_emulator(folder: Path) -> Iterator[int]:
    """The port of an emulator with nothing in it, which keeps what it needs in the folder."""
    number = free_port()
    subprocess.run(
        [sys.executable, "-c", _START, str(number)],
        cwd=ROOT,
        env={**os.environ, "STORE_USERS_LOCAL": str(folder)},
        timeout=120,
        check=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment().items():
            patch.setenv(name, value)
        # The default session keeps the credentials of the environment that it was made in.
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        try:
            yield number
        finally:
            command(folder, "infra.local", "stop")


@pytest.fixture
def emulator_port(tmp_path: Path) -> Iterator[int]:
    """The port of a running emulator with nothing in it."""
    with running_emulator(tmp_path) as number:
        yield number
