"""What the emulator's CloudFormation leaves undone, done through the emulator's own API.

MiniStack 1.5 serves customised gateway responses, but does not read them from the body of the API
that a template brings (`x-amazon-apigateway-gateway-responses`), as AWS does.
"""

from typing import TYPE_CHECKING, cast

from infra.gateway_responses import gateway_responses

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigateway.literals import GatewayResponseTypeType

_STAGE = "api"


def apply_gateway_responses(client: "APIGatewayClient", api_id: str) -> None:
    """Give the API its gateway responses, and deploy it so that they count."""
    for name, response in gateway_responses().items():
        headers = response["ResponseParameters"]["Headers"]
        client.put_gateway_response(
            restApiId=api_id,
            responseType=cast("GatewayResponseTypeType", name),
            statusCode=str(response["StatusCode"]),
            responseParameters={
                f"gatewayresponse.header.{header}": value for header, value in headers.items()
            },
            responseTemplates=response["ResponseTemplates"],
        )
    client.create_deployment(restApiId=api_id, stageName=_STAGE)
