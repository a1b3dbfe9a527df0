"""A person's way through the pool's hosted sign-in page, over plain HTTP.

The authorization code flow with PKCE (RFC 7636), as the page for staff takes it.
"""

import base64
import hashlib
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from infra.people import Person
from infra.prove.trial import FailedError

_MOST_REDIRECTS = 10


class _Form(HTMLParser):
    """The first form of a page that asks for a password."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._is_open = self._is_found = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form" and not self._is_found:
            self.action, self.fields, self._is_open = given.get("action", ""), {}, True
        elif tag == "input" and self._is_open and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
            self._is_found = self._is_found or given.get("type") == "password"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_open = False

    @property
    def asks_for_a_password(self) -> bool:
        """True if there is such a form."""
        return self._is_found


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        return None


class _Browser:
    """Keeps cookies, and follows redirects as far as an address that begins with `home`."""

    def __init__(self, home: str) -> None:
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(cookies, _NoRedirect)
        self._home = home

    def ask(self, url: str, form: Mapping[str, str] | None = None) -> tuple[str, str]:
        """Return the address that was reached, and its text; of `home` the address alone."""
        data = None if form is None else urlencode(form).encode()
        for _ in range(_MOST_REDIRECTS):
            try:
                with self._opener.open(url, data=data, timeout=60) as answer:
                    return url, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    if not (location := error.headers.get("Location")):
                        message = f"{urlsplit(url).path} answers {error.code}"
                        raise FailedError(message) from error
            url, data = urljoin(url, location), None
            if url.startswith(self._home):
                return url, ""
        message = f"{_MOST_REDIRECTS} redirects and no end"
        raise FailedError(message)


def sign_in(provider: Mapping[str, str], home: str, person: Person) -> str:
    """Sign the person in; return an access token. Raises `FailedError`.

    `provider` is `sign_in` of `/v1/config`, `home` the address of the page for staff.
    """
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {"response_type": "code", "scope": provider["scopes"], "state": state}
    client = {"client_id": provider["client_id"], "redirect_uri": home}
    proof = {
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    browser = _Browser(home)
    query = urlencode({**asked, **client, **proof})
    url, html = browser.ask(f"{provider['url']}/oauth2/authorize?{query}")
    back = parse_qs(urlsplit(_submit(browser, url, html, person)).query)
    if back.get("state") != [state] or "code" not in back:
        message = f"the sign-in page sent back {sorted(back)}, not our state and a code"
        raise FailedError(message)
    grant = {"grant_type": "authorization_code", "code": back["code"][0], **client}
    _, text = browser.ask(f"{provider['url']}/oauth2/token", {**grant, "code_verifier": verifier})
    token: str = json.loads(text)["access_token"]
    return token


def _submit(browser: _Browser, url: str, html: str, person: Person) -> str:
    """Fill the form in and send it; return the address to which the sign-in page sends back."""
    form = _Form(html)
    if form.action is None or not form.asks_for_a_password:
        message = f"{urlsplit(url).path} has no form that asks for a password"
        raise FailedError(message)
    answers = {"username": person["username"], "password": person["password"]}
    reached, _ = browser.ask(urljoin(url, form.action), {**form.fields, **answers})
    if not urlsplit(reached).query:
        message = "the sign-in page did not take the password"
        raise FailedError(message)
    return reached
