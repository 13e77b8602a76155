"""What is this machine, and what only looks like it."""

from __future__ import annotations

import pytest

from memory.client.connection import Connection
from memory.loopback import is_loopback, stays_here


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1:50051", "127.0.0.1", "127.8.9.1:1", "localhost:50051", "localhost"),
        *("[::1]:50051", "[::1]", "unix:/run/tacit.sock", "unix:///run/tacit.sock"),
    ],
)
def test_what_is_sent_to_this_machine_stays_here(address: str) -> None:
    assert stays_here(address)


@pytest.mark.parametrize(
    "address",
    [
        *("localhost.example", "localhost.example:50051", "localhostess:1", "my.localhost:1"),
        *("127.0.0.1.example:50051", "127.example:50051", "127.0.0.1@example.org:1"),
        *("127.0.0.1:50051,tacit.example:50051", "localhost:1/../tacit.example", "localhost:port"),
        *("::1:50051", "[::1].example:1", "[::2]:1", "[::1", "10.1.2.3:50051", "0.0.0.0:1"),
        *("dns:///localhost:50051", "example.org/127.0.0.1:1", "", ":50051"),
    ],
)
def test_what_only_looks_like_it_is_another_machine(address: str) -> None:
    assert not stays_here(address)
    with pytest.raises(ValueError, match="another machine"):
        Connection(address, "token", None, 1.0).credentials()


def test_a_host_stands_alone() -> None:
    assert is_loopback("::1")
    assert not is_loopback("[::1]")
    assert not is_loopback("localhost:1")
