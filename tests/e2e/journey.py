"""Steps that people and events make on the running stack, each for a call that a role allows."""

import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.users.item import to_item
from chalicelib.users.model import Ecosystem
from tests.builders import customer
from tests.e2e.conftest import Stack

_NAMES = ("first_name", "last_name", "company_name", "company_email", "phone_number")


class Journey:
    """What people and events have the functions do. Each step raises `AssertionError` or not."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.token = stack.token("admin")
        self.functions = stack.facts["functions"]

    # Over HTTP.

    def deep_health(self) -> None:
        self._ask("GET", "/v1/health")

    def lists(self) -> None:
        self._ask("GET", "/v1/customers?limit=1")

    def totals(self) -> None:
        self._ask("GET", "/v1/totals?list=customers&from=2026-01-01&to=2026-01-31")

    def search(self) -> None:
        assert self._ask("GET", "/v1/customers?q=an&limit=1")["data"]

    def switch(self) -> None:
        """Suspend, and lift it again."""
        path = f"/v1/customers/{self._deployed()}"
        for access in ("suspended", "active"):
            headers = {"If-Match": f'"{self._ask("GET", path)["version"]}"'}
            body = {"access": access, "reason": "Privacy 4711"}
            self._ask("PUT", f"{path}/access", body, headers)

    def history(self) -> None:
        self._ask("GET", f"/v1/customers/{self._deployed()}/access/history")

    def exports(self) -> None:
        self._ask("GET", "/v1/exports")

    def order(self) -> None:
        self._ask("DELETE", f"/v1/exports/{self._order()['id']}")

    def delete(self) -> None:
        job, s3, bucket = self._order(), self.stack.client("s3"), self.stack.facts["bucket"]
        key = f"exports/{job['id']}/left.xlsx"
        s3.put_object(Bucket=bucket, Key=key, Body=b".")
        s3.create_multipart_upload(Bucket=bucket, Key=key)
        try:
            self._ask("DELETE", f"/v1/exports/{job['id']}")
            assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")
            assert not s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents")
        finally:
            for one in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
                s3.abort_multipart_upload(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])

    def download(self) -> None:
        job = self._order()
        try:
            self._work(job)
            link = self._ask("GET", f"/v1/exports/{job['id']}")["download_url"]
            assert self.stack.call("GET", link).status == 200
        finally:
            self._ask("DELETE", f"/v1/exports/{job['id']}")

    # The other functions, called as Lambda calls them.

    def export(self) -> None:
        job = self._order()
        try:
            self._work(job)
        finally:
            self._ask("DELETE", f"/v1/exports/{job['id']}")

    def exported_search(self) -> None:
        job = self._order({"q": "an"})
        try:
            self._work(job)
        finally:
            self._ask("DELETE", f"/v1/exports/{job['id']}")

    def unwritten_job(self) -> None:
        """The message of a job was sent, and the function that ordered it ended before it wrote."""
        job = self._order()
        key = {"id": {"S": job["id"]}}
        self._dynamodb().delete_item(TableName=self._table("exports"), Key=key)
        self._work(job)
        self._ask("DELETE", f"/v1/exports/{job['id']}")

    def scheduled(self) -> None:
        self._schedule()
        for body in self._messages():
            self._invoke("worker", {"Records": [_message(body)]})

    def ordered_by_schedule(self) -> None:
        self._messages()  # An order that failed can have left its message.
        self._schedule()
        assert sum("system schedule" in body for body in self._messages()) == 2

    def life(self) -> None:
        """A customer comes, is suspended, goes, and another takes over the ecosystem."""
        first, second, third, eco = (f"id_{uuid.uuid4().hex[:12]}" for _ in range(4))
        self._follow(first, Ecosystem(eco, "luna", None), access=None)
        self._follow(first, None)
        self._follow(first, Ecosystem(eco, "luna", None), access="suspended")
        self._follow(first, None, is_gone=True)
        self._follow(second, Ecosystem(eco, "luna", None), access=None)
        self._follow(second, None, is_gone=True)
        nameless: dict[str, Any] = dict.fromkeys(_NAMES, "")
        self._follow(third, None, **nameless)
        self._follow(third, None, is_gone=True)
        poison = {"eventID": "1", "eventName": "INSERT", "dynamodb": {"NewImage": {}}}
        sqs, url = self.stack.client("sqs"), self.stack.facts["dead_letters"]
        assert self._invoke("stream", {"Records": [poison]})["poisoned"] == 1
        letter = sqs.receive_message(QueueUrl=url)["Messages"][0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])

    def watched(self) -> None:
        keys = {"subject": {"S": "customer#cus_0042"}, "entry": {"S": "n0000000001"}}
        told = {"Keys": keys, "ApproximateCreationDateTime": int(time.time())}
        self._invoke("watch", {"Records": [{"eventName": "REMOVE", "dynamodb": told}]})

    def clean_up(self) -> None:
        """Delete the exports that wait for a message which a step took."""
        found = self._dynamodb().scan(
            TableName=self._table("exports"),
            FilterExpression="#status IN (:queued, :running) AND attribute_not_exists(deleted_at)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":queued": {"S": "queued"}, ":running": {"S": "running"}},
        )["Items"]
        for one in found:
            self._ask("DELETE", f"/v1/exports/{one['id']['S']}")

    # What the steps are made of.

    def _ask(self, method: str, path: str, body: Any = None, headers: Any = None) -> Any:
        reply = self.stack.call(method, path, token=self.token, body=body, headers=headers)
        assert reply.status < 300, (reply.status, reply.content)
        return reply.json if reply.content else None

    def _deployed(self) -> str:
        """A customer whose ecosystem is active; other tests switch `cus_0042`."""
        found = self._dynamodb().scan(
            TableName=self._table("users"),
            FilterExpression="attribute_exists(ecosystem) AND access = :active AND id <> :theirs",
            ExpressionAttributeValues={":active": {"S": "active"}, ":theirs": {"S": "cus_0042"}},
        )["Items"]
        ids: list[str] = [one["id"]["S"] for one in found]
        return min(ids)

    def _order(self, filters: Any = None) -> Any:
        """Order an export, whatever slots are taken: a step that failed holds one for minutes."""
        table, dynamodb = self._table("exports"), self._dynamodb()
        held = dynamodb.scan(TableName=table, FilterExpression="attribute_exists(slots)")["Items"]
        for one in held:
            dynamodb.delete_item(TableName=table, Key={"id": one["id"]})
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        body = {"resource": "leads", "filters": filters or {}}
        return self._ask("POST", "/v1/exports", body, headers)

    def _work(self, job: Any) -> None:
        for body in self._messages():
            if job["id"] in body:
                self._invoke("worker", {"Records": [_message(body)]})
        key = {"id": {"S": job["id"]}}
        kept = self._dynamodb().get_item(TableName=self._table("exports"), Key=key)["Item"]
        assert kept["status"]["S"] == "succeeded"

    def _messages(self) -> list[str]:
        sqs, url = self.stack.client("sqs"), self.stack.facts["queue"]
        bodies = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for one in found:
                bodies.append(one["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return bodies

    def _schedule(self) -> None:
        """Fire for an hour that was not fired for yet."""
        at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(hours=uuid.uuid4().int % 200_000)
        self._invoke("schedule", {"time": f"{at:%Y-%m-%dT%H:00:00Z}", "id": str(uuid.uuid4())})

    def _follow(
        self, user_id: str, ecosystem: Ecosystem | None, *, is_gone: bool = False, **changes: Any
    ) -> None:
        """Write the customer as the shop does, and hand the record to the function."""
        table, key = self._table("users"), {"id": {"S": user_id}}
        old = self._dynamodb().get_item(TableName=table, Key=key).get("Item")
        user = customer(user_id, ecosystem=ecosystem, version=0, **changes)
        new = None if is_gone else to_item(user)
        if new is None:
            self._dynamodb().delete_item(TableName=table, Key=key)
        else:
            self._dynamodb().put_item(TableName=table, Item=new)
        images = {"OldImage": old, "NewImage": new}
        told = {name: image for name, image in images.items() if image is not None}
        record = {"eventID": "1", "eventName": "MODIFY", "dynamodb": {"Keys": key, **told}}
        assert self._invoke("stream", {"Records": [record]})["poisoned"] == 0

    def _invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        answer = self.stack.client("lambda").invoke(
            FunctionName=self.functions[function], Payload=json.dumps(event).encode()
        )
        text = answer["Payload"].read()
        assert "FunctionError" not in answer, text
        return json.loads(text or b"null")

    def _dynamodb(self) -> Any:
        return self.stack.client("dynamodb")

    def _table(self, name: str) -> str:
        table: str = self.stack.facts["tables"][name]
        return table


def _message(body: str) -> dict[str, Any]:
    """A message of the queue as Lambda hands it over."""
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "none",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
