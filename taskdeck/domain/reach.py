"""Which network addresses the deck may call: those of the open internet, and those its operator has named.

So that whoever may name a URL cannot make the server knock on its own host's or network's doors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")


@dataclass(frozen=True, slots=True)
class Reach:
    """`networks` are the operator's own, which may be called besides the open internet, and without TLS."""

    networks: tuple[Network, ...] = ()

    def refusal(self, address: str, *, plain: bool) -> str | None:
        """Why `address`, in numbers, may not be called; None if it may. `plain`: without TLS."""
        found = inner(ip_address(address.partition("%")[0]))
        if any(found in network for network in self.networks if network.version == found.version):
            return None
        if not is_open(found):
            return f"{found} is not an address of the open internet"
        return "only https leaves the networks of its own" if plain else None


def inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one wraps or leads to, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_open(address: Address) -> bool:
    """Whether it belongs to the open internet: none of private, loopback, link-local, shared, multicast, reserved."""
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return isinstance(address, IPv4Address) or not (address.is_site_local or address in _NAT64_LOCAL)


def is_address(host: str) -> bool:
    """Whether `host` is an address in numbers, as a URL has it."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def first_refusal(reach: Reach, addresses: Iterable[str], *, plain: bool) -> str | None:
    """Why not all of `addresses` may be called: a name that also leads inwards is not trusted at all."""
    return next((why for address in addresses if (why := reach.refusal(address, plain=plain))), None)
