"""The files of the page as they are deployed: which, what they weigh, what cannot be joined."""

import gzip
import re
from pathlib import Path

import pytest

from infra.package import ROOT
from infra.page import JoinError, joined, minified, pack, travelling

_UI = ROOT / "chalicelib" / "ui"
_MOST_BYTES = 25_000
_B = "export const b = 1;\n"


def test_all_modules_but_the_one_without_a_version_travel_as_one() -> None:
    files = travelling(_UI)
    assert files.keys() == {
        *("index.html", "main.js", "stuck.js", "style.css"),
        *("es.json", "en.json"),
    }
    assert re.findall(r'(?:href|src)="(ui/[^"]*)"', files["index.html"]) == [
        "ui/versions/{version}/style.css",
        "ui/stuck.js",
        "ui/versions/{version}/main.js",
    ]
    assert files["stuck.js"] == minified("stuck.js", (_UI / "stuck.js").read_text())
    assert not re.search(r"^(import|export)\b", files["main.js"], re.MULTILINE)


@pytest.mark.parametrize("other", ["es.json", "en.json"])
def test_the_page_weighs_no_more_than_it_may(other: str) -> None:
    """All that a reader loads in one language, each file compressed by itself, as it is sent."""
    sent = [text for name, text in travelling(_UI).items() if name != other]
    assert sum(len(gzip.compress(text.encode(), 9)) for text in sent) <= _MOST_BYTES


def test_modules_run_in_the_order_in_which_a_browser_runs_them(tmp_path: Path) -> None:
    for name, text in {
        "main.js": 'import { z } from "./z.js";\nimport { a } from "./a.js";\nrun(z, a);\n',
        "z.js": 'import { a } from "./a.js";\n/** What z is. */\nexport const z = a + 1;\n',
        "a.js": "// The first.\nconst hidden = 1;\nexport let a = hidden;\n",
        "alone.js": "alone();\n",
    }.items():
        (tmp_path / name).write_text(text)
    pack(tmp_path)
    files = {path.name: path.read_text().strip() for path in tmp_path.iterdir()}
    assert files == {
        "main.js": "const hidden=1;let a=hidden;const z=a+1;run(z,a);",
        "alone.js": "alone();",
    }


@pytest.mark.parametrize(
    ("main", "b", "fault"),
    [
        ('import { c } from "./b.js";\n', _B, "main.js: c is no export of b.js"),
        ("const b = 2;\n", _B, "main.js: b stands at the top of b.js too"),
        ("async function b() {}\n", _B, "main.js: b stands at the top of b.js too"),
        ('import { b as c } from "./b.js";\n', _B, "main.js: b as c is no export of b.js"),
        ('import * as b from "./b.js";\n', _B, "as it is written: import * as b from"),
        ('import "./b.js";\n', _B, 'as it is written: import "./b.js";'),
        ("", "export default 1;\n", "b.js: cannot be joined as it is written: export default 1;"),
        ("", "const b = 1;\nexport { b };\n", "b.js: cannot be joined as it is written: export {"),
        ("", "const [c, d] = [1, 2];\n", "b.js: cannot be joined as it is written: const [c, d]"),
    ],
)
def test_what_would_mean_something_else_in_one_module_is_refused(
    main: str, b: str, fault: str
) -> None:
    with pytest.raises(JoinError, match=re.escape(fault)):
        joined({"b.js": b, "main.js": main})


def test_modules_that_need_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "main.js").write_text('import { b } from "./b.js";\nexport const a = 1;\n')
    (tmp_path / "b.js").write_text('import { a } from "./main.js";\nexport const b = 1;\n')
    with pytest.raises(JoinError, match=re.escape("main.js needs b.js needs main.js")):
        travelling(tmp_path)
