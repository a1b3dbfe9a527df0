"""DynamoDB as far away as it is: its answers to the queries of an export, each after a time.

The engine of the benches shares the processor with what is measured, so that no more is read from
it by asking twice at a time. This process asks it once for each answer; from then on it waits
as long as it was told to, and gives the answer from memory.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@contextmanager
def far_from(engine: str, wait_ms: int) -> Iterator[str]:
    """An address at which the engine answers a query anew after so long; it ends with the block."""
    command = [sys.executable, "-m", "bench.distance", engine, str(wait_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ourselves
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


class _Far:
    def __init__(self, engine: str, wait_ms: int) -> None:
        place = urlsplit(engine)
        self._engine = place.hostname, place.port
        self._wait_seconds = wait_ms / 1_000
        self._answers: dict[bytes, bytes] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        while request := await _message(reader):
            head, body = request
            if body in self._answers:
                await asyncio.sleep(self._wait_seconds)
            else:
                self._answers[body] = await self._ask(head + body)
            writer.write(self._answers[body])
            await writer.drain()
        writer.close()

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._engine, limit=1 << 24)
        writer.write(request)
        answer = await _message(reader)
        writer.close()
        if answer is None:
            message = "the engine gave no answer"
            raise RuntimeError(message)
        return b"".join(answer)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """Head and body of the next request or answer; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = _LENGTH.search(head)
    return head, await reader.readexactly(int(length[1])) if length else b""


async def _serve(engine: str, wait_ms: int) -> None:
    server = await asyncio.start_server(_Far(engine, wait_ms).serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
