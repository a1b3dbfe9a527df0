"""Deploy the package with CloudFormation: to an AWS account, or to the local stack, the same way.

`python -m infra.deploy --stage NAME` deploys the stack `store-users-NAME` with the credentials and
the region of the environment, and the settings of infra/stages.toml.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from infra import package
from infra.changes import QUIET, Change, Options
from infra.emulator_gaps import apply_gateway_responses
from infra.package import BUILT, Package, PackageError
from infra.parameters import (
    StagesError,
    misfits,
    stage_architecture,
    stage_parameters,
    stage_rollback_minutes,
    stage_tags,
    stages_file,
)
from infra.remains import RefusedError, remove_failed
from infra.target import (
    NEVER_STOOD,
    DeployError,
    Target,
    describe_stack,
    endpoint_of_environment,
    stack_outputs,
)

_NOT_OF_THE_DEPLOYMENT = {"DefinitionBody", "GatewayResponses", "MethodSettings"}
"""The document, what SAM puts into it, and settings of the stage, which take effect at once."""

API_PARAMETERS = ("DomainName",)
"""The parameters on which the other properties of the API depend, and that may change."""


def deploy(
    target: Target,
    parameters: Mapping[str, str],
    tags: Mapping[str, str] | None = None,
    what: Package = BUILT,
    options: Options = QUIET,
) -> dict[str, str]:
    """Create the stack, or bring it up to the package; its outputs. Raises `DeployError`.

    A second pass follows a creation. The address of the API is known only then, and the functions
    cannot refer to it without a circle in the template. Tables and pool are protected only then:
    what is protected would outlive a creation that fails.
    """
    template = yaml.safe_load(what.template.read_text())
    if wrong := misfits(parameters, template["Parameters"]):
        raise DeployError("\n  ".join([f"see {stages_file().name}:", *wrong]))
    address = upload(target, template, what.archive, parameters)
    change = Change(target, template, address, tags or {}, options)
    _remove_failed_creation(target, options)
    emulated = {"EmulatorEndpoint": target.endpoint} if target.endpoint else {}
    given = {**emulated, **_stored_public_url(target), **parameters}
    created = not describe_stack(target)
    first = {**given, "DeletionProtection": "false"} if created else given
    outputs = change.apply(first, watched=not created)
    address = parameters.get("PublicUrl") or _address(target, parameters, outputs)
    if created or outputs["PublicUrl"] != address:
        outputs = change.apply({**given, "PublicUrl": address})
    if target.endpoint is not None:
        apply_gateway_responses(target.client("apigateway"), outputs["RestAPIId"])
    return outputs


def architecture_of(target: Target) -> str:
    """Return that of this machine for an emulator, which runs the functions here; else the stage's.

    Raises `StagesError`.
    """
    return package.HERE if target.endpoint else stage_architecture(target.stage)


def _remove_failed_creation(target: Target, options: Options) -> None:
    status = describe_stack(target).get("StackStatus")
    if status not in NEVER_STOOD:
        return
    options.tell(
        f"The stack {target.stack} was never made whole ({status}). Its remains are removed."
    )
    try:
        remove_failed(target)
    except RefusedError as error:
        raise DeployError(str(error)) from error


def _stored_public_url(target: Target) -> dict[str, str]:
    stored = stack_outputs(target).get("PublicUrl")
    return {"PublicUrl": stored} if stored else {}


def _address(target: Target, parameters: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    if domain := parameters.get("DomainName"):
        return f"https://{domain}"
    if target.endpoint is None:
        return outputs["EndpointURL"].rstrip("/")
    return f"{target.endpoint}/_aws/execute-api/{outputs['RestAPIId']}/api"


def upload(target: Target, template: Any, code: Path, parameters: Mapping[str, str]) -> str:
    """Put code and template where CloudFormation finds them; the template's address."""
    _mark_properties(template["Resources"]["RestAPI"]["Properties"], parameters)
    s3 = target.client("s3")
    account = target.client("sts").get_caller_identity()["Account"]
    bucket = _artifacts_bucket(target, account)
    # Somebody else could have made a bucket of that name.
    ours = {"Bucket": bucket, "ExpectedBucketOwner": account}
    archive = code.read_bytes()
    key = f"{hashlib.sha256(archive).hexdigest()}.zip"
    s3.put_object(**ours, Key=key, Body=archive)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{key}"
    # As JSON: CloudFormation refuses the aliases that YAML writes for what occurs twice. Source:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    text = json.dumps(template, ensure_ascii=False, separators=(",", ":")).encode()
    template_key = f"{hashlib.sha256(text).hexdigest()}.json"
    s3.put_object(**ours, Key=template_key, Body=text)
    address: str = s3.meta.endpoint_url
    return f"{address}/{bucket}/{template_key}"


def _mark_properties(api: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """Make the version of the API's document a hash of all else that a deployment of it serves.

    SAM deploys an API again only where its document changes, so that a change of another property,
    such as the compression, would not reach the stage. Source: `make_auto_deployable` in
    https://github.com/aws/serverless-application-model/blob/develop/samtranslator/model/apigateway.py
    """
    others = {name: value for name, value in api.items() if name not in _NOT_OF_THE_DEPLOYMENT}
    used = {name: parameters.get(name) for name in API_PARAMETERS}
    digest = hashlib.sha256(json.dumps([others, used], sort_keys=True).encode()).hexdigest()
    api["DefinitionBody"]["info"]["version"] = digest[:12]


def _artifacts_bucket(target: Target, account: str) -> str:
    bucket = f"store-users-artifacts-{account}-{target.region}"
    s3 = target.client("s3")
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            message = f"The bucket {bucket} is not this account's, or cannot be used: {error}"
            raise DeployError(message) from error
        location = {"LocationConstraint": target.region}
        extra = {} if target.region == "us-east-1" else {"CreateBucketConfiguration": location}
        s3.create_bucket(Bucket=bucket, **extra)
        s3.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
    return bucket


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Deploy to AWS; say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument(
        "--replace",
        dest="replaceable",
        metavar="NAME",
        nargs="*",
        default=(),
        help="what may be lost with its data, as the template names it: SearchTable",
    )
    arguments = parser.parse_args()
    stage: str = arguments.stage
    region = boto3.Session().region_name
    if not region:
        sys.stderr.write("Say which region: export AWS_DEFAULT_REGION=us-east-1\n")
        return 2
    try:
        parameters, tags = stage_parameters(stage), stage_tags(stage)
        options = Options(arguments.replaceable, stage_rollback_minutes(stage), _say)
        target = Target(stage, region, endpoint_of_environment())
        package.build(architecture_of(target))
        what = package.built(architecture_of(target))
        outputs = deploy(target, parameters, tags, what, options=options)
    except (StagesError, DeployError, PackageError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"The deployment did not go through: {error}\n")
        return 1
    people = f"user pool {outputs['UserPoolId']}" if "UserPoolId" in outputs else "your issuer's"
    sys.stdout.write(f"{outputs['PublicUrl']}/ is up; people: {people}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
