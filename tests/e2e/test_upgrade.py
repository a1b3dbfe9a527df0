"""Today's package, deployed over the oldest that is supported, which was in use until then.

The whole of it: functions, roles, API, rule, queues and their sources, with data made by the old
code. What the emulator does not hold anybody to is not shown here: that AWS replaces nothing and
takes the change of indexes (test_updates.py), and policies (tests/wiring). And one thing it does
otherwise: an API whose document has changed it makes anew, at another address; AWS writes it over.
"""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from infra import package
from infra.people import add_people, gateway_token, person_token
from tests.e2e.conftest import Stack, command, eventually, running_emulator, subscribed_queue
from tests.e2e.deployments import client, deploy_oldest, outputs, target

FUNCTIONS = ("Api", "Authorizer", "Stream", "Worker", "Schedule")
ADDRESS = {"RestAPIId", "EndpointURL", "PublicUrl"}
REASON = "Privacy incident 4711"


@dataclass(frozen=True)
class Old:
    """What was there before the update: names, and what the old functions had answered."""

    names: dict[str, str]
    token: str
    cursor: str
    done: Any
    queued: Any
    key: str
    link: str
    file: bytes
    code: dict[str, str]
    sources: dict[str, str]


def _customer(number: int, name: str) -> dict[str, Any]:
    """As the shop wrote it then: the item contract has not changed since."""
    return {
        "id": {"S": f"cus_{number}"},
        "kind": {"S": "customer"},
        "first_name": {"S": name},
        "last_name": {"S": "Antigua"},
        "company_email": {"S": f"cus{number}@example.com"},
        "phone_number": {"S": "+573001234567"},
        "company_name": {"S": "Clínica Vieja"},
        "registered_at": {"S": f"2026-01-0{number}T03:04:05Z"},
        "access": {"S": "active"},
        "version": {"N": "1"},
        "ecosystem": {
            "M": {
                "id": {"S": f"eco_{number}"},
                "name": {"S": f"vieja-{number}"},
                "deployed_at": {"S": "2026-01-09T03:04:05Z"},
            }
        },
    }


def _lead(number: int, registered_at: str) -> dict[str, Any]:
    customer = _customer(number, "Ulises")
    left_out = {"access", "ecosystem"}
    kept = {name: value for name, value in customer.items() if name not in left_out}
    changed = {"id": f"led_{number}", "kind": "lead", "registered_at": registered_at}
    return kept | {name: {"S": value} for name, value in changed.items()}


def _put(port: int, names: dict[str, str], item: dict[str, Any]) -> None:
    client(port, "dynamodb").put_item(TableName=names["UsersTable"], Item=item)


def _use(stack: Stack, names: dict[str, str]) -> Old:
    """Let the old deployment do some of everything, and leave an export waiting in its queue."""
    where = target(stack.port, "local")
    people = {one["username"]: one for one in add_people(where, names, {})}
    admin = person_token(where, names["PageClientId"], people["ana.admin@waizant.example"])
    gateway = gateway_token(where, names["UserPoolId"], names["GatewayClientId"])
    for number, name in enumerate(("Zoraida", "Yolanda", "Ximena"), start=1):
        _put(stack.port, names, _customer(number, name))
    _put(stack.port, names, _lead(1, "2026-01-04T03:04:05Z"))
    api = names["PublicUrl"]

    def derived() -> bool:
        asked = [
            stack.call("GET", f"{api}/v1/ecosystems/eco_{number}/access", token=gateway).status
            for number in (1, 2, 3)
        ]
        return asked == [200, 200, 200]

    assert eventually(derived)
    version = stack.call("GET", f"{api}/v1/customers/cus_1", token=admin).headers["ETag"]
    switched = stack.call(
        "PUT",
        f"{api}/v1/customers/cus_1/access",
        token=admin,
        body={"access": "suspended", "reason": REASON},
        headers={"If-Match": version},
    )
    assert switched.status == 200, switched.content
    page = stack.call("GET", f"{api}/v1/customers?limit=1", token=admin).json
    assert [row["id"] for row in page["data"]] == ["cus_3"]
    done = _finished(stack, api, _order(stack, api, admin, "customers", str(uuid.uuid4())), admin)
    link = _announced(stack, names)
    _hold_worker(stack, names)
    key = str(uuid.uuid4())
    queued = _order(stack, api, admin, "customers", key)
    return Old(
        names=names,
        token=admin,
        cursor=page["page"]["next"],
        done=done,
        queued=queued,
        key=key,
        link=link,
        file=stack.call("GET", done["download_url"]).content,
        code=_code(stack.port, names),
        sources=_sources(stack.port, names),
    )


def _order(stack: Stack, api: str, token: str, resource: str, key: str) -> Any:
    answer = stack.call(
        "POST",
        f"{api}/v1/exports",
        token=token,
        body={"resource": resource},
        headers={"Idempotency-Key": key},
    )
    assert answer.status == 202, answer.content
    return answer.json


def _finished(stack: Stack, api: str, job: Any, token: str) -> Any:
    def succeeded() -> Any:
        now = stack.call("GET", f"{api}/v1/exports/{job['id']}", token=token).json
        assert now["status"] != "failed", now["error"]
        return now if now["status"] == "succeeded" else None

    return eventually(succeeded, seconds=60)


def _announced(stack: Stack, names: dict[str, str]) -> str:
    """A link that marketing got from the old schedule, once both its exports are announced."""
    sqs = client(stack.port, "sqs")
    inbox = subscribed_queue(partial(client, stack.port), names["MarketingTopicArn"])
    _run_schedule(stack.port, names, "2026-11-23T11:00:00Z")
    told: list[str] = []

    def is_told() -> bool:
        got = sqs.receive_message(QueueUrl=inbox, WaitTimeSeconds=1).get("Messages", ())
        told.extend(json.loads(one["Body"])["Message"] for one in got)
        return len(told) == 2

    eventually(is_told, seconds=60)
    found = re.search(r"https?://\S+", told[0])
    assert found is not None
    return found[0]


def _run_schedule(port: int, names: dict[str, str], at: str) -> list[str]:
    """As a rule did it for the old code: Scheduler sends two members of these."""
    event = {
        "version": "0",
        "id": f"run-{at}",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": at,
        "region": "us-east-1",
        "resources": [],
        "detail": {},
    }
    answer = client(port, "lambda").invoke(
        FunctionName=names["ScheduleFunction"], Payload=json.dumps(event).encode()
    )
    assert "FunctionError" not in answer
    jobs: list[str] = json.load(answer["Payload"])
    return jobs


def _sources(port: int, names: dict[str, str]) -> dict[str, str]:
    """The event sources of stream and worker, by function."""
    found = {}
    for name in ("Stream", "Worker"):
        asked = client(port, "lambda").list_event_source_mappings(
            FunctionName=names[f"{name}Function"]
        )
        (source,) = asked["EventSourceMappings"]
        found[name] = source["UUID"]
    return found


def _hold_worker(stack: Stack, names: dict[str, str], *, enabled: bool = False) -> None:
    functions, source = client(stack.port, "lambda"), _sources(stack.port, names)["Worker"]
    functions.update_event_source_mapping(UUID=source, Enabled=enabled)
    wanted = "Enabled" if enabled else "Disabled"
    eventually(lambda: functions.get_event_source_mapping(UUID=source)["State"] == wanted)


def _code(port: int, names: dict[str, str]) -> dict[str, str]:
    functions = client(port, "lambda")
    return {
        name: functions.get_function_configuration(FunctionName=names[f"{name}Function"])[
            "CodeSha256"
        ]
        for name in FUNCTIONS
    }


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Old]]:
    """The oldest deployment, used, and then brought up as `make run` and `make deploy` do it."""
    package.build()
    folder = tmp_path_factory.mktemp("upgrade")
    with running_emulator(folder) as port:
        stack = Stack(folder, port)
        old = _use(stack, deploy_oldest(port, "local", folder))
        arguments = ["run", "--port", str(port), "--demo-users", "0", "--detach"]
        done = command(folder, "infra.local", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        yield stack, old


def test_every_resource_keeps_its_name(upgraded: tuple[Stack, Old]) -> None:
    """The very same tables, bucket, pool, clients, queues, topics and functions."""
    stack, old = upgraded
    now = outputs(stack.port, "local")
    kept = old.names.keys() - ADDRESS
    assert {name: now[name] for name in kept} == {name: old.names[name] for name in kept}
    assert _sources(stack.port, now) == old.sources


def test_every_function_runs_the_new_code(upgraded: tuple[Stack, Old]) -> None:
    stack, old = upgraded
    now = _code(stack.port, old.names)
    assert [name for name in FUNCTIONS if now[name] == old.code[name]] == []
    # The old one knew of no totals.
    totals = "/v1/totals?list=customers&from=2026-01-01&to=2026-01-31"
    assert stack.call("GET", totals, token=old.token).status == 200


def test_a_person_stays_signed_in_and_finds_what_was_there(upgraded: tuple[Stack, Old]) -> None:
    stack, old = upgraded
    found = stack.call("GET", "/v1/customers", token=old.token)
    assert [row["id"] for row in found.json["data"]] == ["cus_3", "cus_2", "cus_1"]
    assert [row["access"] for row in found.json["data"]] == ["active", "active", "suspended"]
    assert found.json["data"][2]["company_name"] == "Clínica Vieja"


def test_an_old_cursor_is_taken_or_refused_in_words(upgraded: tuple[Stack, Old]) -> None:
    stack, old = upgraded
    answer = stack.call("GET", f"/v1/customers?limit=1&cursor={old.cursor}", token=old.token)
    assert (answer.status, answer.json["type"]) == (400, "/problems/stale-cursor")


def test_the_switch_goes_on_from_where_it_was(upgraded: tuple[Stack, Old]) -> None:
    stack, old = upgraded
    gateway = stack.token("gateway")
    asked = "/v1/ecosystems/eco_1/access"
    assert stack.call("GET", asked, token=gateway).json["access"] == "suspended"
    version = stack.call("GET", "/v1/customers/cus_1", token=old.token).headers["ETag"]
    back = stack.call(
        "PUT",
        "/v1/customers/cus_1/access",
        token=old.token,
        body={"access": "active"},
        headers={"If-Match": version},
    )
    assert back.status == 200, back.content
    assert stack.call("GET", asked, token=gateway).json["access"] == "active"
    history = stack.call("GET", "/v1/customers/cus_1/access/history", token=old.token).json
    assert [one["reason"] for one in history["data"]] == [None, REASON]


def test_a_file_and_a_link_of_before_still_open(upgraded: tuple[Stack, Old]) -> None:
    stack, old = upgraded
    job = stack.call("GET", f"/v1/exports/{old.done['id']}", token=old.token).json
    assert (job["status"], job["rows"]) == ("succeeded", 3)
    assert stack.call("GET", job["download_url"]).content == old.file
    opened = stack.call("GET", old.link.removeprefix(old.names["PublicUrl"]))
    assert opened.status == 302, opened.content
    assert stack.call("GET", opened.headers["Location"]).content[:2] == b"PK"


def test_an_export_that_waited_in_the_queue_is_finished_by_the_new_worker(
    upgraded: tuple[Stack, Old],
) -> None:
    stack, old = upgraded
    # Its sender asks again, not knowing whether it was heard: it is the same one.
    again = _order(stack, stack.facts["url"], old.token, "customers", old.key)
    assert again["id"] == old.queued["id"]
    _hold_worker(stack, old.names, enabled=True)
    job = _finished(stack, stack.facts["url"], old.queued, old.token)
    assert (job["rows"], job["progress"]) == (3, {"done": 3, "total": 3})
    assert stack.call("GET", job["download_url"]).content[:2] == b"PK"
    for queue in ("ExportsQueue", "ExportsDeadLetters"):
        url = _resource(stack, queue)
        left = client(stack.port, "sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
            "Attributes"
        ]
        assert left["ApproximateNumberOfMessages"] == "0"


def _resource(stack: Stack, name: str) -> str:
    asked = client(stack.port, "cloudformation").describe_stack_resource(
        StackName="store-users-local", LogicalResourceId=name
    )
    found: str = asked["StackResourceDetail"]["PhysicalResourceId"]
    return found


def test_the_stream_goes_on_and_reindexing_makes_everybody_searchable(
    upgraded: tuple[Stack, Old],
) -> None:
    stack, old = upgraded
    _put(stack.port, old.names, _customer(4, "Wilma"))

    def found(q: str) -> Any:
        data = stack.call("GET", f"/v1/customers?q={q}", token=old.token).json["data"]
        return [row["id"] for row in data]

    assert eventually(lambda: found("wilma")) == ["cus_4"]
    # What docs/upgrading.md says to do: the old code derived no search entries.
    assert found("yolanda") == []
    done = stack.run("infra.reindex")
    assert done.returncode == 0, done.stdout + done.stderr
    assert found("yolanda") == ["cus_2"]
    listed = stack.call("GET", "/v1/customers", token=old.token).json["page"]
    assert (listed["total"], listed["total_relation"]) == (4, "exact")


def test_the_schedule_goes_on_from_the_last_run_of_the_old_code(
    upgraded: tuple[Stack, Old],
) -> None:
    stack, old = upgraded
    assert client(stack.port, "events").list_rules()["Rules"] == [], "the rule is gone"
    (weekly,) = client(stack.port, "scheduler").list_schedules()["Schedules"]
    assert weekly["State"] == "ENABLED"
    _hold_worker(stack, old.names, enabled=True)

    # The run of before, delivered once more, orders nothing new; a later one finds the new lead.
    def jobs() -> set[str]:
        listed = stack.call("GET", "/v1/exports", token=old.token).json["data"]
        return {one["id"] for one in listed}

    before = jobs()
    assert set(_run_schedule(stack.port, old.names, "2026-11-23T11:00:00Z")) <= before
    _put(stack.port, old.names, _lead(2, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
    everybody, new = _run_schedule(stack.port, old.names, "2026-11-30T11:00:00Z")
    assert not {everybody, new} & before
    api = stack.facts["url"]
    assert _finished(stack, api, {"id": everybody}, old.token)["rows"] == 2
    assert _finished(stack, api, {"id": new}, old.token)["rows"] == 1
