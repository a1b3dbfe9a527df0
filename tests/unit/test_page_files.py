"""The files of the page: their words, and what may not stand in them."""

import json
import re

import pytest

from infra.package import ROOT
from infra.page import minified

_UI = ROOT / "chalicelib" / "ui"
_MODULES = sorted(_UI.glob("*.js"))
_CODE = {path.name: path.read_text() for path in _MODULES}
_COMMENT = re.compile(r"^\s*(//|/\*\*|\*).*$", re.MULTILINE)
_CLASSES = re.compile(r'class: ("[^"]*"|`[^`]*`)')
_LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
_PATTERN = re.compile(r"(?<=[(=!])\s?(/(?![/*])(?:[^/\\\n]|\\.)+/[gu]*)(?=[.,;)])")

# Literals that hold a blank or a capital and are not for people: names that browsers, HTTP and
# the user pool know; plans that the shop sells, which are names; lists of classes.
_TECHNICAL = re.compile(
    r"^(AbortError|Arrow(Left|Right)|AWSCognito.*|Authorization|Bearer .*|Content-Type|DELETE|"
    r"Enter|Esc|GET|HEAD|Idempotency-Key|If-Match|GetTokensFromRefreshToken|NFKD|POST|PUT|"
    r"RevokeToken|S256|SHA-256|UTC|X-Amz-Target|"
    r"TooManyRequests|large exports|dialog\[open\] .*|input, textarea, select|textarea, input|"
    r"script\[src\$='/main\.js'\]|:hover, :focus-within|button\.main, textarea|"
    r":scope > button|0 0 16 16|M\d.*)$"
)


def _catalogue(language: str) -> dict[str, str]:
    words: dict[str, str] = json.loads((_UI / f"{language}.json").read_text())
    return words


def _literals(name: str) -> list[str]:
    code = _CLASSES.sub("", _COMMENT.sub("", _CODE[name]))
    return [plain or template for plain, template in _LITERAL.findall(code)]


def _wanted() -> tuple[set[str], set[str]]:
    """The keys that the code asks for, and the beginnings of those that it puts together."""
    code = "\n".join(_COMMENT.sub("", text) for text in _CODE.values())
    known = set(_catalogue("es"))
    every = {literal for name in _CODE for literal in _literals(name)}
    asked = set(re.findall(r'\bt\("([^"]+)"', code))
    begun = set(re.findall(r"`([a-z_.]+[.])\$\{", code))
    begun |= {f"{group}." for group in re.findall(r'\b(?:term|state)\("([a-z_]+)"', code)}
    begun |= {
        f"{group}." for group in re.findall(r"^  (\w+): \[\"", _CODE["filters.js"], re.MULTILINE)
    }
    return asked | (every & known), begun


def test_no_key_is_missing_in_a_language() -> None:
    assert _catalogue("es").keys() == _catalogue("en").keys()
    asked, begun = _wanted()
    assert asked <= _catalogue("es").keys()
    for beginning in begun - {"v1."}:
        assert any(key.startswith(beginning) for key in _catalogue("es")), beginning


def test_no_key_is_unused() -> None:
    asked, begun = _wanted()
    unused = {key for key in _catalogue("es").keys() - asked if not key.startswith(tuple(begun))}
    assert unused == set()


def test_each_language_takes_the_same_values_and_leaves_nothing_empty() -> None:
    spanish, english = _catalogue("es"), _catalogue("en")
    for key, words in spanish.items():
        assert words.strip()
        assert english[key].strip()
        assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", english[key])), key
        assert words.count(" | ") == english[key].count(" | "), key


@pytest.mark.parametrize("name", sorted(_CODE))
def test_no_text_for_people_stands_in_the_code(name: str) -> None:
    words = re.compile(r"[^\W\d_]{2,} [^\W\d_]{2,}|^[A-ZÀ-Þ¿¡][^\W\d_]+|[À-ɏ]")
    suspects = [
        literal
        for literal in _literals(name)
        if words.search(re.sub(r"\$\{[^}]*\}", "", literal)) and not _TECHNICAL.match(literal)
    ]
    assert suspects == []


def test_index_holds_no_text_but_the_name_and_what_is_said_where_nothing_loads() -> None:
    text = re.sub(r"<[^>]*>", "", (_UI / "index.html").read_text()).split("\n")
    assert [line for line in text if line.strip()] == [
        "Store Users",
        "Store Users no se ha podido cargar. Store Users could not be loaded.",
        "Reintentar · Try again",
        "Store Users necesita JavaScript. Store Users needs JavaScript.",
    ]


@pytest.mark.parametrize("name", sorted(_CODE))
def test_modules_are_small_and_write_no_html(name: str) -> None:
    code = _CODE[name]
    assert code.count("\n") <= 250
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    assert not re.search(forbidden, code)
    assert "console." not in code


@pytest.mark.parametrize("name", sorted(_CODE))
def test_no_template_stands_within_another(name: str) -> None:
    """The minifier takes the inner one for code, and its blanks for needless."""
    code = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', _COMMENT.sub("", _CODE[name]))
    open_at: list[int] = []
    depth = 0
    for sign in re.findall(r"\\.|`|\$\{|\{|\}", code):
        if sign == "`" and open_at[-1:] == [depth]:
            open_at.pop()
        elif sign == "`":
            assert not open_at
            open_at.append(depth)
        elif sign in {"${", "{"} and (sign == "${" or open_at[-1:] != [depth]):
            depth += 1
        elif sign == "}" and open_at[-1:] != [depth]:
            depth -= 1


@pytest.mark.parametrize("name", sorted(_CODE))
def test_minifying_leaves_every_literal_as_it_was_written(name: str) -> None:
    code = _COMMENT.sub("", _CODE[name])
    small = minified(name, _CODE[name])
    assert len(small) < len(code)
    assert _LITERAL.findall(small) == _LITERAL.findall(code)
    assert _PATTERN.findall(small) == _PATTERN.findall(code)
    assert not _COMMENT.search(small)


def test_minifying_leaves_every_word_and_every_selector() -> None:
    for language in ("es", "en"):
        name = f"{language}.json"
        small = minified(name, (_UI / name).read_text())
        assert json.loads(small) == _catalogue(language)
    style = (_UI / "style.css").read_text()
    small = minified("style.css", style)
    marks = re.compile(r'content: ?(".*?"[^;}]*?)[;} ]*[;}]')
    assert [mark.replace(" / ", "/") for mark in marks.findall(style)] == [
        mark.replace(" / ", "/") for mark in marks.findall(small)
    ]
    assert small.count("{") == style.count("{")


def test_every_module_is_asked_for_at_once() -> None:
    """Where the API runs from the sources: the package has them in one."""
    index = (_UI / "index.html").read_text()
    kept = re.findall(r'(?:modulepreload" href|src)="ui/versions/\{version\}/(\w+\.js)"', index)
    assert {*kept, "stuck.js"} == set(_CODE)
    assert len(kept) == len(_CODE) - 1
