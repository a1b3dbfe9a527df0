"""Leads: the list, and one lead."""

from chalicelib.api import rows
from chalicelib.api.http import Answer, Call, serves
from chalicelib.api.lists import list_users
from chalicelib.users import listing
from chalicelib.users.model import Kind


@serves("list_leads")
def list_leads(call: Call) -> Answer:
    """One page of leads."""
    return list_users(call, Kind.LEAD, "/v1/leads", rows.lead_row)


@serves("get_lead")
def get_lead(call: Call) -> Answer:
    """The lead."""
    lead = listing.find(Kind.LEAD, call.parameters["lead_id"])
    headers = {"ETag": f'"{lead.version}"'}
    return Answer(rows.lead_row(lead), headers=headers, people=(lead.id,))
