"""An assistant backend in a test: a token, a channel, and the calls it makes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from memory.config import Config
from memory.v1.consent_service_pb2 import GrantConsentRequest, WithdrawConsentRequest
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.memory_service_pb2 import (
    BatchStoreMemoriesRequest,
    DeleteMemoryRequest,
    ListMemoriesRequest,
    RecallMemoriesRequest,
    StoreMemoryRequest,
)
from memory.v1.operator_service_pb2 import (
    GetStatusRequest,
    GetStatusResponse,
    RotateKeysRequest,
    RotateKeysResponse,
)
from memory.v1.subject_rights_service_pb2 import (
    Erasure,
    ErasureCertificate,
    ExportDataRequest,
    ForgetUserRequest,
    GetErasureCertificateRequest,
)
from server.cli.session import Options, Session, mint_local, open_channel
from server.demo.process import ServerProcess
from server.policy import CONSENT, ERASE, EXPORT, OPERATE, READ, WRITE

PURPOSE = AccessContext(purpose="purposes/assistance")


class Actor:
    """One assistant at one server; a person is named in each call."""

    def __init__(
        self,
        server: ServerProcess,
        tenant: str = "local",
        client: str = "cli",
        *,
        channel: grpc.Channel | None = None,
    ) -> None:
        """`channel` instead of one that tries again what is refused as UNAVAILABLE."""
        config = Config(data=server.data)
        self._channel = channel or open_channel(Options(address=server.address), config)

        def session(*scopes: str) -> Session:
            token = mint_local(
                config, tenant=tenant, client=client, scopes=scopes, lifetime=timedelta(hours=6)
            )
            return Session(self._channel, token, timeout=30)

        self._session = session(WRITE, READ, CONSENT, EXPORT, ERASE)
        self._operator = session(OPERATE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def grant(self, person: str) -> None:
        request = GrantConsentRequest(parent=f"people/{person}", purpose=PURPOSE.purpose)
        self._session.call(self._session.consent.GrantConsent, request)

    def withdraw(self, person: str) -> None:
        request = WithdrawConsentRequest(parent=f"people/{person}", purpose=PURPOSE.purpose)
        self._session.call(self._session.consent.WithdrawConsent, request)

    def store(self, person: str, texts: Sequence[str], ids: Sequence[str] = ()) -> list[Memory]:
        """One batch. `ids` become labels and request ids: the same id is stored once."""
        requests = []
        for place, text in enumerate(texts):
            request = StoreMemoryRequest(memory=Memory(text=text))
            if ids:
                request.memory.labels["id"] = ids[place]
                request.request_id = str(uuid.uuid5(uuid.NAMESPACE_OID, ids[place]))
            requests.append(request)
        batch = BatchStoreMemoriesRequest(
            parent=f"people/{person}", access=PURPOSE, requests=requests
        )
        answer = self._session.call(self._session.memory.BatchStoreMemories, batch)
        return [one.memory for one in answer.responses]

    def store_until(self, person: str, text: str, end: datetime) -> Memory:
        request = StoreMemoryRequest(
            parent=f"people/{person}", access=PURPOSE, memory=Memory(text=text, expire_time=end)
        )
        return self._session.call(self._session.memory.StoreMemory, request).memory

    def recall(self, person: str, query: str, limit: int = 10) -> list[Memory]:
        request = RecallMemoriesRequest(
            parent=f"people/{person}", access=PURPOSE, query=query, limit=limit
        )
        answer = self._session.call(self._session.memory.RecallMemories, request)
        return [hit.memory for hit in answer.hits]

    def list(self, person: str) -> list[Memory]:
        request = ListMemoriesRequest(parent=f"people/{person}", access=PURPOSE, page_size=100)
        pages = self._session.pages(self._session.memory.ListMemories, request)
        return [memory for page in pages for memory in page.memories]

    def export(self, person: str) -> list[dict[str, str]]:
        request = ExportDataRequest(name=f"people/{person}")
        pieces = self._session.call(self._session.rights.ExportData, request)
        return [json.loads(line) for line in b"".join(p.data for p in pieces).splitlines()]

    def delete(self, name: str) -> None:
        self._session.call(self._session.memory.DeleteMemory, DeleteMemoryRequest(name=name))

    def forget(self, person: str) -> Erasure:
        request = ForgetUserRequest(name=f"people/{person}")
        return self._session.call(self._session.rights.ForgetUser, request)

    def certificate(self, erasure: str) -> ErasureCertificate:
        request = GetErasureCertificateRequest(name=f"{erasure}/certificate")
        return self._session.call(self._session.rights.GetErasureCertificate, request)

    def rotate(self, request_id: str) -> RotateKeysResponse:
        request = RotateKeysRequest(request_id=request_id)
        return self._operator.call(self._operator.operator.RotateKeys, request)

    def serves(self) -> bool:
        answer = HealthStub(self._channel).Check(HealthCheckRequest(), timeout=5)
        return bool(answer.status == HealthCheckResponse.SERVING)

    def status(self) -> GetStatusResponse:
        return self._operator.call(self._operator.operator.GetStatus, GetStatusRequest())
