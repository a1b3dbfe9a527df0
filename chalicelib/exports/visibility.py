"""The message of an export: hidden from other workers while its own gives signs of life.

AWS demands that a queue which feeds a function hides a message for as long as the function may
run, 15 minutes: so long an export would stay with a worker that died. The time-out of one message
is free. A worker sets it to little more than the time of a lease, and sets it again with each
heartbeat; a worker that dies no longer does. One that dies before its first call is the exception.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.exports import delivery, lease
from chalicelib.settings import settings

MARGIN_SECONDS = 5
"""How much later than its lease a message comes: who receives it is to find the lease over.

Reports of progress renew the lease between two heartbeats, so it may last up to a heartbeat longer
than this expects: then the message is received once in vain, and hidden for what is left.
"""


@contextmanager
def hidden(receipt_handle: str) -> Iterator[None]:
    """Keep the message hidden, from now on and for the time of the block."""
    over = threading.Event()
    seconds = settings().export_lease_seconds + MARGIN_SECONDS

    def beat() -> None:
        while not over.wait(lease.seconds_between_beats()):
            delivery.hide(receipt_handle, seconds)

    delivery.hide(receipt_handle, seconds)
    heart = threading.Thread(target=beat, name="visibility", daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()
