"""The oldest template, which holds data and no functions, on an emulator of its own."""

from typing import Any

import boto3

from infra.package import ROOT

OLDEST = ROOT / "tests" / "fixtures" / "oldest-template.yaml"


def client(port: int, service: str) -> Any:
    """A client of the service on the emulator."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        endpoint_url=f"http://localhost:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def outputs(port: int, stage: str) -> dict[str, str]:
    """The outputs of the stage's stack."""
    cloudformation = client(port, "cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=f"store-users-{stage}")["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def deploy_oldest(
    port: int, stage: str, *, protected: bool = False, retained: bool = False
) -> dict[str, str]:
    """Deploy it as the stage, its data to be retained as today's is or not; its outputs."""
    cloudformation = client(port, "cloudformation")
    name = f"store-users-{stage}"
    policy = "DeletionPolicy: Retain" if retained else "DeletionPolicy: Delete"
    parameters = {
        "Stage": stage,
        "DeletionProtection": "true" if protected else "false",
        "PasswordSignIn": "true",
        "EmulatorEndpoint": f"http://localhost:{port}",
    }
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=OLDEST.read_text().replace("DeletionPolicy: Delete", policy),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    names = outputs(port, stage)
    if not protected:
        # MiniStack takes the text "false" for true; today's template has a truth value there.
        for output in (one for one in names if one.endswith("Table")):
            client(port, "dynamodb").update_table(
                TableName=names[output], DeletionProtectionEnabled=False
            )
    return names
