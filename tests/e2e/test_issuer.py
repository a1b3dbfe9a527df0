"""A stage whose people have their accounts elsewhere."""

from pathlib import Path
from typing import Any

from tests.api.pool import running_pool
from tests.e2e.conftest import Stack
from tests.e2e.deployments import client, deploy_today

STAFF = "https://sign-in.example/realms/staff"
SIGN_IN_URL = "https://staff.auth.us-east-1.amazoncognito.com"
PERSON, PASSWORD = "ana@staff.example", "Correct-horse-7"


def test_a_stage_with_an_issuer_makes_no_pool_and_takes_its_tokens(
    emulator_port: int, tmp_path: Path
) -> None:
    call = Stack(tmp_path, emulator_port).call
    with running_pool() as pool:
        names = deploy_today(
            emulator_port,
            "staging",
            TokenIssuer=STAFF,
            TokenKeysUrl=pool.keys_url,
            TokenAudience="store-users-api",
            TrustedClientIds="admin-front-end",
            ClientClaim="azp",
            GroupsClaim="groups",
            NameClaim="email",
        )
        claims = {"iss": STAFF, "aud": "store-users-api", "azp": "admin-front-end"}
        person = {"groups": ["viewer"], "email": PERSON, "token_use": None}
        token = pool.token("none", **claims, **person)
        session = call("GET", f"{names['PublicUrl']}/v1/session", token=token).json
    sign_in = call("GET", f"{names['PublicUrl']}/v1/config").json["sign_in"]
    assert (sign_in["issuer"], sign_in["pool_url"]) == (STAFF, "")
    assert (session["username"], session["roles"]) == (PERSON, ["viewer"])
    assert "UserPoolId" not in names
    assert client(emulator_port, "cognito-idp").list_user_pools(MaxResults=10)["UserPools"] == []


def test_a_stage_on_an_existing_user_pool_takes_its_people_and_trusted_clients(
    emulator_port: int, tmp_path: Path
) -> None:
    call, endpoint = Stack(tmp_path, emulator_port).call, f"http://localhost:{emulator_port}"
    cognito = client(emulator_port, "cognito-idp")
    pool = _existing_pool(cognito)
    clients = {name: _client(cognito, pool, name) for name in ("page", "front-end", "other")}
    names = deploy_today(
        emulator_port,
        "staging",
        TokenIssuer=f"https://cognito-idp.us-east-1.amazonaws.com/{pool}",
        TokenKeysUrl=f"{endpoint}/{pool}/.well-known/jwks.json",
        SignInUrl=SIGN_IN_URL,
        PageClientId=clients["page"],
        TrustedClientIds=clients["front-end"],
        GroupRoles='{"back-office": "support"}',
    )
    sign_in = call("GET", f"{names['PublicUrl']}/v1/config").json["sign_in"]
    assert (sign_in["url"], sign_in["client_id"]) == (SIGN_IN_URL, clients["page"])
    assert sign_in["pool_url"] == f"{endpoint}/"
    answers = {
        name: call("GET", f"{names['PublicUrl']}/v1/session", token=_token(cognito, id_))
        for name, id_ in clients.items()
    }
    statuses = {name: answer.status for name, answer in answers.items()}
    assert statuses == {"page": 200, "front-end": 200, "other": 401}
    session = answers["front-end"].json
    assert (session["username"], session["roles"]) == (PERSON, ["support"])
    assert len(cognito.list_user_pools(MaxResults=10)["UserPools"]) == 1


def _existing_pool(cognito: Any) -> str:
    """Make a user pool with one person, in a group of another name than our roles."""
    pool: str = cognito.create_user_pool(PoolName="staff")["UserPool"]["Id"]
    cognito.create_group(UserPoolId=pool, GroupName="back-office")
    who = {"UserPoolId": pool, "Username": PERSON}
    cognito.admin_create_user(**who, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**who, Password=PASSWORD, Permanent=True)
    cognito.admin_add_user_to_group(**who, GroupName="back-office")
    return pool


def _client(cognito: Any, pool: str, name: str) -> str:
    made = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName=name, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )
    client_id: str = made["UserPoolClient"]["ClientId"]
    return client_id


def _token(cognito: Any, client_id: str) -> str:
    """Return an access token of the person, through the client."""
    done = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": PERSON, "PASSWORD": PASSWORD},
    )
    token: str = done["AuthenticationResult"]["AccessToken"]
    return token
