"""The page that tells what was proved on AWS: written from the results of the walk alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.package import ROOT
from infra.prove.trial import OK, Result

PAGE = ROOT / "docs" / "proved-on-aws.md"


@dataclass(frozen=True, slots=True)
class Run:
    """When, from which commit, and where the walk was. `commit` is empty where it is not known."""

    day: str
    commit: str
    is_clean: bool
    region: str
    stage: str
    is_on_aws: bool


def obstacles(run: Run, results: Sequence[Result]) -> Iterator[str]:
    """Why there is nothing to write down, a sentence each."""
    for result in results:
        if result.state != OK:
            yield f"The step «{result.name}» {result.state}: {result.seen}"
    if not run.is_on_aws:
        yield "This was an emulator, not AWS"
    if not (run.commit and run.is_clean):
        yield "The files are not those of a commit"


def write(run: Run, results: Sequence[Result], page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text(_text(run, results))


def _text(run: Run, results: Sequence[Result]) -> str:
    rows = "\n".join(
        f"| {one.name} | {one.state} | {one.seconds} | {_cell(one.seen)} |" for one in results
    )
    return f"""# Proved on AWS

`make prove STAGE={run.stage}` wrote this page from what it saw, on {run.day} in {run.region}, with
the code of commit `{run.commit}`. It removed the stage afterwards. How it is done:
[operating.md](operating.md#prove-it-on-aws).

| step | result | seconds | seen |
| --- | --- | --- | --- |
{rows}
"""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
