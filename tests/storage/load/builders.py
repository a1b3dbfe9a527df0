"""What the tests of loading share: files, rows, and answers of a store that is not well."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from chalicelib.users.model import Kind, StoreUser
from infra.load.columns import ALL
from infra.load.rows import Row
from infra.load.sources import RawRow

REGION = "us-east-1"
ENDPOINT = "https://dynamodb.us-east-1.amazonaws.com"
MOMENT = "2026-03-01T15:04:05Z"
HEADER = "id,kind,registered_at,first_name"


def stored_items(client: Any) -> dict[str, Any]:
    found = client.scan(TableName="users", ConsistentRead=True)["Items"]
    return {item["id"]["S"]: item for item in found}


def lead_row(name: str, **attributes: Any) -> Row:
    user = StoreUser(name, Kind.LEAD, "Ana", "", "", "", "", MOMENT, version=1)
    for attribute, value in attributes.items():
        object.__setattr__(user, attribute, value)
    return Row(RawRow(int(name.removeprefix("u")), (name,)), user, ALL)


def write_file(path: Path, rows: Sequence[Sequence[str]]) -> None:
    titles = HEADER.split(",")
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in [titles, *rows]:
            book.worksheets[0].append(list(row))
        book.save(path)
    elif path.suffix == ".jsonl":
        path.write_text(
            "".join(json.dumps(dict(zip(titles, row, strict=True))) + "\n" for row in rows)
        )
    else:
        path.write_text("".join(",".join(row) + "\n" for row in [titles, *rows]))


def refuse(client: Any, operation: str, error: str, times: int = -1, about: str = "") -> list[str]:
    """Answer requests that speak of `about` with an error, before they reach DynamoDB."""
    refused: list[str] = []

    def answer(params: Mapping[str, Any], **_: Any) -> tuple[AWSResponse, Any] | None:
        if len(refused) == times or about.encode() not in params["body"]:
            return None
        refused.append(error)
        parsed = {"Error": {"Code": error, "Message": "this is why"}}
        return AWSResponse(ENDPOINT, 400, HTTPHeaders(), None), parsed

    client.meta.events.register(f"before-call.dynamodb.{operation}", answer)
    return refused
