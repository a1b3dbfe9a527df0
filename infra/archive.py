"""Chalice's archive made small, quick to import, and the same to the byte at each build."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

from infra import page

SERVICES = frozenset({"dynamodb", "s3", "secretsmanager", "sns", "sqs"})
"""The services that the functions call: botocore describes some four hundred, 15 MB of them."""

_SERVICE_DATA = ("botocore", "data")
_UNNEEDED = frozenset({"__pycache__", "benchmarks", "tests"})
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can say: none of these files has a time that matters."""


def finish(archive: Path) -> None:
    """Write the archive anew: what runs, small, compiled, in fixed order, with fixed times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(archive) as made:
            for entry in made.namelist():
                if is_needed(PurePosixPath(entry)):
                    made.extract(entry, folder)
        page.pack(folder / "chalicelib" / "ui")
        _compile(folder)
        _write(folder, archive)


def is_needed(path: PurePosixPath) -> bool:
    """Whether the functions need the file."""
    parts = path.parts
    if parts[:2] == _SERVICE_DATA and len(parts) > 3:  # noqa: PLR2004 - botocore/data/sqs/…
        # The examples are for botocore's documentation.
        return parts[2] in SERVICES and not path.name.startswith("examples-")
    if parts[:1] == ("boto3",) and parts[1:2] in {("data",), ("examples",)}:
        # Resources, which nobody uses here, and the documentation's examples.
        return False
    if parts[0].endswith(".dist-info"):
        # Amazon Inspector reads there which releases are deployed.
        return path.name == "METADATA"
    # What this machine once compiled in passing, of whatever Python, is not what is deployed.
    return not _UNNEEDED & set(parts[:-1]) and path.suffix != ".pyi"


def _compile(folder: Path) -> None:
    """Put compiled code beside the sources, which tracebacks show their lines from.

    Lambda's file system is read-only: without it each cold start would compile everything again.
    The hash is never checked, since the files of a deployment do not change and the times of an
    unpacked archive mean nothing. The order of sets in compiled code hangs on the hash seed.
    """
    subprocess.run(  # noqa: S603 - our own words
        [
            *(sys.executable, "-m", "compileall", "-q", "-f", "-s", str(folder)),
            *("--invalidation-mode", "unchecked-hash", str(folder)),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=True,
    )


def _write(folder: Path, archive: Path) -> None:
    part = archive.with_suffix(".part")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(part, "w") as made:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, file.read_bytes(), compresslevel=9)
    shutil.move(part, archive)


def sizes(archive: Path) -> dict[str, tuple[int, int]]:
    """The bytes of each library, or file beside them, packed and unpacked; the largest first."""
    packed: Counter[str] = Counter()
    unpacked: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as made:
        for entry in made.infolist():
            name = entry.filename.partition("/")[0]
            packed[name] += entry.compress_size
            unpacked[name] += entry.file_size
    return {name: (size, unpacked[name]) for name, size in packed.most_common()}
