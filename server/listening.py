"""A port of this machine, bound before anything is said to serve on it."""

from __future__ import annotations

import socket
from typing import Final

_PORTS: Final = range(1 << 16)


def listen(address: str, *, backlog: int | None = None) -> socket.socket:
    """A socket that listens on HOST:PORT, an IPv6 host in brackets; port 0 takes a free one.

    Raises:
        OSError: in use by another program, or no address of this machine.
        ValueError: no HOST:PORT.
    """
    host, _, port = address.rpartition(":")
    if int(port) not in _PORTS:
        raise ValueError(port)
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=backlog)
