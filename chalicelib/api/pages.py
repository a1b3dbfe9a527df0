"""The page and its files, served from chalicelib/ui."""

import hashlib
import json
import mimetypes
import re
from functools import cache
from pathlib import Path

from chalicelib.api.http import Answer, Call, serves
from chalicelib.errors import NotFoundError
from chalicelib.settings import origin, settings

_FOLDER = Path(__file__).parent.parent / "ui"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; connect-src 'self' "
)


@serves("get_page")
def get_page(call: Call) -> Answer:  # noqa: ARG001 - a view
    """The page. It talks to this API, and to the user pool for signing in; to nobody else."""
    addresses = (settings().sign_in_url, settings().token_keys_url)
    others = sorted({origin(address) for address in addresses if address})
    headers = {
        "Content-Security-Policy": _POLICY + " ".join(others),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
    return _file("index.html", headers)


@serves("get_page_file")
def get_page_file(call: Call) -> Answer:
    """A file of the page. Nobody keeps it unasked: modules of two versions do not fit together."""
    return _file(call.parameters["file"], {"Cache-Control": "no-cache"})


def _file(name: str, headers: dict[str, str]) -> Answer:
    found = _files().get(name)
    if found is None:
        message = f"There is no file {name}"
        raise NotFoundError(message)
    text, etag = found
    content_type = mimetypes.guess_type(name)[0] or "text/plain"
    return Answer(
        text, headers={**headers, "Content-Type": f"{content_type}; charset=utf-8", "ETag": etag}
    )


@cache
def _files() -> dict[str, tuple[str, str]]:
    """Every file of the page: its text and its validator. Read once; no path comes from outside."""
    texts = {path.name: _slim(path) for path in _FOLDER.iterdir() if path.is_file()}
    return {
        name: (text, f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"')
        for name, text in texts.items()
    }


# Lines of comment and indentation: they are for whoever reads the sources, a third of their size.
_FOR_READERS = re.compile(r"^\s*(//.*|/\*.*|\* .*|\*/)?\n|^[ \t]+", re.MULTILINE)
# Blanks and ends of lines at a bracket, ends after `,` and `;`, and a comma before a bracket.
_BLANKS_OF_CODE = re.compile(r",?\s+(?=[})\]])|(?<=[{(\[])\s+|(?<=[,;])\n")
_BLANKS_OF_STYLE = re.compile(r"(?<=[{};,:])\s|\s(?=\{)|;?\s(?=\})")


def _slim(path: Path) -> str:
    """The text of the file without what is for readers alone."""
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    text = _FOR_READERS.sub("", text)
    needless = {".css": _BLANKS_OF_STYLE, ".js": _BLANKS_OF_CODE}.get(path.suffix)
    return needless.sub("", text) if needless else text
