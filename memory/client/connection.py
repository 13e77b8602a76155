"""How a client reaches the server: target, credential, TLS.

Rules:
- A token never leaves this machine over a plain connection, unless told so (`tls=False`).
- A token is in no `repr`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc

from memory.client.retries import Budget
from memory.loopback import stays_here
from memory.v1.consent_service_pb2_grpc import ConsentServiceStub
from memory.v1.ledger_service_pb2_grpc import LedgerServiceStub
from memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from memory.v1.subject_rights_service_pb2_grpc import SubjectRightsServiceStub

OPTIONS: Final = (("grpc.max_receive_message_length", 64 * 1024 * 1024),)


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS: whom to trust, and what to show a server that asks for a certificate (PEM files)."""

    ca: Path | str | None = None
    cert: Path | str | None = None
    key: Path | str | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """What gRPC needs; without `ca`, the machine's own roots are trusted."""
        ca, key, cert = (
            Path(file).read_bytes() if file else None for file in (self.ca, self.key, self.cert)
        )
        return grpc.ssl_channel_credentials(ca, key, cert)


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the server is, and what goes with every call."""

    target: str
    token: str | Callable[[], str] = field(repr=False)
    tls: Tls | bool | None
    timeout: float

    def credentials(self) -> grpc.ChannelCredentials | None:
        """None: plain.

        Raises:
            ValueError: the way is plain and leads to another machine.
        """
        if isinstance(self.tls, Tls):
            return self.tls.credentials()
        if self.tls:
            return Tls().credentials()
        if self.tls is None and not stays_here(self.target):
            raise ValueError(
                f"{self.target} is another machine and the connection is plain: give tls=True or "
                "tls=Tls(ca=...), or tls=False where something else protects the way"
            )
        return None

    def budget(self, *, repeatable: bool = True, seconds: float | None = None) -> Budget:
        """The attempts of a call that begins now."""
        return Budget(now=time.monotonic(), seconds=seconds or self.timeout, repeatable=repeatable)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The credential, asked anew for each attempt."""
        token = self.token if isinstance(self.token, str) else self.token()
        return (("authorization", f"Bearer {token.strip()}"),)


class Stubs:
    """The services on one channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.memory = MemoryServiceStub(channel)
        self.consent = ConsentServiceStub(channel)
        self.rights = SubjectRightsServiceStub(channel)
        self.ledger = LedgerServiceStub(channel)
