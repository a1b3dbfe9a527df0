"""The page and its files, served from chalicelib/ui."""

import hashlib
import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.api.http import Answer, Call, serves
from chalicelib.errors import NotFoundError
from chalicelib.settings import origin, settings

_FOLDER = Path(__file__).parent.parent / "ui"
_PAGE = "index.html"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; connect-src 'self' "
)
ASK_EACH_TIME = {"Cache-Control": "no-cache"}
_KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}


@serves("get_page")
def get_page(call: Call) -> Answer:
    """The page. It talks to this API, and to the user pool for signing in; to nobody else."""
    addresses = (settings().sign_in_url, settings().token_keys_url)
    others = sorted({origin(address) for address in addresses if address})
    headers = {
        "Content-Security-Policy": _POLICY + " ".join(others),
        "Cross-Origin-Opener-Policy": "same-origin",
        **ASK_EACH_TIME,
    }
    return text_answer(call, _PAGE, page(), headers)


@serves("get_page_file")
def get_page_file(call: Call) -> Answer:
    """A file of the page as it is now."""
    name = call.parameters["file"]
    return text_answer(call, name, _file(name), ASK_EACH_TIME)


@serves("get_page_file_of_version")
def get_page_file_of_version(call: Call) -> Answer:
    """A file of this version of the page, to be kept; of another version there is nothing here.

    A page that was open across a deployment gets no module and no words that do not fit its own.
    """
    name, wanted = call.parameters["file"], call.parameters["version"]
    if wanted != version():
        message = f"The page is not of the version {wanted} any more: load it again"
        raise NotFoundError(message)
    return text_answer(call, name, _file(name), _KEEP)


def text_answer(call: Call, name: str, text: str, headers: Mapping[str, str]) -> Answer:
    """The text, or 304 to whoever has it (RFC 9110, 13.1.2)."""
    content_type = f"{mimetypes.guess_type(name)[0] or 'text/plain'}; charset=utf-8"
    etag = f'"{_digest(text)}"'
    known = {one.strip().removeprefix("W/") for one in call.parameters["If-None-Match"].split(",")}
    status = 304 if known & {etag, "*"} else 200
    body = "" if status == 304 else text  # noqa: PLR2004
    return Answer(body, status, {**headers, "Content-Type": content_type, "ETag": etag})


def page() -> str:
    """The page itself, which asks for the files of this version.

    Their addresses begin at the root, for that of the page may lack its last slash.
    """
    base = urlsplit(settings().public_url).path.rstrip("/")
    return _texts()[_PAGE].replace('="ui/', f'="{base}/ui/').replace("{version}", version())


def _file(name: str) -> str:
    text = None if name == _PAGE else _texts().get(name)
    if text is None:
        message = f"There is no file {name}"
        raise NotFoundError(message)
    return text


@cache
def version() -> str:
    """What the page is of: another one as soon as one of its files is."""
    return _digest("\0".join(part for item in sorted(_texts().items()) for part in item))


@cache
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _texts() -> dict[str, str]:
    """The text of every file by its name. Read once; no path comes from outside."""
    return {path.name: path.read_text("utf-8") for path in _FOLDER.iterdir() if path.is_file()}
