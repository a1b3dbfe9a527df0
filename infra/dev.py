"""`make dev`: the API and the page from the working tree, on the running local stack.

Chalice's local server runs the code as it is now, with the tables, queue, bucket and user pool of
`make run`, and starts again within seconds of an edit. The functions behind the stream, the queue
and the schedule stay those that `make run` has deployed.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from infra import emulator
from infra.local import between
from infra.package import ROOT
from infra.stage import Stage, StageError, find

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_POLL_SECONDS = 0.3


def main() -> int:
    """Serve until Ctrl-C, or until the stack ends; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=between(1, 65_535), default=8000)
    port = parser.parse_args().port
    try:
        stage = find("")
        stage.enter()
        url = f"http://localhost:{port}"
        os.environ["PUBLIC_URL"] = url
        _allow_sign_in(stage, f"{url}/")
    except (StageError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.suppress(KeyboardInterrupt):
        _serve(port)
        sys.stderr.write("The local stack has ended. Start it: make run\n")
        return 1
    return 0


def _allow_sign_in(stage: Stage, page: str) -> None:
    """Let the user pool send people back to this page, too, until the stack is deployed again.

    The emulator keeps what is not given; Cognito would reset it.
    """
    client: CognitoIdentityProviderClient = stage.target.client("cognito-idp")
    pool, client_id = stage.resources["UserPool"], os.environ["PAGE_CLIENT_ID"]
    known = client.describe_user_pool_client(UserPoolId=pool, ClientId=client_id)["UserPoolClient"]
    client.update_user_pool_client(
        UserPoolId=pool,
        ClientId=client_id,
        CallbackURLs=sorted({*known["CallbackURLs"], page}),
        LogoutURLs=sorted({*known["LogoutURLs"], page}),
    )


def _serve(port: int) -> None:
    """Run the server, and a new one after each change of the code, while the stack runs."""
    while emulator.running():
        before = _modified()
        server = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "infra.dev_server", str(port)], cwd=ROOT
        )
        try:
            # A server that has ended, for a fault in the code, waits for the next edit as well.
            while emulator.running() and _modified() == before:
                time.sleep(_POLL_SECONDS)
        finally:
            server.terminate()
            server.wait()


def _modified() -> dict[Path, int]:
    """Return when each file of the application was last written, in nanoseconds."""
    found = {}
    for path in (ROOT / "app.py", *(ROOT / "chalicelib").rglob("*")):
        if path.suffix != ".pyc":
            with contextlib.suppress(FileNotFoundError):  # an editor replaces it just now
                found[path] = path.stat().st_mtime_ns
    return found


if __name__ == "__main__":
    sys.exit(main())
