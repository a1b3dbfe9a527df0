"""The emulator's process: MiniStack, with DynamoDB streams that outlive it.

MiniStack 1.5 saves its state when it is ended, and with it how far each function has read a
stream, but not the stream's records. After a restart the positions lie beyond all new records, so
no function sees one, and records that were not read yet are lost. DynamoDB keeps them for 24 hours.

`emulator.start` runs this file as a program, with MiniStack's settings in the environment.
"""

# ruff: noqa: SLF001 - MiniStack has no public way to its streams

import sys
from typing import Any

from hypercorn.config import Config
from ministack import app
from ministack.services import dynamodb

_SAVE_SECONDS = 600
"""Time to save the state in; after hypercorn's minute the process would end amid saving."""

_BEYOND = 10**9
"""A stream's trim horizon beyond the positions in a state that was saved without records."""


def keep_streams() -> None:
    """Make MiniStack save the records of streams with the tables, and restore them."""
    tables_only, restore_tables = dynamodb.get_state, dynamodb.load_persisted_state

    def get_state() -> dict[str, Any]:
        streams = {"records": dynamodb._stream_records, "trimmed": dynamodb._stream_trimmed}
        return {**tables_only(), "streams": streams}

    def load_persisted_state(data: dict[str, Any]) -> None:
        restore_tables(data)
        if streams := data.get("streams"):
            dynamodb._stream_records.update(streams["records"])
            dynamodb._stream_trimmed.update(streams["trimmed"])
            return
        for (account, region, table), _ in dynamodb._tables.all_items():
            dynamodb._stream_trimmed.set_scoped(account, region, table, _BEYOND)

    dynamodb.get_state, dynamodb.load_persisted_state = get_state, load_persisted_state


if __name__ == "__main__":
    Config.shutdown_timeout = _SAVE_SECONDS
    keep_streams()
    sys.exit(app.main())
