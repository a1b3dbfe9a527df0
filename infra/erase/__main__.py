"""Erase a store user from everything that a stage stores: `make erase USER=cus_0042`.

The store user and what is derived of them, the files of exports that hold them, searches for
them, dead letters about them; what the staff did to them is kept without their name or id. It asks
first, says what it did, and can be run again at any time. --also has names that they had before,
and all names where the shop has removed them already: searches are found by names. --again erases
all people again who were ever erased: after a table was restored.

Exit status: 0 erased, 1 it came to a stop (run it again), 2 it cannot be done, 3 not confirmed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import clock
from chalicelib.errors import StoreUsersError
from chalicelib.exports import jobs
from chalicelib.users import audit
from chalicelib.users.model import Author
from chalicelib.users.tables import ExportItem
from infra import stage
from infra.derivation import of_stage
from infra.erase import mentions, traces
from infra.erase.mentions import Mention
from infra.erase.person import (
    Apply,
    ErasureError,
    Person,
    Record,
    erased_before,
    find,
    remove,
)

ERASED, STOPPED, UNUSABLE, REFUSED = 0, 1, 2, 3

_EXPORT_SECONDS = 960
"""A little more than one run of an export may take."""

_BEYOND = """\
Not reached from here: recovery points of the tables (they end by themselves, RecoveryDays old;
after restoring one, make erase AGAIN=1), the streams of the tables (a day), files that people have
downloaded or that were loaded from (*.rejects.csv beside them, too), and the shop, which must not
write the person again. Searches for a name that no kept file has, and that ALSO did not tell, stay
until their jobs end.
"""

_NAMELESS = """\
Nothing says what they were called, so searches for them and reasons that mention them were not
found. Run it again with ALSO="name, e-mail, phone"."""


@dataclass(frozen=True, slots=True)
class Queues:
    """The addresses of the queues of what could not be dealt with."""

    projection: str
    exports: str


@dataclass(slots=True)
class Done:
    """What was erased."""

    person: Person
    files: list[ExportItem | str] = field(default_factory=list)
    remnants: int = 0
    searches: int = 0
    deliveries: int = 0
    letters: int = 0
    acts: int = 0
    mentions: list[Mention] = field(default_factory=list)

    def lines(self) -> list[str]:
        """What to tell the person who asked for it."""
        counts = (
            (int(self.person.is_stored), "store user"),
            (self.person.entries, "search entries, and the counts"),
            (len(self.person.ecosystems), "records of ecosystems, which gateways no longer know"),
            (len(self.files), "files of exports that held the person, or a search for them"),
            (self.remnants, "uploads that were never finished, and older versions of files"),
            (self.searches, "searches in jobs of exports"),
            (self.deliveries, "memories of what marketing was sent"),
            (self.letters, "dead letters"),
            (self.acts, "acts of the staff, kept without reason and person"),
        )
        told = [f"  {number:>4}  {what}" for number, what in counts]
        told += [f"        {_describe(one)}" for one in self.files]
        told += [f"  {len(self.mentions):>4}  reasons for acts on others that may mention them"]
        told += [f"        {one}" for one in self.mentions]
        return told if self.person.names.words else [*told, _NAMELESS]


def erase(person: Person, by: Author, apply: Apply, queues: Queues) -> Done:
    """Erase the person; what was done. Raises `ErasureError`, `StoreUsersError`.

    While it is known how they are and were called, searches for them are found; so those come
    first, also those of the exports that are running, and the files that tell names after them.
    """
    looked: traces.Looked = {}
    traces.wait_for_exports(_EXPORT_SECONDS)
    person = person.called(traces.look_through_files(person.id, looked))
    searches = traces.forget_searches(person)
    remove(person, apply)
    traces.wait_for_exports(_EXPORT_SECONDS)
    person = person.called(traces.look_through_files(person.id, looked))
    done = Done(person, searches=searches + traces.forget_searches(person))
    done.files = traces.expire_files(person, by, looked)
    done.deliveries = traces.forget_deliveries(person.id)
    done.remnants = traces.remove_remnants()
    for queue, is_concerned in (
        (queues.projection, traces.is_record_of),
        (queues.exports, traces.is_order_about),
    ):
        done.letters += traces.remove_dead_letters(queue, person, is_concerned)
    _note(person.id, audit.ANNOUNCED, by)
    done.acts = traces.unlink_acts(person.id)
    done.mentions = mentions.find(person)
    _note(person.id, "user.erased", by, files=len(done.files), acts=done.acts)
    return done


def _note(user_id: str, action: str, by: Author, **facts: int) -> None:
    """Keep the act, its time and operator under the id alone: it leads to nothing any more.

    The announcement comes before any entry is removed: the function `watch` rings otherwise.
    """
    audit.append(
        audit.Entry(
            subject=audit.ERASURES,
            at=clock.instant(clock.now()),
            by=by,
            action=action,
            facts={"user_id": user_id, **facts},
            request_id="erase",
        )
    )


def _describe(taken: ExportItem | str) -> str:
    if isinstance(taken, str):
        return taken
    uses = [audit.from_item(one) for one in audit.page(audit.export(taken.id), None, 100).items]
    users = sorted({one.by.name for one in uses if one.action.startswith("export.link_")})
    told = f"; links to it were given or opened: {', '.join(users)}" if users else ""
    return f"{taken.id}, {jobs.status(taken)} until now, asked for by {taken.requested_by}{told}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.erase",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", help="the id of the store user")
    whom.add_argument("--again", action="store_true", help="everybody who was erased before")
    parser.add_argument("--also", default="", help="other names of --user: 'Ana Ruiz, ana@old.es'")
    parser.add_argument("--stage", default="", help="a deployed stage; else the local stack")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    if options.again and options.also:
        parser.error("--also goes with --user")
    try:
        return _run(options.stage, options.user, options.also, confirmed=options.yes)
    except (ErasureError, StoreUsersError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"It came to a stop: {error}. Run it again: that does no harm.\n")
        return STOPPED
    except stage.StageError as error:
        sys.stderr.write(f"It cannot be done: {error}\n")
        return UNUSABLE


def _run(name: str, user_id: str | None, also: str, *, confirmed: bool) -> int:
    place = stage.find(name)
    place.enter()
    people = [find(one, also) for one in ([user_id] if user_id else erased_before())]
    strangers = [one.id for one in people if not one.is_known]
    if strangers:
        sys.stderr.write(f"Nothing is stored of {strangers[0]}, nor was it: is that the id?\n")
        return UNUSABLE
    if not people:
        sys.stdout.write("Nobody was erased before.\n")
        return ERASED
    if not confirmed and not is_confirmed(people, place.target.stack):
        sys.stderr.write("Nothing was erased.\n")
        return REFUSED
    caller = place.target.client("sts").get_caller_identity()
    by = Author(caller["Arn"], caller["UserId"])
    queues = Queues(place.resources["ProjectionDeadLetters"], place.resources["ExportsDeadLetters"])
    for person in people:
        done = erase(person, by, _applying(name), queues)
        lines = "\n".join(done.lines())
        sys.stdout.write(f"{person.id} is erased from {place.target.stack}:\n{lines}\n")
    sys.stdout.write(_BEYOND)
    return ERASED


def _applying(name: str) -> Apply:
    derivation = of_stage(name)

    def apply(records: Sequence[Record]) -> int:
        try:
            return derivation.apply(records)
        except stage.StageError as error:
            raise ErasureError(str(error)) from error

    return apply


def is_confirmed(people: Sequence[Person], stack: str) -> bool:
    """Whether somebody has typed the ids, having been told what goes with them."""
    ids = " ".join(person.id for person in people)
    sys.stdout.write(f"To be erased from {stack}, for good: {ids}\n")
    ecosystems = [name for person in people for name in person.ecosystems]
    if ecosystems:
        sys.stdout.write(f"Gateways will let nobody into: {' '.join(ecosystems)}\n")
    if not sys.stdin.isatty():
        sys.stderr.write("Nobody is here to confirm it: say YES=1 if it is meant.\n")
        return False
    sys.stdout.write("Type the id (or ids) to confirm: ")
    sys.stdout.flush()
    return sys.stdin.readline().split() == ids.split()


if __name__ == "__main__":
    sys.exit(main())
