"""The files of the page as they travel: without what is for readers of the sources alone."""

import json
from pathlib import Path

import rcssmin
import rjsmin


def minify(folder: Path) -> None:
    """Write the files of the folder anew, minified."""
    for file in folder.iterdir():
        file.write_text(minified(file.name, file.read_text("utf-8")), "utf-8")


def minified(name: str, text: str) -> str:
    """The text of the file without comments and needless blanks; nothing in it is renamed."""
    match Path(name).suffix:
        case ".js":
            return str(rjsmin.jsmin(text))
        case ".css":
            return str(rcssmin.cssmin(text))
        case ".json":
            return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
        case _:
            return text
