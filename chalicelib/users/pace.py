"""How fast an export reads: not so fast that the lists of the staff have to wait."""

import time
from threading import Lock

UNITS_A_SECOND = 1_500
"""Half of what DynamoDB reads from one partition in a second, and a list by registration is one.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""


class Pace:
    """So many read units a second, whoever of several threads reads them."""

    def __init__(self) -> None:
        """Nothing has been read."""
        self._free_at = time.monotonic()
        self._lock = Lock()

    def wait(self) -> None:
        """Return when what was read so far has had its time."""
        pause = self._free_at - time.monotonic()
        if pause > 0:
            time.sleep(pause)

    def note(self, units: float) -> None:
        """So many units were read."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + units / UNITS_A_SECOND
