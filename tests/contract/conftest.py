"""The client of the API without stores behind it serves here, too."""

from tests.api.conftest import edge, pool

__all__ = ["edge", "pool"]
