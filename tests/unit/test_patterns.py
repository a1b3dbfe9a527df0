"""Regular expressions of ours take no more steps than the text has characters, or a few times so.

What makes them explode is a repetition within a repetition, or two repetitions side by side that
can both take the same text. Python's own parser tells where there are any.
"""

import ast
import json
import re
import string
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined] # not in its stubs
from re import _parser as parser  # type: ignore[attr-defined] # as above
from typing import Any

import pytest

from chalicelib.api import openapi
from infra.package import ROOT

_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)
_MANY = 100
"""A repetition that ends below this is not one."""

_ALPHABET = [*string.printable, "é", "\ufffd", "\ud800"]


def _patterns() -> Iterator[str]:
    for folder in ("chalicelib", "infra"):
        for path in (ROOT / folder).rglob("*.py"):
            yield from _compiled_in(path.read_text())
    yield from _in_schema(openapi.document())


def _compiled_in(text: str) -> Iterator[str]:
    """The patterns that are written out in calls of `re`; parts that are put in are left out."""
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
            continue
        pattern = node.args[0] if node.args else None
        if isinstance(pattern, ast.Constant):
            value = pattern.value
            yield value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _in_schema(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for inner in part.values():
            yield from _in_schema(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _in_schema(inner)


def explodes(pattern: str) -> bool:
    """Whether there is a text on which the pattern may take many times its length."""
    return _is_dangerous(parser.parse(pattern), inside=False)


def _is_dangerous(sequence: Any, *, inside: bool) -> bool:
    before: set[str] = set()
    for code, argument in sequence:
        takes: set[str] = set()
        if code in _REPEATS:
            _, most, inner = argument
            is_long = most >= _MANY
            if _is_dangerous(inner, inside=inside or is_long) or (inside and is_long):
                return True
            takes = _first(inner) if is_long else set()
        elif any(_is_dangerous(part, inside=inside) for part in _parts(code, argument)):
            return True
        if before & takes:
            return True
        if code not in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
            before = takes
    return False


def _parts(code: Any, argument: Any) -> list[Any]:
    if code is codes.SUBPATTERN:
        return [argument[-1]]
    if code is codes.BRANCH:
        return list(argument[1])
    return [argument[1]] if code in (codes.ASSERT, codes.ASSERT_NOT) else []


def _first(sequence: Any) -> set[str]:
    """The characters with which what is repeated can begin, of some that stand for all."""
    begins = parser.SubPattern(parser.State(), list(sequence)[:1])
    if not begins:
        return set()
    code, argument = begins[0]
    if code is codes.SUBPATTERN:
        return _first(argument[-1])
    if code is codes.BRANCH:
        return set().union(*(_first(part) for part in argument[1]))
    if code in _REPEATS:
        return _first(argument[2])
    return {one for one in _ALPHABET if _takes(code, argument, one)}


def _takes(code: Any, argument: Any, character: str) -> bool:
    if code is codes.ANY:
        return character != "\n"
    if code is codes.LITERAL:
        return bool(ord(character) == argument)
    if code is codes.NOT_LITERAL:
        return bool(ord(character) != argument)
    negated = (codes.NEGATE, None) in argument
    found = any(_is_in(one, value, character) for one, value in argument if one != codes.NEGATE)
    return bool(found != negated)


def _is_in(code: Any, value: Any, character: str) -> bool:
    if code is codes.LITERAL:
        return bool(ord(character) == value)
    if code is codes.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    classes = {
        codes.CATEGORY_DIGIT: r"\d",
        codes.CATEGORY_NOT_DIGIT: r"\D",
        codes.CATEGORY_SPACE: r"\s",
        codes.CATEGORY_NOT_SPACE: r"\S",
        codes.CATEGORY_WORD: r"\w",
        codes.CATEGORY_NOT_WORD: r"\W",
    }
    return re.match(classes[value], character) is not None


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a*)*b", "(a|b+)*", r"\d+\d+", r"\s*\s+x", "[a-z]+[a-m]*!", r"(\w+\s?)*$", ".*.*="],
)
def test_a_pattern_that_explodes_is_found(pattern: str) -> None:
    assert explodes(pattern)


@pytest.mark.parametrize("pattern", ["a+b+", r"\s*[^\s][^x]{0,9}", "[a-z]{1,64}", "(?:ab)+c*"])
def test_a_pattern_that_does_not_is_let_pass(pattern: str) -> None:
    assert not explodes(pattern)


def test_no_pattern_of_ours_explodes() -> None:
    found = sorted(set(_patterns()))
    assert len(found) > 15
    assert json.dumps(r"^[A-Za-z0-9_\-]{1,64}$") in map(json.dumps, found)
    assert [pattern for pattern in found if explodes(pattern)] == []
