"""The text that `make run` ends with."""

from collections.abc import Mapping
from typing import Any


def welcome(stack: Mapping[str, Any]) -> str:
    """Return the addresses, the demo people, and calls to try with curl."""
    width = max(len(person["username"]) for person in stack["people"])
    people = "\n".join(
        f"  {person['username']:<{width}}  {person['password']}  "
        f"{', '.join(person['roles']) or 'no role'}"
        for person in stack["people"]
    )
    url = stack["url"]
    customer = "cus_0042"
    return f"""
Store Users runs:  {url}/
API documentation: {url}/docs

Demo people (user name, password, role):
{people}

Try:
  TOKEN=$(make -s token ROLE=admin)
  curl -s -H "Authorization: Bearer $TOKEN" "{url}/v1/customers?limit=3"
  curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
    -X PUT -H 'If-Match: "1"' -d '{{"access":"suspended","reason":"Trying the switch"}}' \\
    {url}/v1/customers/{customer}/access
  curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
    -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" -d '{{"resource":"leads"}}' \\
    {url}/v1/exports
"""
