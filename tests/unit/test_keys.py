"""The signing keys: rotation, what they are kept for, and the secret store failing."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib import aws, clock
from chalicelib.errors import StaleCursorError, StoreUnavailableError, UnauthenticatedError
from chalicelib.exports import delivery
from chalicelib.keys import Key, KeyRing, key_ring
from chalicelib.users import cursor
from chalicelib.users.cursor import Position

pytestmark = pytest.mark.usefixtures("cloud")

PLACE = Position(("2026-03-01T15:04:05Z", "cus_0042"), forward=True, start=25)


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    still = Clock()
    monkeypatch.setattr(clock, "now", still.now)
    return still


def _rotate(secret: str) -> None:
    aws.secrets_manager().put_secret_value(SecretId="signing", SecretString=secret)


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(**_: object) -> None:
        raise error

    monkeypatch.setattr(aws.secrets_manager(), "get_secret_value", refuse)


def test_the_current_key_is_the_secret_and_goes_by_its_version() -> None:
    answer = aws.secrets_manager().get_secret_value(SecretId="signing")
    assert key_ring().current() == Key(answer["VersionId"][:8], b"a secret of the tests")


def test_each_purpose_has_a_key_of_its_own() -> None:
    key = key_ring().current()
    assert len(key.derive("cursor")) == len(key.derive("link")) == 32
    assert key.derive("cursor") != key.derive("link")
    assert key.derive("cursor") != Key(key.id, b"another secret").derive("cursor")


def test_without_a_rotation_there_is_no_previous_key(time: Clock) -> None:
    ring = KeyRing()
    assert ring.by_id(ring.current().id) == ring.current()
    time.move(11)
    assert ring.by_id("12345678") is None


def test_what_the_previous_key_signed_still_passes_and_what_older_ones_did_does_not() -> None:
    token = cursor.encode(PLACE, "query")
    _rotate("the second secret")
    key_ring.cache_clear()
    assert cursor.decode(token, "query") == PLACE
    assert cursor.encode(PLACE, "query")[1:9] != token[1:9]
    _rotate("the third secret")
    key_ring.cache_clear()
    with pytest.raises(StaleCursorError):
        cursor.decode(token, "query")


def test_a_link_outlives_one_rotation_and_not_two() -> None:
    link = delivery.link("exp_1", clock.now() + timedelta(days=7))
    token = link.rsplit("token=", 1)[1]
    _rotate("the second secret")
    key_ring.cache_clear()
    delivery.check_token("exp_1", token)
    _rotate("the third secret")
    key_ring.cache_clear()
    with pytest.raises(UnauthenticatedError):
        delivery.check_token("exp_1", token)


def test_a_key_that_another_process_already_signs_with_is_fetched(time: Clock) -> None:
    ring = key_ring()
    ring.current()
    _rotate("the second secret")
    new = KeyRing().current()
    assert ring.by_id(new.id) is None
    time.move(11)
    assert ring.by_id(new.id) == new
    assert ring.current() == new


def test_the_keys_are_fetched_anew_after_five_minutes_and_not_before(time: Clock) -> None:
    ring = KeyRing()
    first = ring.current()
    _rotate("the second secret")
    time.move(299)
    assert ring.current() == first
    time.move(2)
    assert ring.current().secret == b"the second secret"
    assert ring.by_id(first.id) == first


def test_unknown_key_ids_do_not_make_a_fetch_each(
    time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing()
    ring.current()
    time.move(5)
    _fail(monkeypatch, AssertionError("a forged cursor made a request to Secrets Manager"))
    assert ring.by_id("deadbeef") is None


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://secretsmanager.example"),
        ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetSecretValue"),
        ClientError({"Error": {"Code": "InternalServiceError", "Message": ""}}, "GetSecretValue"),
    ],
    ids=["unreachable", "throttled", "broken"],
)
def test_where_the_keys_cannot_be_had_the_store_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    _fail(monkeypatch, error)
    with pytest.raises(
        StoreUnavailableError, match=r"^The data store (is busy|could not be reached)"
    ):
        cursor.encode(PLACE, "query")
    with pytest.raises(StoreUnavailableError):
        cursor.decode("2deadbeef" + "A" * 80, "query")


def test_keys_that_are_kept_serve_while_the_secret_store_fails(
    time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = cursor.encode(PLACE, "query")
    _fail(monkeypatch, EndpointConnectionError(endpoint_url="https://secretsmanager.example"))
    time.move(200)
    assert cursor.decode(token, "query") == PLACE
