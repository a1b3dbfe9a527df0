"""Build what is deployed: `out/deployment.zip` and `out/template.yaml`, nothing but them.

`python -m infra.package` builds; a build whose inputs are those of the last one is not repeated.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from infra import archive
from infra.dashboard import dashboard
from infra.gateway_responses import gateway_responses
from infra.page import JoinError
from infra.reference import add_swagger_ui

ROOT = Path(__file__).parent.parent
OUT = ROOT / "out"
TEMPLATE = OUT / "template.yaml"
ARCHIVE = OUT / "deployment.zip"

_BEARER = "[Bb][Ee][Aa][Rr][Ee][Rr] [A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+"
"""A bearer token of three parts (RFC 7519): API Gateway answers all else without the authorizer."""

_STAMP = OUT / "inputs.sha256"
_LARGEST = 8
_INPUTS = ("app.py", "chalicelib", ".chalice", "requirements.txt", "requirements-dev.txt", "infra")


class PackageError(Exception):
    """The package could not be built; the message says why, or what Chalice said."""


@dataclass(frozen=True, slots=True)
class Package:
    """What is deployed: the code of the functions, and the template that names them."""

    archive: Path
    template: Path


BUILT = Package(ARCHIVE, TEMPLATE)
"""What `build` builds."""


def build() -> bool:
    """Build the package unless it is up to date; whether it was built. Raises `PackageError`."""
    with _one_at_a_time():
        add_swagger_ui()
        fingerprint = _fingerprint()
        if _STAMP.exists() and _STAMP.read_text() == fingerprint and ARCHIVE.exists():
            return False
        shutil.rmtree(OUT, ignore_errors=True)
        _run_chalice()
        try:
            archive.finish(ARCHIVE)
        except JoinError as error:
            raise PackageError(str(error)) from error
        _finish_template()
        _STAMP.write_text(fingerprint)
        return True


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for another build of this checkout; the lock is on its folder, and leaves no file."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _fingerprint() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in _INPUTS:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc" and "deployments" not in file.parts:
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _run_chalice() -> None:
    """Chalice names the region in the template only where it must know one; any will do."""
    command = [
        *(str(Path(sys.executable).with_name("chalice")), "package", "--stage", "package"),
        *("--template-format", "yaml", "--merge-template", "infra/resources.yaml", str(OUT)),
    ]
    environment = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ}
    done = subprocess.run(  # noqa: S603 - our own words
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageError(done.stderr or done.stdout)


def _finish_template() -> None:
    made = OUT / "sam.yaml"
    template = yaml.safe_load(made.read_text())
    template["Description"] = "Store Users: customers and leads of the shop"
    api = template["Resources"]["RestAPI"]["Properties"]
    api["GatewayResponses"] = gateway_responses()
    # Where the document of an API says another name than its resource, AWS takes either.
    document = api["DefinitionBody"]
    document["info"]["title"] = api["Name"]
    authorizer = document["securityDefinitions"]["authorizer"]["x-amazon-apigateway-authorizer"]
    authorizer["identityValidationExpression"] = _BEARER
    template["Resources"]["Dashboard"] = dashboard()
    TEMPLATE.write_text(yaml.safe_dump(template, allow_unicode=True, sort_keys=False))
    made.unlink()


def main() -> int:
    """Build, and say what was built."""
    try:
        built = build()
    except PackageError as error:
        sys.stderr.write(f"The package could not be built:\n{error}\n")
        return 1
    _tell(built=built)
    return 0


def _tell(*, built: bool) -> None:
    sizes = archive.sizes(ARCHIVE)
    packed, unpacked = ARCHIVE.stat().st_size, sum(size for _, size in sizes.values())
    name = ARCHIVE.relative_to(ROOT)
    state = "" if built else ", up to date"
    sys.stdout.write(f"{name}: {_megabytes(packed)}, {_megabytes(unpacked)} unpacked{state}\n")
    for part, (size, whole) in list(sizes.items())[:_LARGEST]:
        sys.stdout.write(f"  {part:<16} {_megabytes(size):>8} {_megabytes(whole):>8} unpacked\n")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
