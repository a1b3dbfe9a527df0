"""What the doctor finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.stage import Stage


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is well, what was seen, and what to do where it is not."""

    about: str
    is_well: bool
    seen: str
    remedy: str = ""


Look = Callable[[Stage], Iterator[Finding]]
