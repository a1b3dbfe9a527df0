"""Tokens of other clients, and of an issuer that is not our user pool."""

from typing import Any

import pytest

from chalicelib.settings import settings
from tests.api.client import Client
from tests.api.conftest import Logs
from tests.conftest import ENVIRONMENT

STAFF = "https://sign-in.example/realms/staff"
# As Keycloak and Entra ID write them: no `token_use`, `client_id`, `username`, `cognito:groups`.
THEIRS: dict[str, Any] = {
    **dict.fromkeys(("token_use", "client_id", "username", "cognito:groups")),
    "iss": STAFF,
    "aud": "store-users-api",
    "azp": "admin-front-end",
    "groups": ["support", "others"],
    "preferred_username": "ana@staff.example",
}


@pytest.fixture
def with_(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets variables of the functions."""

    def set_(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    return set_


@pytest.fixture
def theirs(edge: Client, with_: Any) -> Client:
    """A client of an API that takes tokens of another issuer."""
    with_(
        TOKEN_ISSUER=STAFF,
        TOKEN_AUDIENCE="store-users-api",
        PAGE_CLIENT_ID="",
        GATEWAY_CLIENT_ID="",
        TRUSTED_CLIENT_IDS="admin-front-end,shop-gateway",
        CLIENT_CLAIM="azp",
        GROUPS_CLAIM="groups",
        NAME_CLAIM="preferred_username",
    )
    return edge


def _session(client: Client, role: str = "support", **claims: Any) -> Any:
    token = client.pool.token(role, **claims)
    return client.call("GET", "/v1/session", None, headers={"Authorization": f"Bearer {token}"})


def test_a_trusted_client_of_our_pool_is_taken_and_no_other(edge: Client, with_: Any) -> None:
    with_(TRUSTED_CLIENT_IDS="front-end-1, front-end-2")
    for client_id in ("page-client", "front-end-1", "front-end-2"):
        assert _session(edge, client_id=client_id).json["roles"] == ["support"]
    for other in ("front-end-3", "", "front-end-1,front-end-2", None):
        assert _session(edge, client_id=other).status == 401


def test_another_issuer_names_client_groups_and_person_by_its_own_claims(theirs: Client) -> None:
    session = _session(theirs, **THEIRS).json
    assert (session["username"], session["roles"]) == ("ana@staff.example", ["support"])


def test_the_configuration_names_another_issuer_and_no_user_pool(theirs: Client) -> None:
    sign_in = theirs.get("/v1/config", None).json["sign_in"]
    assert sign_in.pop("issuer") == STAFF
    assert [sign_in[name] for name in ("url", "pool_url", "client_id")] == ["", "", ""]


def test_a_person_without_a_name_goes_by_the_subject(theirs: Client) -> None:
    session = _session(theirs, **THEIRS, sub="f3a1").json
    assert session["username"] == "ana@staff.example"
    nameless = {**THEIRS, "preferred_username": None}
    assert _session(theirs, **nameless, sub="f3a1").json["username"] == "f3a1"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "admin-front-end"}, "InvalidAudienceError"),
        ({"aud": None}, "MissingRequiredClaimError"),
        ({"token_use": "id"}, "not an access token"),
        ({"azp": "another"}, "of another client"),
        ({"azp": None}, "of another client"),
        ({"azp": ""}, "of another client"),
        ({"iss": ENVIRONMENT["TOKEN_ISSUER"]}, "InvalidIssuerError"),
    ],
)
def test_id_tokens_and_tokens_for_others_are_refused(
    theirs: Client, claims: dict[str, Any], reason: str, logs: Logs
) -> None:
    assert _session(theirs, **{**THEIRS, **claims}).status == 401
    assert [line["reason"] for line in logs()] == [reason]


def test_without_an_audience_only_tokens_that_say_their_use_are_taken(
    theirs: Client, with_: Any
) -> None:
    with_(TOKEN_AUDIENCE="")
    assert _session(theirs, **THEIRS).status == 401


def test_groups_that_are_no_list_give_no_role(theirs: Client) -> None:
    for groups in ("admin", {"admin": True}, None):
        assert _session(theirs, **{**THEIRS, "groups": groups}).json["roles"] == []


def test_the_gateway_of_another_issuer_is_known_by_client_and_scope(
    theirs: Client, with_: Any
) -> None:
    with_(GATEWAY_CLIENT_ID="shop-gateway", GATEWAY_SCOPE="ecosystems.ask")
    machine = {**THEIRS, "azp": "shop-gateway", "preferred_username": None}
    assert _session(theirs, **machine, scope="ecosystems.ask").json["roles"] == ["gateway"]
    assert _session(theirs, **machine, scope="store-users/gateway").json["roles"] == []
