"""Which addresses may be called: nothing that leads inwards, however it is written."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from taskdeck.domain.reach import Reach, first_refusal, is_address

INWARDS = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",  # noqa: S104
    "169.254.169.254", "100.64.0.1", "100.127.255.254", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "ff0e::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "64:ff9b::7f00:1", "64:ff9b::10.1.2.3", "64:ff9b:1::1", "2001:db8::1", "2001:0:0:0:0:0:f5ff:fffe",
]  # fmt: skip
OPEN = ["1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "2606:4700:4700::1111", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", INWARDS)
def test_what_leads_inwards_is_refused(address: str) -> None:
    assert Reach().refusal(address, plain=False) is not None
    assert first_refusal(Reach(), ["1.1.1.1", address], plain=False) is not None, "one such address spoils a name"


@pytest.mark.parametrize("address", OPEN)
def test_the_open_internet_is_reached_with_tls_alone(address: str) -> None:
    assert Reach().refusal(address, plain=False) is None
    assert "https" in str(Reach().refusal(address, plain=True))


def test_networks_of_ones_own_are_reached_in_both_ways_and_no_others() -> None:
    reach = Reach((ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        assert reach.refusal(address, plain=False) is None
        assert reach.refusal(address, plain=True) is None
    for address in ("10.2.0.1", "127.0.0.1", "fe80::1"):
        assert reach.refusal(address, plain=False) is not None
    assert reach.refusal("1.1.1.1", plain=False) is None


def test_what_is_written_in_numbers_is_known() -> None:
    assert [is_address(host) for host in ("1.1.1.1", "::1", "fe80::1%eth0")] == [True] * 3
    # odd spellings are names: they are looked up, and what they lead to is checked
    assert [is_address(host) for host in ("localhost", "2130706433", "0x7f.1", "127.1", "")] == [False] * 5
