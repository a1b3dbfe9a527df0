"""What the tests of this folder share: clients that are made quickly."""

from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.loaders import Loader

from tests import conftest
from tests.builders import customer, save, save_ecosystem


@pytest.fixture(scope="session", autouse=True)
def _descriptions_are_read_once() -> Iterator[None]:
    """The template, and the megabytes of JSON that make a client: half of the time of a test."""
    make = Loader.__init__
    known: dict[Any, Any] = {}

    def make_knowing(self: Loader, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        vars(self)["_cache"] = known  # where botocore keeps what this one loader has read

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conftest, "template_resources", cache(conftest.template_resources))
        patch.setattr(Loader, "__init__", make_knowing)
        yield


@pytest.fixture
def switch_waits(cloud: None, monkeypatch: pytest.MonkeyPatch) -> list[float]:  # noqa: ARG001 - the tables
    """A customer with an ecosystem; and how long the SDK wants to wait between attempts."""
    save(customer())
    save_ecosystem()
    noted: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=noted.append))
    return noted
