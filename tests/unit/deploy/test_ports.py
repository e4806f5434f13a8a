"""Ports that are chosen for a run are free, and stay ours."""

import socket
from pathlib import Path

from deploy.ports import CANDIDATES, free_ports, free_row, is_free

HOST = "127.0.0.1"


def test_the_system_lends_no_chosen_port_to_an_outgoing_connection() -> None:
    lent = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(lent.read_text().split()[0]) if lent.exists() else 32_768
    assert CANDIDATES.stop <= first
    assert {*free_ports(HOST, 20), free_row(HOST, 4)} <= set(CANDIDATES)


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    (port,) = free_ports(HOST, 1)
    with socket.create_server((HOST, port)):
        assert not is_free(HOST, port)
    assert is_free(HOST, port)


def test_no_port_is_given_twice() -> None:
    assert len(set(free_ports(HOST, 50))) == 50
