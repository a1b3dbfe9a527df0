"""Text stays text: in headers, in the log, in the cells of files."""

import json
from urllib.parse import quote

import pytest

from tests.api.client import Client
from tests.api.conftest import Logs
from tests.api.exports import order_export, run_exports
from tests.builders import ECOSYSTEM, customer, save
from tests.exporting import content, stored_job
from tests.workbooks import Book, csv_rows

BROKEN_LINES = [
    "x\r\nSet-Cookie: role=admin",
    'x\n{"level": "ERROR", "event": "forged"}',
    "x\u2028forged",
    "x\x1b[2Jforged",
    'x", "event": "forged',
]


@pytest.mark.parametrize("text", BROKEN_LINES)
def test_no_text_begins_a_header_or_a_line_of_the_log(api: Client, logs: Logs, text: str) -> None:
    save(customer())
    logs()
    answers = [
        api.get("/v1/customers", q=text, limit=1),
        api.get(f"/v1/customers/{quote(text)}"),
        api.get("/v1/customers", **{text: "1"}),
        api.switch({"access": "suspended", "reason": text}),
        api.call("GET", "/v1/customers", headers={"User-Agent": text, "Origin": text}),
        api.order(text, {"resource": "leads"}),
    ]
    lines = logs()
    assert [line["event"] for line in lines] == ["request"] * len(answers)
    assert [line["status"] for line in lines] == [answer.status for answer in answers]
    assert "forged" not in json.dumps(lines)
    assert "Set-Cookie" not in json.dumps(lines)
    for answer in answers:
        assert "set-cookie" not in answer.headers
        assert not any("\n" in value or "\r" in value for value in answer.headers.values())


FORMULAS = ["=1+1", '=HYPERLINK("//evil.example")', "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1"]


@pytest.mark.parametrize("format_", ["xlsx", "csv"])
def test_no_cell_of_a_file_is_a_formula(api: Client, format_: str) -> None:
    for number, text in enumerate(FORMULAS):
        save(
            customer(
                f"cus_{number}",
                first_name=text,
                last_name=text,
                company_email=text,
                company_name=text,
                phone_number=text,
                ecosystem=ECOSYSTEM.__class__(f"eco_{number}", text, "2026-03-04T10:00:00Z"),
            )
        )
    export_id = order_export(api, "customers", format=format_)
    run_exports()
    job = stored_job({"job": {"id": {"S": export_id}}})
    whole = content(job)
    rows = csv_rows(whole) if format_ == "csv" else Book(whole).rows()
    assert len(rows) == len(FORMULAS) + 1
    if format_ == "xlsx":
        assert not any(cell.data_type == "f" for row in Book(whole).openpyxl().rows for cell in row)
        return
    cells = [cell for row in rows[1:] for cell in row]
    assert not [cell for cell in cells if cell[:1] in {"=", "@", "\t", "\r", "-"}]
    assert not [cell for cell in cells if cell[:1] == "+" and not cell[1:2].isdigit()]
