"""What is this machine: where a plain connection can be read by nobody else.

Rules:
- What is not understood is another machine: a name that merely begins like one of this machine
  (`localhost.example`, `127.0.0.1.example`) is not one.
- Names are not looked up; only `localhost` is known (RFC 6761).
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

_HOST_PORT: Final = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+)(:\d{1,5})?")


def is_loopback(host: str) -> bool:
    """Whether a host, by name or IP address, is this machine: 127.0.0.0/8, ::1 or localhost."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def stays_here(address: str) -> bool:
    """Whether what is sent to HOST, HOST:PORT or gRPC's `unix:PATH` stays on this machine."""
    match = _HOST_PORT.fullmatch(address)
    return address.startswith("unix:") or (
        match is not None and is_loopback(match["host"].strip("[]"))
    )
