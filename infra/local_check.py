"""Check that the local stack works: `make run` says so only then."""

import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from infra import emulator
from infra.people import person_token
from infra.target import Target

_ATTEMPTS = 5
"""The first call starts two functions: on a busy machine in more than API Gateway's 29 seconds."""

_PAUSE_SECONDS = 2

_KEY = "checks/make-run"


def check(target: Target, stack: Mapping[str, Any]) -> None:
    """Call the API as a person, and write and read a file. Raises `EmulatorError`.

    The call passes through API Gateway, the authorizer and the function to the tables.
    """
    person = next(one for one in stack["people"] if "admin" in one["roles"])
    token = person_token(target, stack["client_id"], person)
    _call(f"{stack['url']}/v1/customers?limit=1", token)
    s3, content = target.client("s3"), str(time.time()).encode()
    s3.put_object(Bucket=stack["bucket"], Key=_KEY, Body=content)
    kept = s3.get_object(Bucket=stack["bucket"], Key=_KEY)["Body"].read()
    s3.delete_object(Bucket=stack["bucket"], Key=_KEY)
    if kept != content:
        message = "The bucket does not give back what it was given"
        raise _failure(message)


def _call(url: str, token: str) -> None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - the address of the local stack
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - as above
        except (urllib.error.URLError, TimeoutError) as error:
            if attempt == _ATTEMPTS:
                message = f"GET {url} failed: {error}"
                raise _failure(message) from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _failure(what: str) -> emulator.EmulatorError:
    return emulator.EmulatorError(
        f"The stack does not work. {what}. {emulator.free_space()}; see {emulator.log_path()}"
    )
