"""Opaque page cursors: bound to their query, and refused when anything about them is changed.

A position names a person's sort value, such as a folded name, and cursors travel in URLs, which
proxies and browsers keep. So they are encrypted (AES-GCM), with the query as associated data: a
forged, damaged or foreign cursor does not decrypt, and never reaches DynamoDB.
"""

import base64
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.errors import StaleCursorError
from chalicelib.keys import Key, key_ring

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "2"
_NONCE_BYTES = 12
_KEY_ID_CHARACTERS = 8
MAX_CHARACTERS = 3_000
"""A sort key of 1,024 bytes, encrypted and encoded, stays below."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows.

    `key`: the sort value and the id of the row that it lies next to, or () for the very end that
    one walks from. `forward`: whether the page lies behind it or before it. `start`: the number
    of rows before the place. `total`: how many rows were counted with the first page, if they
    were, and whether that was all.
    """

    key: tuple[str, ...]
    forward: bool
    start: int
    total: tuple[int, bool] | None = None


def encode(position: Position, query: str) -> str:
    """The cursor for `position` in the list that the text `query` describes."""
    key = key_ring().current()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    content = [position.key, position.forward, position.start, position.total]
    plain = json.dumps(content, ensure_ascii=False).encode()
    sealed = _cipher(key).encrypt(nonce, plain, query.encode())
    return _VERSION + key.id + base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def decode(cursor: str, query: str) -> Position:
    """The position that `cursor` holds.

    Raises `StaleCursorError` unless it was made here, for this very query, and is unchanged.
    """
    head = len(_VERSION) + _KEY_ID_CHARACTERS
    if len(cursor) > MAX_CHARACTERS or not cursor.startswith(_VERSION):
        raise _stale()
    key = key_ring().by_id(cursor[len(_VERSION) : head])
    if key is None:
        raise _stale()
    key_values, forward, start, total = json.loads(_open(key, cursor[head:], query))
    return Position(tuple(key_values), forward, start, tuple(total) if total else None)


def _open(key: Key, body: str, query: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != body:
            raise _stale()
        return _cipher(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], query.encode())
    except (InvalidTag, ValueError) as error:
        raise _stale() from error


def _cipher(key: Key) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key.derive("cursor"))


def _stale() -> StaleCursorError:
    return StaleCursorError("This cursor was not made for this query; begin at the first page")
