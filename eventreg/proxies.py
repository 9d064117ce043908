"""Who is asking, if proxies stand in front of the server.

A proxy writes the address that it saw at the end of ``X-Forwarded-For``. That line is believed one
step at a time, from its end: each step only if whoever wrote it (the peer of the connection, or the
step before) is one of the trusted addresses, and only for as many steps as there are proxies. So a
header that anybody else sends counts for nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_WITH_PORT = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[\d.]+))(?::\d{1,5})?")
_HOUSEHOLD = 64
"""Bits of an IPv6 address that one household or office shares."""


def parse_networks(text: str) -> tuple[Network, ...]:
    """The networks in a list such as "10.0.0.5, 192.168.0.0/16, ::1"; ``ValueError`` if one is no
    address or network."""
    return tuple(ip_network(part, strict=False) for part in re.split(r"[\s,]+", text) if part)


def parse_address(text: str) -> Address | None:
    """The address in a text such as ``192.0.2.7``, ``192.0.2.7:51000`` or ``[2001:db8::7]:443``;
    ``None`` if there is none.

    An IPv4 address written as IPv6 (``::ffff:192.0.2.7``) is the IPv4 address: it is the same
    guest.
    """
    text = text.strip().strip('"')
    found = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(found["six"] or found["four"] if found else text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def household(address: Address | None) -> str:
    """The name under which limits count an address: all of one IPv6 /64 together, an IPv4 address
    alone."""
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> _HOUSEHOLD << _HOUSEHOLD))
    return str(address)


@dataclass(frozen=True)
class Proxies:
    """The proxies in front: how many there are at most, and the networks that they are in."""

    count: int
    networks: Sequence[Network]

    def has(self, address: Address | None) -> bool:
        """Whether a proxy of ours has this address."""
        return address is not None and any(address in network for network in self.networks)

    def client(self, peer: str, forwarded_for: str) -> Address | None:
        """The address of whoever asks, from the peer of the connection and its ``X-Forwarded-For``.
        A step that is not an address ends the walk at the proxy that wrote it. ``None`` if the peer
        itself has no address."""
        address = parse_address(peer)
        steps = forwarded_for.split(",")
        for _ in range(self.count):
            if not steps or not self.has(address):
                break
            said = parse_address(steps.pop())
            if said is None:
                break
            address = said
        return address
