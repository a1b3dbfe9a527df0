"""Swagger UI for the page of API documentation, from the package that requirements-dev.txt pins."""

import importlib.util
import shutil
from filecmp import cmp
from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "chalicelib" / "reference"
# A file of the package `swagger_ui` → its name beside reference.js. Its licence wants to go along.
_FILES = {
    "swagger-ui-bundle.js": "swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui.css",
    "LICENSE": "license.txt",
}


def add_swagger_ui() -> None:
    """Put the files of Swagger UI where Chalice packages them, unless they are there."""
    spec = importlib.util.find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        message = "swagger-ui-py is not installed: remove .venv/ready and run make again"
        raise FileNotFoundError(message)
    for name, shipped in _FILES.items():
        source, target = Path(spec.origin).parent / "static" / name, _FOLDER / shipped
        if not target.exists() or not cmp(source, target, shallow=False):
            shutil.copyfile(source, target)
