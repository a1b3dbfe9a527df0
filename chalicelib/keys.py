"""The keys that cursors and export links are signed with: Secrets Manager's, current and previous.

Rotation is Secrets Manager's own: a new value becomes `AWSCURRENT`, and the one before it stays
readable as `AWSPREVIOUS`, so that what it signed lives on until the next rotation.
"""

import hashlib
import hmac
from dataclasses import dataclass
from functools import cache

from chalicelib import aws, clock, log
from chalicelib.aws_errors import calling
from chalicelib.errors import StoreError
from chalicelib.settings import settings

_LIFETIME_SECONDS = 300
_SECONDS_BETWEEN_FETCHES = 10


@dataclass(frozen=True, slots=True)
class Key:
    """A secret and the short name by which what it signed refers to it."""

    id: str
    secret: bytes

    def derive(self, purpose: str) -> bytes:
        """32 bytes for `purpose` alone, so that no signature serves where another is due."""
        return hmac.new(self.secret, purpose.encode(), hashlib.sha256).digest()


class KeyRing:
    """The current and the previous key, fetched when needed and kept for five minutes."""

    def __init__(self) -> None:
        """Start empty: nothing is fetched before it is needed."""
        self._keys: list[Key] = []
        self._fetched_at = 0.0
        self._tried_at = 0.0

    def current(self) -> Key:
        """The key to sign with. Raises `StoreError` where it cannot be had."""
        if not self._keys or self._is_due(_LIFETIME_SECONDS):
            self._refresh()
        return self._keys[0]

    def by_id(self, key_id: str) -> Key | None:
        """The key of that name, current or previous, or None."""
        self.current()
        found = self._find(key_id)
        if found is None and self._is_due(_SECONDS_BETWEEN_FETCHES):
            self._refresh()
            found = self._find(key_id)
        return found

    def _refresh(self) -> None:
        """Fetch the keys; where that fails, those that are here serve on."""
        self._tried_at = clock.now().timestamp()
        try:
            self._fetch()
        except StoreError:
            if not self._keys:
                raise
            log.event("keys.not_fetched", level="WARNING")

    def _find(self, key_id: str) -> Key | None:
        return next((key for key in self._keys if key.id == key_id), None)

    def _is_due(self, lifetime_seconds: float) -> bool:
        """Whether the keys are that old; not while a fetch has just failed, which took a while."""
        now = clock.now().timestamp()
        is_old = now - self._fetched_at > lifetime_seconds
        return is_old and now - self._tried_at > _SECONDS_BETWEEN_FETCHES

    def _fetch(self) -> None:
        keys = [_read_secret(stage) for stage in ("AWSCURRENT", "AWSPREVIOUS")]
        self._keys = [key for key in keys if key is not None]
        self._fetched_at = clock.now().timestamp()


def _read_secret(stage: str) -> Key | None:
    client, secret_id = aws.secrets_manager(), settings().signing_secret_id
    with calling("secretsmanager"):
        try:
            answer = client.get_secret_value(SecretId=secret_id, VersionStage=stage)
        except client.exceptions.ResourceNotFoundException:
            if stage == "AWSPREVIOUS":
                return None
            raise
    return Key(answer["VersionId"][:8], answer["SecretString"].encode())


@cache
def key_ring() -> KeyRing:
    """The keys of this process."""
    return KeyRing()
