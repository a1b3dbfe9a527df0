"""Shut a colleague out at once, or let them in again: `make block PERSON=ana@example.com`.

Refuses their tokens, disables the account and signs it out everywhere, then lists their exports
and the links that still open a file, and offers to delete those. `--subject` is for an account
that is not in the stage's own pool: it has to be disabled where it is. Can be run again.

Exit status: 0 done, 1 it came to a stop (run it again), 2 it cannot be done.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import clock
from chalicelib.errors import StoreUsersError
from chalicelib.exports import jobs
from chalicelib.settings import settings
from chalicelib.users import audit, blocks
from chalicelib.users.model import Author
from chalicelib.users.tables import ExportItem
from infra import stage

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

DONE, STOPPED, UNUSABLE = 0, 1, 2

_PAGE = 100
_PRESIGNED_FOR = timedelta(minutes=5)
_NO_ACCOUNT = (
    "the stage has no user pool with that name in it; of accounts elsewhere say the subject of the "
    "tokens: make block SUBJECT=…"
)
_GATEWAY = (
    "the API never asks whether a gateway is blocked; make a new client: "
    "docs/runbook.md#a-key-token-or-file-got-out"
)
_BEYOND = """\
Not reached from here: what they have downloaded, and sessions with AWS itself.
"""


@dataclass(frozen=True, slots=True)
class Account:
    """Who is meant. `username` is None for an account that is not in the stage's pool."""

    subject: str
    username: str | None


@dataclass(frozen=True, slots=True)
class LiveExport:
    """An export that runs or whose file can be opened, and what the person has to do with it."""

    job: ExportItem
    why: str


@dataclass(frozen=True, slots=True)
class Pool:
    """The user pool of a stage; its id is empty where another issuer is trusted."""

    client: "CognitoIdentityProviderClient"
    id: str

    def find(self, username: str) -> Account | None:
        """Return the account of that user name; None if there is none."""
        if not self.id:
            return None
        try:
            user = self.client.admin_get_user(UserPoolId=self.id, Username=username)
        except self.client.exceptions.UserNotFoundException:
            return None
        named = {one["Name"]: one.get("Value", "") for one in user["UserAttributes"]}
        return Account(named["sub"], user["Username"])

    def of_subject(self, subject: str) -> Account:
        """Return the account of the pool that has the subject, else one that is elsewhere."""
        if not self.id:
            return Account(subject, None)
        wanted = f'sub = "{subject}"'
        found = self.client.list_users(UserPoolId=self.id, Filter=wanted)["Users"]
        return Account(subject, found[0]["Username"] if found else None)

    def disable(self, username: str) -> None:
        """Let the account sign in and renew no more; its refresh tokens end."""
        self.client.admin_disable_user(UserPoolId=self.id, Username=username)
        self.client.admin_user_global_sign_out(UserPoolId=self.id, Username=username)

    def enable(self, username: str) -> None:
        """Let the account sign in again."""
        self.client.admin_enable_user(UserPoolId=self.id, Username=username)


def block(account: Account, pool: Pool, by: Author) -> None:
    """Shut the account out: the record first, since it is what counts at once."""
    blocks.write(account.subject, is_shut=True)
    if account.username is not None:
        pool.disable(account.username)
    _note(account.subject, "person.blocked", by)


def unblock(account: Account, pool: Pool, by: Author) -> None:
    """Let new sign-ins in; tokens of before stay refused."""
    if account.username is not None:
        pool.enable(account.username)
    blocks.write(account.subject, is_shut=False)
    _note(account.subject, "person.unblocked", by)


def live_exports(subject: str) -> list[LiveExport]:
    """Return the exports that the person could still profit from, newest first."""
    return [
        LiveExport(job, why)
        for job in _jobs()
        if jobs.status(job) in {"queued", "running", "succeeded"} and (why := _why(job, subject))
    ]


def kill(exports: Iterable[LiveExport], by: Author) -> None:
    """Cancel the runs, delete the files, end the links."""
    for one in exports:
        jobs.delete(one.job, by, "block")


def _jobs() -> Iterator[ExportItem]:
    token: str | None = None
    while True:
        page = jobs.page(list(jobs.KINDS), token, _PAGE)
        yield from jobs.from_items(page.items)
        token = page.next
        if token is None:
            return


def _why(job: ExportItem, subject: str) -> str:
    if job.requested_by_id == subject:
        return "asked for by them"
    if jobs.status(job) != "succeeded":
        return ""
    since = clock.instant(clock.now() - _PRESIGNED_FOR)
    uses = (audit.from_item(one) for one in audit.page(audit.export(job.id), None, _PAGE).items)
    if any(use.by.id == subject and use.at >= since for use in uses):
        return "they were given a link of five minutes to it"
    if job.origin == "scheduled":
        return "its link was mailed to marketing: all who have the mail can open it"
    return ""


def _note(subject: str, action: str, by: Author) -> None:
    audit.append(
        audit.Entry(
            subject=audit.person(subject),
            at=clock.instant(clock.now()),
            by=by,
            action=action,
            facts={},
            request_id="block",
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.block",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--person", help="a user name of the stage's pool")
    who.add_argument("--subject", help="the `sub` of the tokens of another account")
    parser.add_argument("--undo", action="store_true", help="let the person in again")
    parser.add_argument("--stage", default="", help="a deployed stage; else the local stack")
    parser.add_argument("--kill", default="", help="all, none, or ids of exports: do not ask")
    options = parser.parse_args(arguments)
    try:
        return _run(options)
    except (StoreUsersError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"It came to a stop: {error}. Run it again: that does no harm.\n")
        return STOPPED
    except stage.StageError as error:
        sys.stderr.write(f"It cannot be done: {error}\n")
        return UNUSABLE


def _run(options: argparse.Namespace) -> int:
    place = stage.find(options.stage)
    place.enter()
    pool = Pool(place.target.client("cognito-idp"), place.resources.get("UserPool", ""))
    account = pool.of_subject(options.subject) if options.subject else pool.find(options.person)
    if account is None:
        raise stage.StageError(_NO_ACCOUNT)
    if account.subject == settings().gateway_client_id:
        raise stage.StageError(_GATEWAY)
    caller = place.target.client("sts").get_caller_identity()
    by = Author(caller["Arn"], caller["UserId"])
    if options.undo:
        unblock(account, pool, by)
        sys.stdout.write(f"{account.subject} may sign in again; what was issued before is over.\n")
        return DONE
    block(account, pool, by)
    sys.stdout.write(
        f"{account.subject} is refused: from now on what changes anything, within "
        f"{blocks.REMEMBERED_SECONDS} seconds what reads.\n"
    )
    if account.username is None:
        sys.stdout.write("Disable the account at its own provider, too.\n")
    _offer(account.subject, options.kill, by)
    sys.stdout.write(_BEYOND)
    return DONE


def _offer(subject: str, answer: str, by: Author) -> None:
    """List what the person has left, and delete what the operator says."""
    found = live_exports(subject)
    if not found:
        sys.stdout.write("No export or link of theirs is left.\n")
        return
    sys.stdout.write("Exports and links that are left:\n")
    for one in found:
        status = jobs.status(one.job)
        rows = f", {int(one.job.rows)} rows" if status == "succeeded" else ""
        until = f", until {one.job.expires_at}" if one.job.expires_at else ""
        sys.stdout.write(f"  {one.job.id}  {one.job.resource}, {status}{rows}{until}: {one.why}\n")
    chosen = _chosen(found, answer or _ask())
    kill(chosen, by)
    sys.stdout.write(f"{len(chosen)} of {len(found)} were deleted, with their links.\n")


def _ask() -> str:
    if not sys.stdin.isatty():
        sys.stdout.write("To delete them: KILL=all, or KILL='exp_… exp_…'.\n")
        return ""
    sys.stdout.write("Delete which? Type all, or ids, or nothing: ")
    sys.stdout.flush()
    return sys.stdin.readline()


def _chosen(found: Sequence[LiveExport], answer: str) -> list[LiveExport]:
    words = set(answer.split())
    return [one for one in found if "all" in words or one.job.id in words]


if __name__ == "__main__":
    sys.exit(main())
