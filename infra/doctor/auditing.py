"""Whether the chains of the audit hold: each entry with its hash and that of the one before."""

from collections import defaultdict
from collections.abc import Iterator

from chalicelib.settings import settings
from chalicelib.users import chain
from infra.doctor.finding import Finding
from infra.erase.person import scan
from infra.stage import Stage

_SHOWN = 20
_REMEDY = "docs/runbook.md, under: The audit was changed"


def chains(_: Stage) -> Iterator[Finding]:
    """Every subject of the audit whose chain breaks, with the first entry that does not fit.

    It reads the whole table, and keeps the key and the hashes of each entry in memory.
    """
    links: dict[str, list[chain.Link]] = defaultdict(list)
    for item in scan(settings().audit_table):
        links[item["subject"]["S"]].append(chain.Link.of(item))
    broken = {subject: found for subject in links if (found := chain.find_break(links[subject]))}
    for subject, found in sorted(broken.items())[:_SHOWN]:
        seen = f"breaks at {found.entry}: {found.cause}"
        yield Finding(f"audit of {subject}", is_well=False, seen=seen, remedy=_REMEDY)
    seen = f"{len(broken)} of {len(links)} subjects break"
    if not broken:
        seen = f"{sum(map(len, links.values()))} entries of {len(links)} subjects, all in place"
    yield Finding("audit", is_well=not broken, seen=seen, remedy=_REMEDY)
