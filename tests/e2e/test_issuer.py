"""A stage whose people come from an issuer of the company's own."""

import json
import urllib.request

from tests.api.pool import running_pool
from tests.e2e.deployments import client, deploy_today

STAFF = "https://sign-in.example/realms/staff"


def test_a_stage_with_an_issuer_makes_no_pool_and_takes_its_tokens(emulator_port: int) -> None:
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
        person = {"groups": ["viewer"], "email": "ana@staff.example", "token_use": None}
        token = pool.token("none", **claims, **person)
        request = urllib.request.Request(
            f"{names['PublicUrl']}/v1/session", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            session = json.load(answer)
        with urllib.request.urlopen(f"{names['PublicUrl']}/v1/config", timeout=60) as answer:
            sign_in = json.load(answer)["sign_in"]
    assert (sign_in["issuer"], sign_in["pool_url"]) == (STAFF, "")
    assert (session["username"], session["roles"]) == ("ana@staff.example", ["viewer"])
    assert "UserPoolId" not in names
    assert client(emulator_port, "cognito-idp").list_user_pools(MaxResults=10)["UserPools"] == []
