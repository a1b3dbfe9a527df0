"""Whether the stage is deployed as it should be: settings, tables, bucket, template."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml
from botocore.exceptions import ClientError

from chalicelib.settings import Settings, SettingsError
from infra import package
from infra.deploy import architecture_of
from infra.doctor.finding import Finding
from infra.parameters import (
    Declared,
    NoSectionError,
    StagesError,
    misfits,
    stage_parameters,
    stage_tags,
    stages_file,
)
from infra.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

FUNCTIONS = ("APIHandler", "Authorizer", "Stream", "Worker", "Schedule", "Watch")
TABLES = (
    "UsersTable",
    "EcosystemsTable",
    "SearchTable",
    "TotalsTable",
    "AuditTable",
    "ExportsTable",
)
_STREAMED = ("UsersTable", "AuditTable")
_DEPLOY = "make deploy STAGE={}, from the checkout that is meant to run there"
_DRIFT_SECONDS = 120
_FILLED_IN = {"PublicUrl", "EmulatorEndpoint"}
"""The parameters that a deployment finds out by itself."""


def configuration(stage: Stage) -> Iterator[Finding]:
    """The variables of each function, read as the function reads them."""
    client: LambdaClient = stage.target.client("lambda")
    for name in FUNCTIONS:
        found = client.get_function_configuration(FunctionName=stage.resources[name])
        variables = found.get("Environment", {}).get("Variables", {})
        try:
            Settings.from_env({"AWS_REGION": stage.target.region, **variables})
        except SettingsError as error:
            remedy = _DEPLOY.format(stage.target.stage)
            yield Finding(f"settings of {name}", is_well=False, seen=str(error), remedy=remedy)
        else:
            seen = f"{len(variables)} variables, {found['Runtime']}, {found['MemorySize']} MB"
            yield Finding(f"settings of {name}", is_well=True, seen=seen)


def tables(stage: Stage) -> Iterator[Finding]:
    """The tables and their indexes, and that they can be restored to a point in time."""
    client: DynamoDBClient = stage.target.client("dynamodb")
    for name in TABLES:
        table = client.describe_table(TableName=stage.resources[name])["Table"]
        indexes = table.get("GlobalSecondaryIndexes", [])
        states = [table["TableStatus"], *(one.get("IndexStatus", "ACTIVE") for one in indexes)]
        faults = [f"{state}, not ACTIVE" for state in states if state != "ACTIVE"]
        if name in _STREAMED and not table.get("StreamSpecification", {}).get("StreamEnabled"):
            faults.append("its stream is off")
        if _is_to_be_restored(stage) and not _can_be_restored(client, table["TableName"]):
            faults.append("point-in-time recovery is off")
        seen = ", ".join(faults) or f"active, {len(indexes)} indexes"
        remedy = _DEPLOY.format(stage.target.stage)
        yield Finding(f"table {name}", is_well=not faults, seen=seen, remedy=remedy)


def bucket(stage: Stage) -> Iterator[Finding]:
    """The bucket of the exports: private, and encrypted."""
    client: S3Client = stage.target.client("s3")
    name = stage.resources["ExportsBucket"]
    access = client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    rules = client.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    is_well = all(access.values()) and bool(rules)
    seen = "private and encrypted" if is_well else "open to the public, or not encrypted"
    yield Finding("bucket", is_well=is_well, seen=seen, remedy=_DEPLOY.format(stage.target.stage))
    keeps = client.get_bucket_versioning(Bucket=name).get("Status", "never switched on")
    remedy = f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration "
    yield Finding(
        "versions of files",
        # Deleted files would stay, beyond the days that are promised.
        is_well=keeps != "Enabled",
        seen=keeps,
        remedy=f"{remedy}Status=Suspended",
    )


def template(stage: Stage) -> Iterator[Finding]:
    """The stack against this checkout's template and settings, and against what is really there."""
    client: CloudFormationClient = stage.target.client("cloudformation")
    architecture = _architecture(stage)
    package.build(architecture)
    ours = yaml.safe_load(package.built(architecture).template.read_text())
    body: Any = client.get_template(StackName=stage.target.stack, TemplateStage="Original")[
        "TemplateBody"
    ]
    deployed = (yaml.safe_load(body) if isinstance(body, str) else body)["Resources"]
    yield _same("template and stack", differing(ours["Resources"], deployed), stage)
    yield from settings(stage, ours["Parameters"])
    yield _drift(client, stage)


def _architecture(stage: Stage) -> str:
    """That of this machine for the local stack, else the one in the file, or the deployed one."""
    try:
        return architecture_of(stage.target)
    except StagesError:
        client: LambdaClient = stage.target.client("lambda")
        name = stage.resources["APIHandler"]
        return client.get_function_configuration(FunctionName=name)["Architectures"][0]


def settings(stage: Stage, declared: Declared) -> Iterator[Finding]:
    """The stage's section of the settings: whether it can be deployed, and whether it is."""
    name, file = stage.target.stage, stages_file().name
    try:
        chosen, tags = stage_parameters(name), stage_tags(name)
    except NoSectionError:
        seen = f"none in {file}: deployed with others, from elsewhere"
        yield Finding(f"settings of {name}", is_well=True, seen=seen)
        return
    except StagesError as error:
        yield Finding(f"settings of {name}", is_well=False, seen=str(error), remedy=f"mend {file}")
        return
    wrong = misfits(chosen, declared)
    seen = "; ".join(wrong) or f"{len(chosen)} in {file}"
    yield Finding(f"settings of {name}", is_well=not wrong, seen=seen, remedy=f"mend {file}")
    others = other_parameters(chosen, stage.parameters, declared)
    yield _same(f"parameters and {file}", others, stage)
    # Others may have been added by whoever owns the account.
    untagged = sorted(key for key, value in tags.items() if stage.tags.get(key) != value)
    yield _same(f"tags and {file}", untagged, stage)


def differing(wanted: Mapping[str, Any], deployed: Mapping[str, Any]) -> list[str]:
    """The resources that are in one template alone, or not the same in both."""
    return [
        name
        for name in sorted({*wanted, *deployed})
        if _comparable(wanted.get(name)) != _comparable(deployed.get(name))
    ]


def _is_to_be_restored(stage: Stage) -> bool:
    """Whether point-in-time recovery is to be on. The emulator takes it, and says it were off."""
    return stage.target.endpoint is None and stage.parameters.get("RecoveryDays") != "0"


def _can_be_restored(client: "DynamoDBClient", table: str) -> bool:
    told = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = told.get("PointInTimeRecoveryDescription", {})
    return recovery.get("PointInTimeRecoveryStatus") == "ENABLED"


def _comparable(resource: Any) -> Any:
    """The resource without what each deployment writes in (`deploy.upload`)."""
    kind = resource["Type"] if resource else ""
    if kind == "AWS::Serverless::Function":
        return {**resource, "Properties": {**resource["Properties"], "CodeUri": ""}}
    if kind == "AWS::Serverless::Api":
        document = resource["Properties"]["DefinitionBody"]
        document = {**document, "info": {**document["info"], "version": ""}}
        return {**resource, "Properties": {**resource["Properties"], "DefinitionBody": document}}
    return resource


def other_parameters(
    chosen: Mapping[str, str], given: Mapping[str, str], declared: Declared
) -> list[str]:
    """The parameters that are not as chosen or, by default, as the template has them."""
    defaults = {name: str(one["Default"]) for name, one in declared.items() if "Default" in one}
    wanted = {**defaults, **chosen}
    names = sorted(wanted.keys() - _FILLED_IN)
    return [name for name in names if given.get(name) != wanted[name]]


def _same(about: str, differing: list[str], stage: Stage) -> Finding:
    seen = f"differ in {', '.join(differing)}" if differing else "the same"
    remedy = _DEPLOY.format(stage.target.stage)
    return Finding(about, is_well=not differing, seen=seen, remedy=remedy)


def _drift(client: "CloudFormationClient", stage: Stage) -> Finding:
    """What CloudFormation finds to have been changed behind its back. Takes a minute on AWS."""
    about = "stack and what is there"
    try:
        begun = client.detect_stack_drift(StackName=stage.target.stack)["StackDriftDetectionId"]
        found = client.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
        deadline = time.monotonic() + _DRIFT_SECONDS
        while found["DetectionStatus"] == "DETECTION_IN_PROGRESS":
            if time.monotonic() > deadline:
                return Finding(about, is_well=True, seen="CloudFormation still looks")
            time.sleep(2)
            found = client.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
    except ClientError as error:
        return Finding(about, is_well=False, seen=f"cannot be looked at: {error}")
    number = found.get("DriftedStackResourceCount", 0)
    seen = f"{number} resources were changed by hand" if number else "nothing was changed by hand"
    remedy = f"aws cloudformation describe-stack-resource-drifts --stack-name {stage.target.stack}"
    return Finding(about, is_well=not number, seen=seen, remedy=remedy)
