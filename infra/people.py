"""The demo people: one a role, plus the machine client of the gateways."""

import base64
import contextlib
import json
import secrets
import string
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from infra.target import Target

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_PEOPLE = {
    "vera.viewer@waizant.example": ["viewer"],
    "simon.support@waizant.example": ["support"],
    "marta.marketing@waizant.example": ["marketing"],
    "ana.admin@waizant.example": ["admin"],
    "nora.norole@waizant.example": [],
}


class Person(TypedDict):
    """Somebody who can sign in."""

    username: str
    password: str
    roles: list[str]


def add_people(
    target: Target, outputs: Mapping[str, str], known: Mapping[str, str]
) -> list[Person]:
    """Put the demo people into the pool, with the passwords in `known` or new ones."""
    pool = outputs["UserPoolId"]
    client: CognitoIdentityProviderClient = target.client("cognito-idp")
    people: list[Person] = []
    for username, roles in _PEOPLE.items():
        password = known.get(username) or _password()
        _add(client, pool, username, password)
        for role in roles:
            client.admin_add_user_to_group(UserPoolId=pool, Username=username, GroupName=role)
        people.append({"username": username, "password": password, "roles": roles})
    return people


def person_token(target: Target, client_id: str, person: Person) -> str:
    """An access token of the person, for the page's client."""
    client: CognitoIdentityProviderClient = target.client("cognito-idp")
    answer = client.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": person["username"], "PASSWORD": person["password"]},
    )
    return answer["AuthenticationResult"]["AccessToken"]


def gateway_token(target: Target, pool: str, client_id: str) -> str:
    """An access token of the machine client, by the client credentials grant (RFC 6749 §4.4)."""
    client: CognitoIdentityProviderClient = target.client("cognito-idp")
    described = client.describe_user_pool_client(UserPoolId=pool, ClientId=client_id)
    secret = described["UserPoolClient"]["ClientSecret"]
    credentials = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": "store-users/gateway"}
    domain = client.describe_user_pool(UserPoolId=pool)["UserPool"].get("Domain", "")
    sign_in = target.endpoint or f"https://{domain}.auth.{target.region}.amazoncognito.com"
    request = urllib.request.Request(  # noqa: S310 - the pool's own address
        f"{sign_in}/oauth2/token",
        data=urllib.parse.urlencode(form).encode(),
        headers={
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        token: str = json.load(answer)["access_token"]
    return token


def _add(client: "CognitoIdentityProviderClient", pool: str, username: str, password: str) -> None:
    # In a second run they exist, and keep what they have but for the password.
    with contextlib.suppress(client.exceptions.UsernameExistsException):
        client.admin_create_user(
            UserPoolId=pool,
            Username=username,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": username},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
    client.admin_set_user_password(
        UserPoolId=pool, Username=username, Password=password, Permanent=True
    )


def _password() -> str:
    """A new password that the pool's policy takes."""
    letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(14))
    return f"{letters}aA1"
