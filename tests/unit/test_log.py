"""What stands in for an error that leaves a function: the class, and nothing of what it said."""

import json
import traceback
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib import log
from chalicelib.errors import StoreUnavailableError

PERSON = "Zoraida"


@pytest.mark.parametrize(
    "error",
    [
        KeyError(PERSON),
        json.JSONDecodeError(PERSON, PERSON, 0),
        UnicodeDecodeError("utf-8", PERSON.encode(), 0, 1, PERSON),
        FileNotFoundError(2, PERSON, PERSON),
        ImportError(PERSON, name=PERSON),
        ClientError({"Error": {"Code": "400", "Message": PERSON}}, PERSON),
        EndpointConnectionError(endpoint_url=PERSON),
        StoreUnavailableError(PERSON, member=PERSON),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_leaves_a_function_is_of_the_same_class_and_says_nothing(error: Exception) -> None:
    raised = _leaving(_failing(error))
    assert type(raised) is type(error)
    assert PERSON not in "".join(traceback.format_exception(raised)) + repr(vars(raised))


def test_an_error_that_cannot_be_empty_is_told_by_the_name_of_its_class() -> None:
    raised = _leaving(_failing(ExceptionGroup(PERSON, [KeyError(PERSON)])))
    assert repr(raised) == "RuntimeError('ExceptionGroup')"
    assert PERSON not in "".join(traceback.format_exception(raised))


def _failing(error: Exception) -> Callable[[str], None]:
    def handler(person: str) -> None:
        try:
            dict[str, str]()[person]
        except LookupError:
            raise error  # noqa: B904 - its context, which says the name, is the point

    return log.without_messages()(handler)


def _leaving(handler: Callable[[str], None]) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of any class
        handler(PERSON)
    return caught.value
