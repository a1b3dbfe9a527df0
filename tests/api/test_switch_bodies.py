"""What is sent to the switch: every fault of a body, and bodies that are none."""

import json
import re
import sys
import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.api import openapi, reasons
from infra.gateway_shim import EVENT_BYTES, REQUEST_BYTES
from tests.api.client import Client
from tests.builders import ECOSYSTEM, customer, save

REASON = "Privacy incident 4711"
MISSING = "'reason' is a required property"
ACCESSES = "['active', 'suspended']"

FAULTY: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "no reason": ({"access": "suspended"}, [("", MISSING)]),
    "no access": ({"reason": REASON}, [("", "'access' is a required property")]),
    "nothing": ({}, [("", "'access' is a required property")]),
    "two characters": (
        {"access": "suspended", "reason": "no"},
        [("reason", "'no' is too short")],
    ),
    "two characters to activate": (
        {"access": "active", "reason": "no"},
        [("reason", "'no' is too short")],
    ),
    "no characters": (
        {"access": "suspended", "reason": ""},
        [("reason", "'' is too short"), ("reason", "'' does not match")],
    ),
    "501 characters": (
        {"access": "suspended", "reason": "x" * 501},
        [("reason", f"'{'x' * 299}")],
    ),
    "blanks only": (
        {"access": "suspended", "reason": " \t\n\u00a0\u2003 "},
        [("reason", "' \\t\\n\\xa0\\u2003 ' does not match")],
    ),
    "blanks only to activate": (
        {"access": "active", "reason": "   "},
        [("reason", "'   ' does not match")],
    ),
    "nothing to be seen": (
        {"access": "suspended", "reason": "\u200b\u00ad\ufeff\u2060"},
        [("reason", "'\\u200b\\xad\\ufeff\\u2060' does not match")],
    ),
    "a control character": (
        {"access": "suspended", "reason": f"{REASON}\x00"},
        [("reason", "'Privacy incident 4711\\x00' does not match")],
    ),
    "an escape of terminals": (
        {"access": "suspended", "reason": "\x1b[2Jforged"},
        [("reason", "'\\x1b[2Jforged' does not match")],
    ),
    "text that turns around": (
        {"access": "suspended", "reason": "\u202e1174 tnedicni"},
        [("reason", "'\\u202e1174 tnedicni' does not match")],
    ),
    "a line of its own": (
        {"access": "suspended", "reason": "harmless\u2028by: somebody else"},
        [("reason", "'harmless\\u2028by: somebody else' does not match")],
    ),
    "an unknown member": (
        {"access": "active", "force": True},
        [("", "Additional properties are not allowed ('force' was unexpected)")],
    ),
    "another access": (
        {"access": "off", "reason": REASON},
        [("access", f"'off' is not one of {ACCESSES}")],
    ),
    "access in capitals": (
        {"access": "SUSPENDED", "reason": REASON},
        [("access", f"'SUSPENDED' is not one of {ACCESSES}")],
    ),
    "access is a truth": (
        {"access": False, "reason": REASON},
        [
            ("access", "False is not of type 'string'"),
            ("access", f"False is not one of {ACCESSES}"),
        ],
    ),
    "access is null": (
        {"access": None},
        [
            ("access", "None is not of type 'string'"),
            ("access", f"None is not one of {ACCESSES}"),
        ],
    ),
    "reason is null": (
        {"access": "suspended", "reason": None},
        [("reason", "None is not of type 'string'")],
    ),
    "reason is a number": (
        {"access": "suspended", "reason": 4711},
        [("reason", "4711 is not of type 'string'")],
    ),
    "reason is a list": (
        {"access": "suspended", "reason": [REASON]},
        [("reason", f"['{REASON}'] is not of type 'string'")],
    ),
    "a list": ([{"access": "active"}], [("", "[{'access': 'active'}] is not of type 'object'")]),
    "a text": ("active", [("", "'active' is not of type 'object'")]),
    "a number": (7, [("", "7 is not of type 'object'")]),
    "true": (True, [("", "True is not of type 'object'")]),
}
NO_JSON = "is not JSON in UTF-8"
NOT_JSON: dict[str, bytes] = {
    "no JSON": b"access=suspended",
    "JSON cut short": b'{"access": "active"',
    "JSON and more": b'{"access": "active"} {}',
    "single quotes": b"{'access': 'active'}",
    "a comma too many": b'{"access": "active",}',
    "NaN": b'{"access": "active", "reason": NaN}',
    "infinity": b'{"access": "active", "reason": -Infinity}',
    "a lone surrogate": b'{"access": "suspended", "reason": "Incident \\ud800"}',
    "surrogates the wrong way round": b'{"access": "suspended", "reason": "\\udc00\\ud800"}',
    "a byte order mark": b'\xef\xbb\xbf{"access": "active"}',
    "blanks": b"   ",
    "a raw line end in a text": b'{"access": "suspended", "reason": "one\ntwo"}',
    "5,000 digits": b'{"access": "active", "reason": ' + b"9" * 5_000 + b"}",
    "an escape that is none": b'{"access": "suspended", "reason": "\\x41bc"}',
}
DEPTHS = [21, 100, 300, 450, 490, 600, 900, 1_000, 2_000, 8_000]


def _faults(edge: Client, body: Any, **headers: str) -> list[tuple[str, str]]:
    answer = edge.switch(body, headers=headers)
    assert (answer.status, answer.problem) == (400, "invalid-request"), answer.body
    assert {one["in"] for one in answer.json["errors"]} == {"body"}
    return [(one["name"], one["detail"]) for one in answer.json["errors"]]


@pytest.mark.parametrize("kind", FAULTY)
def test_a_body_that_does_not_fit_is_told_what_is_wrong(edge: Client, kind: str) -> None:
    body, faults = FAULTY[kind]
    found = sorted(_faults(edge, body))
    assert [name for name, _ in found] == sorted(name for name, _ in faults)
    for (_, said), (_, expected) in zip(found, sorted(faults), strict=True):
        assert said.startswith(expected)


def test_every_fault_of_a_body_is_listed(edge: Client) -> None:
    found = _faults(edge, {"access": "off", "reason": "x", "a": 1, "b": 2})
    assert sorted(found) == [
        ("", "Additional properties are not allowed ('a', 'b' were unexpected)"),
        ("access", f"'off' is not one of {ACCESSES}"),
        ("reason", "'x' is too short"),
    ]


@pytest.mark.parametrize("kind", NOT_JSON)
def test_what_is_no_json_is_refused(edge: Client, kind: str) -> None:
    assert _faults(edge, NOT_JSON[kind]) == [("", NO_JSON)]


def test_a_member_that_is_there_twice_is_refused_since_either_could_be_meant(api: Client) -> None:
    save(customer())
    for body in (
        b'{"access": "active", "access": "suspended", "reason": "which one?"}',
        b'{"access": "suspended", "reason": "one reason", "reason": "another reason"}',
    ):
        assert api.switch(body).status == 400
    assert api.get("/v1/customers/cus_0042").json["access"] == "active"


def test_no_body_is_a_fault(edge: Client) -> None:
    assert _faults(edge, b"") == [("", "is missing")]
    assert _faults(edge, None) == [("", "is missing")]


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deep_body_is_refused_however_deep(edge: Client, depth: int) -> None:
    for before, after in ((b"[", b"]"), (b'{"a":', b"}")):
        middle = b"" if before == b"[" else b"1"
        body = before * depth + middle + after * depth
        if len(body) <= 16_384:
            ((_, detail),) = _faults(edge, body)
            assert detail in {"is nested deeper than 20", NO_JSON}


@pytest.mark.parametrize("base64_body", [True, False])
def test_broken_utf_8_is_refused(edge: Client, *, base64_body: bool) -> None:
    """Where API Gateway passes text, it has put U+FFFD in the place of what was broken."""
    headers = {
        "Authorization": f"Bearer {edge.token('support')}",
        "If-Match": '"7"',
        "Content-Type": "application/json",
    }
    for broken in (b"\xff", b"\xc3(", b"\xed\xa0\x80"):
        answer = edge.gateway.send(
            "PUT",
            "/v1/customers/cus_0042/access",
            headers,
            b'{"access": "suspended", "reason": "' + broken + b'xx"}',
            base64_body=base64_body,
        )
        assert (answer.status, answer.problem) == (400, "invalid-request")


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded"),
        *("multipart/form-data; boundary=x", "application/xml", "application/jsonp", "*/*"),
        *("application/octet-stream", "application/merge-patch+json", "json", "text/json"),
    ],
)
def test_another_content_type_is_refused(edge: Client, content_type: str) -> None:
    answer = edge.switch({"access": "active"}, headers={"Content-Type": content_type})
    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "content_type",
    [
        *("application/json", "application/json; charset=utf-8", "Application/JSON", ""),
        *("application/json;charset=UTF-8", " application/json ; charset=utf-8"),
    ],
)
def test_json_may_be_announced_in_several_ways_or_not_at_all(
    edge: Client, content_type: str
) -> None:
    assert _faults(edge, {}, **{"Content-Type": content_type}) == [
        ("", "'access' is a required property")
    ]


@pytest.mark.parametrize("size", [16_385, 100_000, EVENT_BYTES - 10_000])
def test_a_large_body_is_refused_unread(edge: Client, size: int) -> None:
    start = b'{"access": "suspended", "reason": "'
    body = start + b"x" * (size - len(start) - 2) + b'"}'
    assert len(body) == size
    answer = edge.switch(body)
    assert (answer.status, answer.problem) == (413, "payload-too-large")
    assert not answer.by_gateway


@pytest.mark.parametrize("size", [EVENT_BYTES, REQUEST_BYTES, REQUEST_BYTES + 1])
def test_what_api_gateway_or_lambda_does_not_take_is_refused_in_other_words(
    edge: Client, size: int
) -> None:
    """That 413 cannot be customized: no problem, and no header for other origins."""
    answer = edge.switch(b"x" * size)
    assert (answer.status, answer.by_gateway) == (413, True)
    assert answer.headers == {"content-type": "application/json"}
    assert "type" not in answer.json


def test_a_body_of_the_greatest_size_is_read(edge: Client) -> None:
    body = json.dumps({"access": "active"}).encode()
    padded = body + b" " * (16_384 - len(body) - 5) + b"oops!"
    assert _faults(edge, padded) == [("", NO_JSON)]


# Blanks, fillers, joiners, selectors, invisible operators, tags: letters, marks and symbols among
# them, as Unicode sorts them. The last are not assigned yet, and will be of their kind.
UNSEEN = [
    *("\u0020", "\u00a0", "\u00ad", "\u034f", "\u115f", "\u1160", "\u17b4", "\u180b", "\u180e"),
    *("\u180f", "\u2003", "\u200b", "\u200c", "\u200d", "\u2060", "\u2061", "\u2064", "\u2065"),
    *("\u2800", "\u3000", "\u3164", "\ufe00", "\ufe0f", "\ufeff", "\uffa0", "\ufff9", "\ufffb"),
    *("\U00016fe4", "\U0001bca0", "\U0001d159", "\U0001d173", "\U000e0001", "\U000e0020"),
    *("\U000e0100", "\ufff0", "\U000e0fff"),
]
DECEIVING = [
    *("\u0000", "\u001b", "\u0085", "\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a"),
    *("\u202e", "\u2066", "\u2069", "\u206a", "\u206e", "\u206f", "\ufffd"),
]
# Format characters that are drawn, as a sign under digits or above them.
DRAWN = {
    *range(0x600, 0x606),
    *(0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD),
}


def _is_refused(edge: Client, reason: str) -> bool:
    """Whether it is among the faults of a body that has another one in any case."""
    faults = _faults(edge, {"access": "suspended", "reason": reason, "force": True})
    details = [detail for name, detail in faults if name == "reason"]
    assert all("does not match" in detail for detail in details)
    assert len(faults) == 1 + len(details)
    return bool(details)


def _named(characters: list[str]) -> list[Any]:
    return [pytest.param(one, id=f"U+{ord(one):04X}") for one in characters]


@pytest.mark.parametrize("character", _named(UNSEEN))
def test_a_reason_of_what_is_not_seen_is_none(edge: Client, character: str) -> None:
    assert _is_refused(edge, character * 3)
    assert _is_refused(edge, f" {character}\t{character}\u3164")
    assert not _is_refused(edge, f"{character}x{character}")


@pytest.mark.parametrize("character", _named(DECEIVING))
def test_a_reason_holds_nothing_that_makes_it_read_as_another(edge: Client, character: str) -> None:
    for reason in (character * 3, f"{character}{REASON}", f"a{character}b", f"{REASON}{character}"):
        assert _is_refused(edge, reason)


def test_no_blank_and_no_format_character_makes_a_reason() -> None:
    """Every one that this Python's Unicode knows."""
    pattern = re.compile(reasons.EXACT_PATTERN)
    invisible = [
        number
        for number in range(sys.maxunicode + 1)
        if unicodedata.category(chr(number)) in {"Cc", "Cf", "Zl", "Zp", "Zs"}
    ]
    assert len(invisible) > 200
    assert {number for number in invisible if pattern.match(chr(number) * 3)} == DRAWN


def test_the_pattern_of_the_document_refuses_no_reason_that_the_server_takes() -> None:
    schemas: Any = openapi.document()["components"]["schemas"]
    portable = re.compile(schemas["AccessUpdate"]["properties"]["reason"]["pattern"])
    exact = re.compile(reasons.EXACT_PATTERN)
    for number in range(sys.maxunicode + 1):
        for reason in (chr(number) * 3, f"a{chr(number)}b", f"{chr(number)}ab"):
            assert portable.match(reason) or not exact.match(reason), f"U+{number:04X}"
    assert not portable.match("   ")
    assert not portable.match("a\x1bb")


def test_a_reason_is_kept_to_the_letter(api: Client) -> None:
    reasons = [
        *("abc", "x" * 500, "🏥" * 500, "  ok", "línea 1\nlínea 2", '<b>"=1+1"</b>', "tab\there"),
        *("Incidente de privacidad nº 4711, según la clínica", "حادثة خصوصية ٤٧١١", "隐私事件"),
        *(
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u062f",
            "한국어",
            "👩🏽\u200d⚕\ufe0f dice no",
        ),
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ]
    for number, reason in enumerate(reasons):
        user_id = f"cus_{number}"
        save(customer(user_id, ecosystem=replace(ECOSYSTEM, id=f"eco_{number}")))
        answer = api.switch({"access": "suspended", "reason": reason}, user_id=user_id)
        assert answer.json["access_change"]["reason"] == reason
        (entry,) = api.get(f"/v1/customers/{user_id}/access/history").json["data"]
        assert entry["reason"] == reason
