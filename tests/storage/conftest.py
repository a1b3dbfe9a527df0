"""What the tests of this folder share: clients that are made quickly."""

from collections.abc import Iterator
from functools import cache

import pytest
from botocore import loaders

from tests import conftest


@pytest.fixture(scope="session", autouse=True)
def _descriptions_are_read_once() -> Iterator[None]:
    """The template, and the megabytes of JSON that make a client: half of the time of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conftest, "template_resources", cache(conftest.template_resources))
        patch.setattr(loaders, "create_loader", cache(loaders.create_loader))
        yield
