"""The address of the client, if proxies stand in front of the server.

Each proxy appends the address that it saw to ``X-Forwarded-For``. The header is read from its end.
An entry is believed only if its writer (the peer of the connection, or the entry after it) has a
trusted address, and only as many entries as there are proxies. So a header from anyone else has no
effect.
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
    """The networks in a list such as "10.0.0.5, 192.168.0.0/16, ::1". Raises ``ValueError`` if an
    entry is not an address or a network."""
    return tuple(ip_network(part, strict=False) for part in re.split(r"[\s,]+", text) if part)


def parse_address(text: str) -> Address | None:
    """The address in a text such as ``192.0.2.7``, ``192.0.2.7:51000`` or ``[2001:db8::7]:443``;
    ``None`` if there is none.

    An IPv4 address written as IPv6 (``::ffff:192.0.2.7``) is returned as IPv4, since it is the same
    client.
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
    """The key under which limits count an address: all of one IPv6 /64 share one, an IPv4 address
    has its own."""
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> _HOUSEHOLD << _HOUSEHOLD))
    return str(address)


@dataclass(frozen=True)
class Proxies:
    """The proxies in front: their largest number, and their networks."""

    count: int
    networks: Sequence[Network]

    def has(self, address: Address | None) -> bool:
        """Whether this is the address of one of our proxies."""
        return address is not None and any(address in network for network in self.networks)

    def client(self, peer: str, forwarded_for: str) -> Address | None:
        """The client's address, from the connection's peer and its ``X-Forwarded-For``.

        An entry that is not an address ends the reading: the proxy that wrote it counts as the
        client. ``None`` if the peer has no address.
        """
        address = parse_address(peer)
        entries = forwarded_for.split(",")
        for _ in range(self.count):
            if not entries or not self.has(address):
                break
            said = parse_address(entries.pop())
            if said is None:
                break
            address = said
        return address
