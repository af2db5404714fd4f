"""Addresses at which no monitoring is, but what must not be asked: a process' own pod, its node, a cloud's metadata."""

from __future__ import annotations

import ipaddress
from typing import Final

_METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
"""Where clouds tell a machine its secrets, beside the link-local addresses."""


def nobodys_kind(text: str) -> str:
    """Which kind of address no monitoring has it is, e.g. `loopback`; empty for any other, and for what is none."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_loopback or found.is_unspecified:
        return "loopback"
    if found.is_link_local or found.is_multicast:
        return "link-local"
    return "metadata" if found in _METADATA else ""
