"""Ports that nobody uses, below those from which the system takes ports for outgoing connections.

A port from that range can be lent to a connection between the look and the listening, and a part that is started anew
can lose its own in the same way; it then has to wait until that connection ends.
"""

import random
import socket

CANDIDATES = range(10_000, 20_000)
"""Kafka's own ports are chosen above these (`deploy.engines.kafka`)."""


def is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(host: str, count: int) -> list[int]:
    """Ports that are free now, each another."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(CANDIDATES)  # no secret: two runs at once should seldom look at the same
        if port not in found and is_free(host, port):
            found.append(port)
    return found


def free_row(host: str, count: int) -> int:
    """The first of `count` ports in a row that are free now."""
    while True:
        first = random.choice(CANDIDATES)
        if all(is_free(host, first + nr) for nr in range(count)):
            return first
