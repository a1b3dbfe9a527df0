"""The page's files as they travel: its modules in one, without what is for readers of the sources.

Each file that a browser asks for is a request to API Gateway and a call of a function, and is
compressed by itself: apart, twenty modules are some twenty calls and 7 kB more.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import rcssmin
import rjsmin

_FIRST = "main.js"
_IMPORT = re.compile(r'^import \{ ([\w$, ]+) \} from "\./(\w+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) [\w$])", re.MULTILINE)
_DECLARED = re.compile(r"^(export )?(?:async )?(?:function|class|const|let) ([\w$]+)", re.MULTILINE)
_UNKNOWN = re.compile(
    r"^(?:import\b|export\b|var\b|function\*|(?:const|let) [{\[]).*", re.MULTILINE
)
_NEEDLESS = re.compile(r"[,;](?=\})|,(?=[\])])")
"""A comma or semicolon behind the last of several, which rjsmin leaves."""

_PRELOAD = re.compile(r'^<link rel="modulepreload".*\n', re.MULTILINE)


class JoinError(ValueError):
    """The modules cannot be put into one as they are written; the message says which and why."""


def pack(folder: Path) -> None:
    """Write the page's files anew as they travel, in place of the sources. Raises `JoinError`."""
    packed = travelling(folder)
    for file in list(folder.iterdir()):
        file.unlink()
    for name, text in packed.items():
        (folder / name).write_text(text, "utf-8")


def travelling(folder: Path) -> dict[str, str]:
    """The page's files by name, made of the sources in the folder. Raises `JoinError`."""
    sources = {path.name: path.read_text("utf-8") for path in sorted(folder.iterdir())}
    order = _order(sources)
    texts = {name: text for name, text in sources.items() if name not in order}
    texts[_FIRST] = joined({name: sources[name] for name in order})
    return {name: minified(name, text) for name, text in texts.items()}


def _order(sources: Mapping[str, str]) -> list[str]:
    """The first module and all that it needs, in the order in which a browser runs them.

    That is depth first, each after what it imports (ECMA-262, 16.2.1.5.3).
    """
    order: list[str] = []
    open_now: list[str] = []

    def visit(name: str) -> None:
        if name in open_now:
            message = f"{' needs '.join([*open_now, name])}: a circle cannot be joined"
            raise JoinError(message)
        if name in order:
            return
        open_now.append(name)
        for _, needed in _IMPORT.findall(sources[name]):
            visit(needed)
        order.append(open_now.pop())

    visit(_FIRST)
    return order


def joined(modules: Mapping[str, str]) -> str:
    """One module that does what these do, run in their order. Raises `JoinError`.

    They share one scope then: each name stands at the top of one module alone, and an import calls
    it what it is called there.
    """
    faults = [f"{name}: {fault}" for name in modules for fault in _faults(name, modules)]
    if faults:
        raise JoinError("\n".join(faults))
    return "".join(_without_borders(source) for source in modules.values())


def _faults(name: str, modules: Mapping[str, str]) -> Iterator[str]:
    """What stands in the way of putting the module into one with the others."""
    for names, needed in _IMPORT.findall(modules[name]):
        exported = {one for export, one in _DECLARED.findall(modules[needed]) if export}
        for missing in sorted(set(names.split(", ")) - exported):
            yield f"{missing} is no export of {needed}"
    for line in _UNKNOWN.findall(_without_borders(modules[name])):
        yield f"cannot be joined as it is written: {line}"
    for one in sorted(declared(modules[name])):
        for other, source in modules.items():
            if other != name and one in declared(source):
                yield f"{one} stands at the top of {other} too"


def _without_borders(source: str) -> str:
    return _EXPORT.sub("", _IMPORT.sub("", source))


def declared(source: str) -> set[str]:
    """The names at the top of a module."""
    return {one for _, one in _DECLARED.findall(source)}


def minified(name: str, text: str) -> str:
    """The text of the file without comments and needless blanks; nothing in it is renamed."""
    match Path(name).suffix:
        case ".js":
            return _NEEDLESS.sub("", str(rjsmin.jsmin(text)))
        case ".css":
            return str(rcssmin.cssmin(text))
        case ".json":
            return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
        case ".html":
            return _PRELOAD.sub("", text)
        case _:
            return text
