"""The address of the client, if proxies stand in front of the server.

Each proxy appends the address that connected to it to ``X-Forwarded-For``. Start with the peer of
the connection. If that address is a trusted proxy, take the last entry of the header as the next
address and repeat, at most ``count`` times. Otherwise that address is the client. So a client
cannot forge its address.
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
    """The rate-limit key of a client: its IPv4 address, or the /64 network of its IPv6 address.
    Clients without an address share the key ``unknown``."""
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> _HOUSEHOLD << _HOUSEHOLD))
    return str(address)


@dataclass(frozen=True)
class Proxies:
    """The trusted proxies: how many stand in a row at most, and their networks."""

    count: int
    networks: Sequence[Network]

    def has(self, address: Address | None) -> bool:
        """Whether this is the address of one of our proxies."""
        return address is not None and any(address in network for network in self.networks)

    def client(self, peer: str, forwarded_for: str) -> Address | None:
        """The client's address, from the connection's peer and its ``X-Forwarded-For``.

        If an entry is not an address, the last trusted proxy counts as the client. ``None`` if the
        peer has no address.
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
