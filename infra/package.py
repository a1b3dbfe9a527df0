"""Build what is deployed: code and template, for an architecture of Lambda.

`python -m infra.package` builds for this machine, whose functions the local stack runs. A build
whose inputs are those of the last one is not repeated.
"""

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
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
ARCHITECTURES = ("arm64", "x86_64")
"""Of Lambda; .chalice/config.json has a stage of each name."""
HERE = "arm64" if platform.machine() == "aarch64" else "x86_64"
"""The architecture of this machine."""

_BEARER = "[Bb][Ee][Aa][Rr][Ee][Rr] [A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+"
"""A bearer token of three parts (RFC 7519): API Gateway answers all else without the authorizer."""

_LARGEST = 8
_INPUTS = ("app.py", "chalicelib", ".chalice", "requirements.txt", "requirements-dev.txt", "infra")


class PackageError(Exception):
    """The package could not be built; the message says why, or what Chalice said."""


@dataclass(frozen=True, slots=True)
class Package:
    """What is deployed: the code of the functions, and the template that names them."""

    archive: Path
    template: Path


def built(architecture: str) -> Package:
    """What `build` builds for the architecture."""
    folder = OUT / architecture
    return Package(folder / "deployment.zip", folder / "template.yaml")


BUILT = built(HERE)
ARCHIVE, TEMPLATE = BUILT.archive, BUILT.template


def build(architecture: str = HERE) -> bool:
    """Build the package unless it is up to date; whether it was built. Raises `PackageError`."""
    with _one_at_a_time():
        add_swagger_ui()
        made, stamp = built(architecture), OUT / architecture / "inputs.sha256"
        fingerprint = _fingerprint()
        if stamp.exists() and stamp.read_text() == fingerprint and made.archive.exists():
            return False
        shutil.rmtree(stamp.parent, ignore_errors=True)
        _run_chalice(architecture)
        try:
            archive.finish(made.archive)
        except JoinError as error:
            raise PackageError(str(error)) from error
        _finish_template(made.template)
        stamp.write_text(fingerprint)
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


def _run_chalice(architecture: str) -> None:
    """Chalice names the region in the template only where it must know one; any will do."""
    command = [
        *(str(Path(sys.executable).with_name("chalice")), "package", "--stage", architecture),
        *("--template-format", "yaml", "--merge-template", "infra/resources.yaml"),
        str(OUT / architecture),
    ]
    environment = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ}
    done = subprocess.run(  # noqa: S603 - our own words
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackageError(done.stderr or done.stdout)


def _finish_template(path: Path) -> None:
    made = path.with_name("sam.yaml")
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
    path.write_text(yaml.safe_dump(template, allow_unicode=True, sort_keys=False))
    made.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, and say what was built."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--architecture", choices=ARCHITECTURES, default=HERE)
    architecture: str = parser.parse_args(arguments).architecture
    try:
        is_new = build(architecture)
    except PackageError as error:
        sys.stderr.write(f"The package could not be built:\n{error}\n")
        return 1
    _tell(built(architecture).archive, is_new=is_new)
    return 0


def _tell(made: Path, *, is_new: bool) -> None:
    sizes = archive.sizes(made)
    packed, unpacked = made.stat().st_size, sum(size for _, size in sizes.values())
    name = made.relative_to(ROOT)
    state = "" if is_new else ", up to date"
    sys.stdout.write(f"{name}: {_megabytes(packed)}, {_megabytes(unpacked)} unpacked{state}\n")
    for part, (size, whole) in list(sizes.items())[:_LARGEST]:
        sys.stdout.write(f"  {part:<16} {_megabytes(size):>8} {_megabytes(whole):>8} unpacked\n")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
