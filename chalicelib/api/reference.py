"""The page of API documentation: Swagger UI over the document, served from chalicelib/reference."""

from functools import cache
from pathlib import Path

from chalicelib.api.http import Answer, Call, serves
from chalicelib.api.pages import ASK_EACH_TIME, text_answer
from chalicelib.errors import NotFoundError

_FOLDER = Path(__file__).parent.parent / "reference"
_PAGE = "index.html"
_FILES = frozenset({"reference.js", "swagger-ui-bundle.js", "swagger-ui.css", "license.txt"})
# As strict as that of the page for staff, but for two policies of Trusted Types: Swagger UI writes
# HTML, which the default policy of reference.js looks through, and cleans it with DOMPurify.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types default dompurify"
)


@serves("get_reference")
def get_reference(call: Call) -> Answer:
    """The page. It talks to this API alone."""
    headers = {
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        **ASK_EACH_TIME,
    }
    return text_answer(call, _PAGE, _text(_PAGE), headers)


@serves("get_reference_file")
def get_reference_file(call: Call) -> Answer:
    """One of its files."""
    name = call.parameters["file"]
    if name not in _FILES or not (_FOLDER / name).exists():
        message = f"There is no file {name}; those of Swagger UI come with `make package`"
        raise NotFoundError(message)
    return text_answer(call, name, _text(name), ASK_EACH_TIME)


@cache
def _text(name: str) -> str:
    """The text of the file. Read once, when it is asked for: no cold start waits for it."""
    return (_FOLDER / name).read_text("utf-8")
