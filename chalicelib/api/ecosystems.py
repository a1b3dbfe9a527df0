"""Ecosystems: what the gateways ask before they let anybody in."""

from dataclasses import asdict

from chalicelib.api.http import Answer, Call, serves
from chalicelib.users import access


@serves("get_ecosystem_access")
def get_ecosystem_access(call: Call) -> Answer:
    """May the ecosystem be entered? As of now."""
    return Answer(asdict(access.of_ecosystem(call.parameters["ecosystem_id"])))
