"""Hold the template against what AWS documents: `make conform`.

The template is transformed by SAM's own code. What comes out has to have the resources of
resources.txt, and to pass cfn-lint and the rules of `infra.conform.rules`. `RENEW=1` writes
resources.txt.

Exit status: 0 it conforms, 1 it does not.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from samtranslator.translator.transform import transform

from infra import package
from infra.conform.rules import RULES, Template

RESOURCES = Path(__file__).with_name("resources.txt")
"""The resources that a deployment makes: a logical id and a type a line."""

_REGION = "us-east-1"
_CODE = "s3://store-users-artifacts/code.zip"


class _NoManagedPolicies:
    """None is used, and SAM would ask IAM for their names."""

    def load(self) -> dict[str, str]:
        return {}


def transformed(template: Mapping[str, Any]) -> Template:
    """Return the template as CloudFormation gets it from the transform."""
    sent = json.loads(json.dumps(template))
    for resource in sent["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = _CODE
    # SAM asks boto3 for the region, for names of partitions alone.
    os.environ.setdefault("AWS_DEFAULT_REGION", _REGION)
    made: Template = transform(sent, {}, _NoManagedPolicies())
    return made


def resources(template: Template) -> list[str]:
    """The lines of resources.txt; the hash in the name of a deployment changes with the API."""
    return sorted(
        f"{re.sub('(?<=Deployment)[0-9a-f]{10}$', '<hash>', name)} {resource['Type']}"
        for name, resource in template["Resources"].items()
    )


def breaches(template: Template) -> Iterator[str]:
    """A sentence for each breach of a rule, with the page that documents it."""
    for rule, source in RULES.items():
        for sentence in rule(template):
            yield f"{sentence}. Source: {source}"


def changes(template: Template) -> Iterator[str]:
    """The lines that resources.txt lacks (+), or has too many (-)."""
    known, made = set(RESOURCES.read_text().splitlines()), set(resources(template))
    yield from (f"+ {line}" for line in sorted(made - known))
    yield from (f"- {line}" for line in sorted(known - made))


def _lint(template: Template) -> Iterator[str]:
    path = package.OUT / "transformed.json"
    path.write_text(json.dumps(template, indent=1))
    linter = str(Path(sys.executable).with_name("cfn-lint"))
    done = subprocess.run([linter, str(path)], capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        yield done.stdout + done.stderr


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.conform", description=__doc__)
    parser.add_argument("--renew", action="store_true", help="write resources.txt")
    given = parser.parse_args(arguments)
    package.build()
    template = transformed(yaml.safe_load(package.TEMPLATE.read_text()))
    if given.renew:
        RESOURCES.write_text("\n".join(resources(template)) + "\n")
    differing = list(changes(template))
    if differing:
        differing.append("If that is meant: make conform RENEW=1")
    found = [*differing, *breaches(template), *_lint(template)]
    sys.stdout.writelines(f"{one}\n" for one in found)
    if not found:
        sys.stdout.write(f"The template conforms: {len(template['Resources'])} resources\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
