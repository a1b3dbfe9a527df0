"""Links: ours open their own file until they expire, S3's for five minutes."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import aws, clock
from chalicelib.errors import ExportGoneError, UnauthenticatedError
from chalicelib.exports import delivery
from chalicelib.keys import key_ring
from tests.exporting import Clock, stop_clock

pytestmark = pytest.mark.usefixtures("cloud")
EXPORT = "exp_0123456789abcdef0123456789abcdef"
WEEK_SECONDS = 7 * 86_400


@pytest.fixture
def now(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Clock:  # noqa: ARG001 - needs the keys
    return stop_clock(monkeypatch)


def _token(export_id: str = EXPORT, seconds: int = WEEK_SECONDS) -> str:
    link = delivery.link(export_id, clock.now() + timedelta(seconds=seconds))
    return link.rsplit("?token=", 1)[1]


def _opens(token: str, export_id: str = EXPORT) -> bool:
    try:
        delivery.check_token(export_id, token)
    except (UnauthenticatedError, ExportGoneError):
        return False
    return True


def _rotate(secret: str) -> None:
    aws.secrets_manager().put_secret_value(SecretId="signing", SecretString=secret)


# --- ours ---------------------------------------------------------------------------------------


def test_a_link_is_our_address_of_the_file_and_a_token_that_needs_no_escaping(now: Clock) -> None:
    link = delivery.link(EXPORT, now.at)
    address, token = link.split("?token=")
    assert address == f"https://store-users.example/api/v1/exports/{EXPORT}/file"
    assert parse_qs(urlsplit(link).query) == {"token": [token]}
    assert len(token) <= 200  # as much as the contract takes


def test_a_link_may_be_opened_more_than_once() -> None:
    """Mail scanners open links before people do."""
    token = _token()
    delivery.check_token(EXPORT, token)
    delivery.check_token(EXPORT, token)


def test_a_link_lives_to_its_last_second(now: Clock) -> None:
    token = _token()
    now.goes_on(WEEK_SECONDS - 1)
    delivery.check_token(EXPORT, token)
    now.goes_on(1)
    with pytest.raises(ExportGoneError):
        delivery.check_token(EXPORT, token)


def test_a_link_of_another_export_does_not_open_this_one() -> None:
    token = _token("exp_ffffffffffffffffffffffffffffffff")
    with pytest.raises(UnauthenticatedError):
        delivery.check_token(EXPORT, token)


def test_a_token_in_which_any_character_was_changed_does_not_open() -> None:
    token = _token()
    changed = [
        token[:place] + other + token[place + 1 :]
        for place in range(len(token))
        for other in "0aZ_.-"
        if token[place] != other
    ]
    assert [one for one in changed if _opens(one)] == []


def test_a_token_that_was_cut_or_lengthened_does_not_open() -> None:
    token = _token()
    others = [token[:place] for place in range(len(token))]
    others += [token[place:] for place in range(1, len(token))]
    others += [token + end for end in ("A", "=", ".", " ", "\n", token)] + [" " + token]
    assert [one for one in others if _opens(one)] == []


def test_a_link_whose_life_was_lengthened_does_not_open(now: Clock) -> None:
    expiry, key, signature = _token().split(".")
    now.goes_on(WEEK_SECONDS + 1)
    with pytest.raises(UnauthenticatedError):
        delivery.check_token(EXPORT, f"{int(expiry) + 3600}.{key}.{signature}")


def test_what_was_signed_for_another_purpose_does_not_open(now: Clock) -> None:
    key = key_ring().current()
    expiry = int(now.at.timestamp()) + 60
    signature = delivery._signature(key.derive("cursor"), EXPORT, expiry)  # noqa: SLF001
    with pytest.raises(UnauthenticatedError):
        delivery.check_token(EXPORT, f"{expiry}.{key.id}.{signature}")


def test_what_is_no_token_does_not_open() -> None:
    key = key_ring().current().id
    tokens = [
        *("", ".", "..", "...", "1", "1.2", "a.b.c", f"-1.{key}.x", f"+1.{key}.x", f" 1.{key}.x"),
        *(f"1_0.{key}.x", f"1e9.{key}.x", f"1.0.{key}.x", f"\uff11.{key}.x", f"\u0663.{key}.x"),
        *(f"{'9' * 180}.{key}.x", f"9999999999.{key}.", "9999999999..x", f".{key}.x", f"0.{key}.é"),
        *(f"\xb2.{key}.x", "9999999999.12345678.x", f"9999999999.{key}.x.y"),
    ]
    for token in tokens:
        with pytest.raises(UnauthenticatedError):
            delivery.check_token(EXPORT, token)


@given(st.text(max_size=40), st.text(max_size=40), st.booleans())
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_but_a_token_opens_and_nothing_breaks(
    first: str,
    last: str,
    known: bool,  # noqa: FBT001 - drawn
) -> None:
    key = key_ring().current().id if known else "0"
    with pytest.raises(UnauthenticatedError):
        delivery.check_token(EXPORT, f"{first}.{key}.{last}")


def test_a_link_outlives_a_rotation_of_the_keys_and_not_two() -> None:
    token = _token()
    _rotate("the second secret")
    key_ring.cache_clear()
    delivery.check_token(EXPORT, token)
    assert _token() != token
    delivery.check_token(EXPORT, _token())
    _rotate("the third secret")
    key_ring.cache_clear()
    with pytest.raises(UnauthenticatedError):
        delivery.check_token(EXPORT, token)


# --- S3's ---------------------------------------------------------------------------------------


def test_a_presigned_link_lives_five_minutes_and_is_signed_the_present_way() -> None:
    url = urlsplit(delivery.presigned_url(f"exports/{EXPORT}/1"))
    query = parse_qs(url.query)
    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert (url.scheme, url.path) == ("https", f"/exports/{EXPORT}/1")
    assert str(url.hostname).startswith("exports-bucket.s3")
