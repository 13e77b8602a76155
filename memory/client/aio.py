"""The client for asyncio: `blocking` with `await`, and `async for` over what comes in pages."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import grpc

from memory.client import calls, calls_rights, values
from memory.client.blocking import POLL_SECONDS
from memory.client.calls import Call, Pages, Whose
from memory.client.connection import OPTIONS, Connection, Stubs, Tls
from memory.client.errors import refusal
from memory.client.messages import read
from memory.client.retries import Budget
from memory.client.transfer import (
    IMPORT_CALL_SECONDS,
    IMPORT_SECONDS,
    Export,
    Progress,
    import_messages,
)
from memory.v1 import ledger_service_pb2 as ledger_pb
from memory.v1.subject_rights_service_pb2 import ExportDataRequest, ImportDataRequest

Args = ParamSpec("Args")
Out = TypeVar("Out")


class AsyncClient:
    """A connection to one server, for the event loop it is made in; arguments as for `Client`."""

    def __init__(
        self,
        target: str,
        *,
        token: str | Callable[[], str],
        tls: Tls | bool | None = None,
        purpose: str = "assistance",
        timeout: float = 30.0,
    ) -> None:
        self._connection = Connection(target, token, tls, timeout)
        self._purpose = purpose
        secured = self._connection.credentials()
        self._channel = (
            grpc.aio.insecure_channel(target, OPTIONS)
            if secured is None
            else grpc.aio.secure_channel(target, secured, OPTIONS)
        )
        # The stubs are the same objects for both kinds of channel; only what they give differs.
        channel: Any = self._channel
        self._stubs = Stubs(channel)

    def person(self, person: str, *, purpose: str | None = None) -> AsyncPerson:
        """What can be done for one person, by their id; "me" with a person's own token."""
        return AsyncPerson(self, calls.whose(person, purpose or self._purpose))

    def purposes(self, *, language_code: str = "") -> AsyncIterator[values.Purpose]:
        """What a person can be asked to consent to, in the nearest language there is."""
        return self._pages(calls_rights.purposes(language_code=language_code))

    async def certificate(self, erasure: str | values.Erasure) -> values.ErasureCertificate:
        """How far an erasure is, and its signed certificate once it is done."""
        return await self._make(calls_rights.certificate(erasure))

    async def checkpoint(self) -> ledger_pb.Checkpoint:
        """The newest signed checkpoint of the ledger."""
        return await self._make(calls_rights.checkpoint())

    async def inclusion_proof(
        self, leaf_hash: bytes, *, tree_size: int = 0
    ) -> ledger_pb.InclusionProof:
        """Proof that an event is in the ledger; by default in the newest checkpoint's."""
        return await self._make(calls_rights.inclusion_proof(leaf_hash, tree_size=tree_size))

    async def consistency_proof(
        self, first_tree_size: int, *, second_tree_size: int = 0
    ) -> ledger_pb.ConsistencyProof:
        """Proof that the ledger only grew between two sizes."""
        asked = calls_rights.consistency_proof(first_tree_size, second_tree_size=second_tree_size)
        return await self._make(asked)

    async def close(self) -> None:
        """Ends the connection, and calls that are under way."""
        await self._channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _make(self, call: Call[Out]) -> Out:
        method = call.method(self._stubs)

        async def attempt(seconds: float) -> Any:
            return await method(call.request, timeout=seconds, metadata=self._connection.metadata())

        budget = self._connection.budget(repeatable=call.repeatable)
        return call.read(await self._repeat(budget, attempt))

    async def _pages(self, pages: Pages[Out]) -> AsyncIterator[Out]:
        while True:
            page: Any = await self._make(Call(pages.method, pages.request, calls.as_it_is, True))
            for each in pages.read(page):
                yield each
            pages.request.page_token = page.next_page_token
            if not page.next_page_token:
                return

    async def _repeat(self, budget: Budget, attempt: Callable[[float], Awaitable[Out]]) -> Out:
        """What `attempt`, given the seconds it may take, comes to in the end."""
        while True:
            try:
                return await attempt(budget.left(time.monotonic()))
            except grpc.aio.AioRpcError as ended:
                trailing: Any = ended.trailing_metadata()
                error = refusal(ended.code(), ended.details(), trailing)
            await asyncio.sleep(budget.pause(error, time.monotonic()))


def _makes(
    build: Callable[Concatenate[Whose, Args], Call[Out]],
) -> Callable[Concatenate[AsyncPerson, Args], Coroutine[Any, Any, Out]]:
    """The method that makes the call which `build` describes."""

    @wraps(build)
    async def method(self: AsyncPerson, /, *args: Args.args, **kwargs: Args.kwargs) -> Out:
        return await self._client._make(build(self._whose, *args, **kwargs))

    return method


def _lists(
    build: Callable[Concatenate[Whose, Args], Pages[Out]],
) -> Callable[Concatenate[AsyncPerson, Args], AsyncIterator[Out]]:
    """The method that goes through the pages which `build` describes."""

    @wraps(build)
    def method(self: AsyncPerson, /, *args: Args.args, **kwargs: Args.kwargs) -> AsyncIterator[Out]:
        return self._client._pages(build(self._whose, *args, **kwargs))

    return method


class AsyncPerson:
    """What can be done for one person. Made by `AsyncClient.person`."""

    def __init__(self, client: AsyncClient, whose: Whose) -> None:
        self._client = client
        self._whose = whose

    store = _makes(calls.store)
    store_many = _makes(calls.store_many)
    recall = _makes(calls.recall)
    build_context = _makes(calls.build_context)
    profile = _makes(calls.profile)
    handover = _makes(calls.handover)
    rate = _makes(calls.rate)
    personalization = _makes(calls.personalization)
    reset_personalization = _makes(calls.reset_personalization)
    get = _makes(calls.get)
    memories = _lists(calls.memories)
    update = _makes(calls.update)
    delete = _makes(calls.delete)

    grant = _makes(calls_rights.grant)
    refuse = _makes(calls_rights.refuse)
    withdraw = _makes(calls_rights.withdraw)
    consents = _lists(calls_rights.consents)
    receipt = _makes(calls_rights.receipt)

    access_events = _lists(calls_rights.access_events)
    erase = _makes(calls_rights.erase)
    restrict = _makes(calls_rights.restrict)
    lift = _makes(calls_rights.lift)
    sign_in_link = _makes(calls_rights.sign_in_link)

    async def forget(self, *, at_once: bool = False, wait_seconds: float = 0.0) -> values.Erasure:
        """Forgets the person; as `Person.forget`."""
        until = time.monotonic() + wait_seconds
        erasure = await self._client._make(calls_rights.forget(self._whose, at_once=at_once))
        while not erasure.done and time.monotonic() < until:
            await asyncio.sleep(POLL_SECONDS)
            erasure = (await self._client.certificate(erasure)).erasure
        return erasure

    async def export(
        self,
        path: str | os.PathLike[str],
        *,
        reveal: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Writes everything that is kept about the person; as `Person.export`."""
        client = self._client
        request = ExportDataRequest(name=self._whose.parent, reveal=reveal)
        budget = client._connection.budget()

        # A piece is small; writing it takes less than handing it to a thread.
        with Export(Path(path), request, force=force, progress=progress) as archive:

            async def attempt(seconds: float) -> None:
                if archive.whole:  # what broke was the farewell
                    return
                stream: Any = client._stubs.rights.ExportData(
                    request, timeout=seconds, metadata=client._connection.metadata()
                )
                async for piece in stream:
                    archive.take(piece)
                    budget.renew(time.monotonic())

            await client._repeat(budget, attempt)
            return archive.size

    async def import_(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> values.TakenIn:
        """Takes in an archive that was exported with `reveal`; as `Person.import_`."""
        client = self._client
        once = str(uuid.uuid4())

        async def attempt(seconds: float) -> Any:
            async def messages() -> AsyncIterator[ImportDataRequest]:
                for each in import_messages(Path(path), self._whose.parent, once, progress):
                    yield each

            send: Any = client._stubs.rights.ImportData
            return await send(
                messages(),
                timeout=min(seconds, IMPORT_CALL_SECONDS),
                metadata=client._connection.metadata(),
            )

        answer = await client._repeat(client._connection.budget(seconds=IMPORT_SECONDS), attempt)
        return read(values.TakenIn, answer)
