"""Where a request came from, as far as it may be kept: a network and the name of a program."""

import ipaddress
from collections.abc import Mapping
from typing import Any

_PREFIXES = {4: 24, 6: 48}
"""Bits of an address that are kept: they tell a provider or an office, not a person."""

_AGENT_CHARACTERS = 120


def describe(identity: Mapping[str, Any]) -> dict[str, str]:
    """Return the shortened address and the bounded user agent of API Gateway's `identity`.

    Each is "" where there is none. Behind a proxy of one's own the address is the proxy's.
    """
    return {
        "address": _network(str(identity.get("sourceIp") or "")),
        "agent": _agent(str(identity.get("userAgent") or "")),
    }


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((int(parsed), _PREFIXES[parsed.version]), strict=False))


def _agent(text: str) -> str:
    """Return the beginning of the text, in printable ASCII: it comes from the client."""
    shown = "".join(one if one.isascii() and one.isprintable() else "?" for one in text)
    return shown[:_AGENT_CHARACTERS]
