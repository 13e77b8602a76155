"""The client that waits for each answer."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

import grpc

from memory.client import calls, calls_rights, values
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
from memory.v1.subject_rights_service_pb2 import ExportDataRequest

Args = ParamSpec("Args")
Out = TypeVar("Out")

POLL_SECONDS: Final = 0.5


class Client:
    """A connection to one server. Safe to share between threads.

    Args:
        target: `HOST:PORT`.
        token: The bearer token, or a function that gives the current one.
        tls: True trusts the machine's roots, `Tls(...)` a CA of your own; None is plain and only
            to this machine; False is plain to anywhere.
        purpose: Why data is used, unless `person` says otherwise.
        timeout: Seconds that one call may take, with all its attempts.
    """

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
            grpc.insecure_channel(target, OPTIONS)
            if secured is None
            else grpc.secure_channel(target, secured, OPTIONS)
        )
        self._stubs = Stubs(self._channel)

    def person(self, person: str, *, purpose: str | None = None) -> Person:
        """What can be done for one person, by their id; "me" with a person's own token."""
        return Person(self, calls.whose(person, purpose or self._purpose))

    def purposes(self, *, language_code: str = "") -> Iterator[values.Purpose]:
        """What a person can be asked to consent to, in the nearest language there is."""
        return self._pages(calls_rights.purposes(language_code=language_code))

    def certificate(self, erasure: str | values.Erasure) -> values.ErasureCertificate:
        """How far an erasure is, and its signed certificate once it is done."""
        return self._make(calls_rights.certificate(erasure))

    def checkpoint(self) -> ledger_pb.Checkpoint:
        """The newest signed checkpoint of the ledger."""
        return self._make(calls_rights.checkpoint())

    def inclusion_proof(self, leaf_hash: bytes, *, tree_size: int = 0) -> ledger_pb.InclusionProof:
        """Proof that an event is in the ledger; by default in the newest checkpoint's."""
        return self._make(calls_rights.inclusion_proof(leaf_hash, tree_size=tree_size))

    def consistency_proof(
        self, first_tree_size: int, *, second_tree_size: int = 0
    ) -> ledger_pb.ConsistencyProof:
        """Proof that the ledger only grew between two sizes."""
        asked = calls_rights.consistency_proof(first_tree_size, second_tree_size=second_tree_size)
        return self._make(asked)

    def close(self) -> None:
        """Ends the connection, and calls that are under way."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self, call: Call[Out]) -> Out:
        method = call.method(self._stubs)
        return call.read(
            self._repeat(
                self._connection.budget(repeatable=call.repeatable),
                lambda seconds: method(
                    call.request, timeout=seconds, metadata=self._connection.metadata()
                ),
            )
        )

    def _pages(self, pages: Pages[Out]) -> Iterator[Out]:
        while True:
            page: Any = self._make(Call(pages.method, pages.request, calls.as_it_is, True))
            yield from pages.read(page)
            pages.request.page_token = page.next_page_token
            if not page.next_page_token:
                return

    def _repeat(self, budget: Budget, attempt: Callable[[float], Out]) -> Out:
        """What `attempt`, given the seconds it may take, comes to in the end."""
        while True:
            try:
                return attempt(budget.left(time.monotonic()))
            except grpc.RpcError as ended:
                # The call that ended is what a blocking stub raises.
                call: Any = ended
                error = refusal(call.code(), call.details(), call.trailing_metadata())
            time.sleep(budget.pause(error, time.monotonic()))


def _makes(
    build: Callable[Concatenate[Whose, Args], Call[Out]],
) -> Callable[Concatenate[Person, Args], Out]:
    """The method that makes the call which `build` describes."""

    @wraps(build)
    def method(self: Person, /, *args: Args.args, **kwargs: Args.kwargs) -> Out:
        return self._client._make(build(self._whose, *args, **kwargs))

    return method


def _lists(
    build: Callable[Concatenate[Whose, Args], Pages[Out]],
) -> Callable[Concatenate[Person, Args], Iterator[Out]]:
    """The method that goes through the pages which `build` describes."""

    @wraps(build)
    def method(self: Person, /, *args: Args.args, **kwargs: Args.kwargs) -> Iterator[Out]:
        return self._client._pages(build(self._whose, *args, **kwargs))

    return method


class Person:
    """What can be done for one person. Made by `Client.person`."""

    def __init__(self, client: Client, whose: Whose) -> None:
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

    def forget(self, *, at_once: bool = False, wait_seconds: float = 0.0) -> values.Erasure:
        """Forgets the person: destroys their key, then sweeps every copy.

        Answers when it is done, or after `wait_seconds` with how far it is, but no earlier than the
        server does; it is finished without another call. `at_once` also destroys the key epoch.
        `Client.certificate` has the signed certificate.
        """
        until = time.monotonic() + wait_seconds
        erasure = self._client._make(calls_rights.forget(self._whose, at_once=at_once))
        while not erasure.done and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            erasure = self._client.certificate(erasure).erasure
        return erasure

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        reveal: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Writes everything that is kept about the person; how many bytes (docs/archive.md).

        Goes on by itself where the stream was cut off. `progress` is told the bytes so far.

        Raises:
            FileExistsError: `path` is there, and `force` does not say to replace it.
        """
        client = self._client
        request = ExportDataRequest(name=self._whose.parent, reveal=reveal)
        budget = client._connection.budget()

        with Export(Path(path), request, force=force, progress=progress) as archive:

            def attempt(seconds: float) -> None:
                if archive.whole:  # what broke was the farewell
                    return
                stream = client._stubs.rights.ExportData(
                    request, timeout=seconds, metadata=client._connection.metadata()
                )
                for piece in stream:
                    archive.take(piece)
                    budget.renew(time.monotonic())

            client._repeat(budget, attempt)
            return archive.size

    def import_(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> values.TakenIn:
        """Takes in an archive that was exported with `reveal`; safe to repeat.

        Raises:
            ArchiveInvalid: it is not what was written; nothing was taken in.
        """
        client = self._client
        once = str(uuid.uuid4())
        answer = client._repeat(
            client._connection.budget(seconds=IMPORT_SECONDS),
            lambda seconds: client._stubs.rights.ImportData(
                import_messages(Path(path), self._whose.parent, once, progress),
                timeout=min(seconds, IMPORT_CALL_SECONDS),
                metadata=client._connection.metadata(),
            ),
        )
        return read(values.TakenIn, answer)
