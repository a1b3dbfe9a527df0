"""What is deployed: small, the same at each build, and with all that the functions need."""

import ast
import importlib.util
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from infra import archive, package
from infra.package import ARCHIVE, ROOT, TEMPLATE
from infra.page import travelling

MAX_BYTES = 12_000_000
MACHINES = {"x86_64": 62, "arm64": 183}
"""`e_machine` in the head of an ELF file: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html"""
UNCHECKED_HASH = 1
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")

# What each function loads before it is called: the rest is loaded by who needs it.
ENTRY_POINTS = {
    "app.app": {"chalice", "botocore", "pynamodb"},
    "chalicelib.api.auth.authorizer": {"chalice"},
    "chalicelib.triggers.schedule.schedule": {"chalice", "botocore", "pynamodb"},
    "chalicelib.triggers.stream.stream": {"chalice", "botocore", "pynamodb"},
    "chalicelib.triggers.watch.watch": {"chalice", "botocore", "pynamodb"},
    "chalicelib.triggers.worker.worker": {"chalice", "botocore", "pynamodb"},
}
# What Lambda sets, of what matters here.
LAMBDA = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
HEAVY = {
    *("boto3", "botocore", "chalice", "cryptography", "jsonschema"),
    *("jwt", "openpyxl", "pynamodb", "s3transfer"),
}


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    package.build()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(ARCHIVE) as made:
        made.extractall(folder)
    return folder


@cache
def _entries() -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(ARCHIVE) as made:
        return made.infolist()


def _names() -> set[str]:
    return {entry.filename for entry in _entries()}


@cache
def _template(architecture: str = package.HERE) -> dict[str, Any]:
    package.build(architecture)
    template: dict[str, Any] = yaml.safe_load(package.built(architecture).template.read_text())
    return template


@cache
def _functions(architecture: str = package.HERE) -> dict[str, Any]:
    resources = _template(architecture)["Resources"]
    functions = [one for one in resources.values() if one["Type"] == "AWS::Serverless::Function"]
    return {one["Properties"]["Handler"]: one["Properties"] for one in functions}


def _in_lambda(folder: Path, program: str) -> Any:
    """What the program prints, as JSON, where nothing of this environment is but Python."""
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}",
        ],
        cwd=folder,
        env=LAMBDA,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_package_is_small() -> None:
    for architecture in package.ARCHITECTURES:
        package.build(architecture)
        assert package.built(architecture).archive.stat().st_size <= MAX_BYTES


def test_two_builds_are_the_same_to_the_byte(tmp_path: Path) -> None:
    for name in ("app.py", "chalicelib", ".chalice", "infra", *REQUIREMENTS):
        source, copy = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(
                source, copy, ignore=shutil.ignore_patterns("__pycache__", "deployments")
            )
        else:
            shutil.copy(source, copy)
    # Other times and modes than here, and code that was compiled in passing.
    for file in (tmp_path / "chalicelib").glob("*.py"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
        file.chmod(0o600)
    stale = tmp_path / "chalicelib" / "__pycache__" / "clock.cpython-312.pyc"
    stale.parent.mkdir()
    stale.write_bytes(b"of another Python")
    done = subprocess.run(
        [sys.executable, "-m", "infra.package"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "America/Bogota"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"out/\w+/deployment\.zip: \d+\.\d MB, \d+\.\d MB unpacked\n", done.stdout)
    made = tmp_path / "out" / package.HERE
    assert (made / "deployment.zip").read_bytes() == ARCHIVE.read_bytes()
    assert (made / "template.yaml").read_bytes() == TEMPLATE.read_bytes()


def test_every_entry_can_be_read_by_lambda_and_says_no_time() -> None:
    assert {entry.external_attr >> 16 for entry in _entries()} == {0o100644}
    assert {entry.date_time for entry in _entries()} == {(1980, 1, 1, 0, 0, 0)}


def test_botocore_describes_exactly_the_services_that_are_called() -> None:
    made = "\n".join(file.read_text() for file in (ROOT / "chalicelib").rglob("*.py"))
    asked = set(re.findall(r'boto3\.client\("(\w+)"', made)) | {"dynamodb"}  # PynamoDB's
    described = {
        PurePosixPath(name).parts[2]
        for name in _names()
        if name.startswith("botocore/data/") and name.count("/") > 2
    }
    assert described == asked == archive.SERVICES


def test_nothing_is_shipped_that_only_developers_read() -> None:
    parts = {part for name in _names() for part in PurePosixPath(name).parts[:-1]}
    assert not parts & {"tests", "examples", "benchmarks", "pip", "setuptools"}
    assert {name.rpartition("/")[2] for name in _names() if ".dist-info/" in name} == {"METADATA"}
    assert not [name for name in _names() if name.endswith((".pyi", "examples-1.json.gz"))]


def test_every_file_of_the_application_is_shipped() -> None:
    files = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "chalicelib").rglob("*")
        if file.is_file() and not {"__pycache__", "ui"} & set(file.parts)
    }
    assert "chalicelib/api/pages.py" in files
    assert files <= _names()


def test_the_page_is_shipped_as_it_travels_and_not_as_it_is_written() -> None:
    with zipfile.ZipFile(ARCHIVE) as made:
        shipped = {
            name.rpartition("/")[2]: made.read(name).decode()
            for name in made.namelist()
            if name.startswith("chalicelib/ui/")
        }
    assert shipped == travelling(ROOT / "chalicelib" / "ui")
    assert not re.search(r"^\s*(//|/\*)", "\n".join(shipped.values()), re.MULTILINE)


def _compiled() -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(ARCHIVE) as made:
        for name in sorted(_names()):
            if name.endswith(".py"):
                folder, _, file = name.rpartition("/")
                tag = f"{file.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
                yield name, made.read(f"{folder}/__pycache__/{tag}".lstrip("/"))


def test_every_module_is_compiled_for_the_python_of_the_functions_and_never_checked() -> None:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert {one["Runtime"] for one in _functions().values()} == {version}
    modules = list(_compiled())
    assert len(modules) > 500
    for name, code in modules:
        assert code[:4] == importlib.util.MAGIC_NUMBER, name
        assert struct.unpack("<I", code[4:8])[0] == UNCHECKED_HASH, name


@cache
def _contents(architecture: str) -> dict[str, bytes]:
    package.build(architecture)
    with zipfile.ZipFile(package.built(architecture).archive) as made:
        return {name: made.read(name) for name in made.namelist()}


@pytest.mark.parametrize("architecture", package.ARCHITECTURES)
def test_every_binary_is_for_the_machine_and_the_python_of_the_functions(architecture: str) -> None:
    machines = {tuple(one["Architectures"]) for one in _functions(architecture).values()}
    assert machines == {(architecture,)}
    contents = _contents(architecture)
    libraries = [name for name in contents if name.endswith(".so")]
    assert len(libraries) >= 4
    # The C library of Lambda: Amazon Linux 2 as far as Python 3.11, then Amazon Linux 2023. Source:
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
    newest = 26 if sys.version_info < (3, 12) else 34
    for name in libraries:
        header = contents[name][:20]
        assert header[:4] == b"\x7fELF", name
        assert struct.unpack("<H", header[18:])[0] == MACHINES[architecture], name
        assert re.search(rf"\.({sys.implementation.cache_tag}-.*|abi3)\.so$", name), name
        needed = [int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)", contents[name])]
        assert max(needed) <= newest, name


def test_packages_of_two_architectures_differ_in_binaries_alone() -> None:
    """What is tried on this machine is what runs on the other, but for four libraries."""
    arm, intel = (
        {
            name: content
            for name, content in _contents(one).items()
            # The description of a wheel names its platform no more than its text does.
            if not name.endswith(".so")
        }
        for one in package.ARCHITECTURES
    )
    assert arm == intel


def test_templates_of_two_architectures_differ_in_the_architecture_alone() -> None:
    arm, intel = (json.dumps(_template(one)) for one in package.ARCHITECTURES)
    assert arm != intel
    assert arm.replace("arm64", "x86_64") == intel


def test_the_architectures_are_packaged_with_the_same_policies() -> None:
    stages = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]
    assert set(stages) == set(package.ARCHITECTURES)
    for name, stage in stages.items():
        assert stage.pop("lambda_architecture") == name
    assert stages["arm64"] == stages["x86_64"]


def test_each_function_of_the_template_has_an_entry_point() -> None:
    assert _functions().keys() == ENTRY_POINTS.keys()


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_an_entry_point_loads_from_the_package_alone_and_only_what_it_needs(
    unpacked: Path, entry_point: str
) -> None:
    module, _, name = entry_point.rpartition(".")
    program = f"""
import importlib, json
assert callable(getattr(importlib.import_module({module!r}), {name!r}))
print(json.dumps(sorted(name.partition(".")[0] for name in sys.modules)))
"""
    loaded = set(_in_lambda(unpacked, program))
    assert loaded & HEAVY == ENTRY_POINTS[entry_point]


def _imported_late() -> set[str]:
    """The modules that functions of ours import when they are called."""
    found: set[str] = set()
    for file in (ROOT / "chalicelib").rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef):
                nodes = list(ast.walk(function))
                found |= {one.module or "" for one in nodes if isinstance(one, ast.ImportFrom)}
                imports = [one for one in nodes if isinstance(one, ast.Import)]
                found |= {alias.name for one in imports for alias in one.names}
    return found


def test_all_that_is_imported_late_is_in_the_package(unpacked: Path) -> None:
    late = sorted(_imported_late())
    assert {"boto3", "jsonschema", "jwt"} <= set(late)
    program = f"""
import importlib, json
for name in {late}:
    importlib.import_module(name)
print(json.dumps(sorted(name for name in {late} if name not in sys.modules)))
"""
    assert _in_lambda(unpacked, program) == []


def test_a_client_of_each_service_is_made_from_the_package_alone(unpacked: Path) -> None:
    program = f"""
import json
from botocore.session import Session
session = Session()
made = [session.create_client(name, region_name="eu-west-1") for name in {sorted(archive.SERVICES)}]
print(json.dumps([client.meta.endpoint_url for client in made]))
"""
    assert _in_lambda(unpacked, program) == [
        "https://dynamodb.eu-west-1.amazonaws.com",
        "https://s3.eu-west-1.amazonaws.com",
        "https://secretsmanager.eu-west-1.amazonaws.com",
        "https://sns.eu-west-1.amazonaws.com",
        "https://sqs.eu-west-1.amazonaws.com",
    ]
