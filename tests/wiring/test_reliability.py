"""The table of faults names tests that there are."""

import re

from infra.package import ROOT


def test_every_fault_is_held_by_a_test_that_there_is() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text()
    code = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    tests = re.findall(r"^def (test_\w+)", code, re.MULTILINE)
    named = re.findall(r"`…(\w+)(…?)`", text)
    assert len(named) > 50
    unknown = [
        part
        for part, cut in named
        if not any(part in name if cut else name.endswith(part) for name in tests)
    ]
    assert unknown == []
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    assert [row for row in rows if "`" not in row.rsplit("|", 2)[1]] == []
