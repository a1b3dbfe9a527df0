"""A deployment at a domain of its own."""

import pytest
from botocore.exceptions import ClientError

from infra import package
from infra.deploy import deploy
from infra.parameters import stage_parameters
from infra.target import Target
from tests.e2e.deployments import client

DOMAIN = "store-users.example.com"


def test_links_lead_to_the_domain_that_is_mapped_to_the_api(emulator_port: int) -> None:
    package.build()
    made = client(emulator_port, "route53").create_hosted_zone(
        Name="example.com", CallerReference="1"
    )
    zone = made["HostedZone"]["Id"].rpartition("/")[2]
    certificate = client(emulator_port, "acm").request_certificate(DomainName=DOMAIN)
    target = Target("local", "us-east-1", f"http://localhost:{emulator_port}")
    given = {
        **stage_parameters("local"),
        "EmulatorEndpoint": str(target.endpoint),
        "DomainName": DOMAIN,
        "HostedZoneId": zone,
    }
    with pytest.raises(ClientError, match="DomainName needs the certificate of that domain"):
        deploy(target, given)

    outputs = deploy(target, {**given, "CertificateArn": certificate["CertificateArn"]})
    assert outputs["PublicUrl"] == f"https://{DOMAIN}"
    gateway = client(emulator_port, "apigateway")
    (mapping,) = gateway.get_base_path_mappings(domainName=DOMAIN)["items"]
    assert (mapping["restApiId"], mapping["stage"]) == (outputs["RestAPIId"], "api")
    records = client(emulator_port, "route53").list_resource_record_sets(HostedZoneId=zone)
    assert f"{DOMAIN}." in {one["Name"] for one in records["ResourceRecordSets"]}
