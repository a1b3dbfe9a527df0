"""The clients of the API serve here, too."""

from tests.api.conftest import api, edge, no_waiting, pool

__all__ = ["api", "edge", "no_waiting", "pool"]
