"""The client against a gRPC server of the test's own, which fails as told before it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from memory.client import (
    AsyncClient,
    Client,
    ClientError,
    ConsentMissing,
    DeadlinePassed,
    RateLimited,
    Tls,
    Unavailable,
)
from memory.client.retries import Budget
from memory.errors import ConsentError, StorageUnavailableError, TacitError
from memory.v1 import memory_service_pb2 as pb
from memory.v1 import memory_service_pb2_grpc, subject_rights_service_pb2_grpc
from memory.v1 import subject_rights_service_pb2 as rights
from memory.v1.core_pb2 import Memory
from server.errors import DETAILS_KEY, RateLimitedError, status_code, to_status

SECRET = "amara-and-the-peanuts"


class Failing(
    memory_service_pb2_grpc.MemoryServiceServicer,
    subject_rights_service_pb2_grpc.SubjectRightsServiceServicer,
):
    """Answers each call with the next of `failures`; when there are none left, it serves.

    Seconds among them are slept.
    """

    def __init__(self) -> None:
        self.failures: list[TacitError | grpc.StatusCode | float] = []
        self.seen: list[Any] = []
        self.tokens: list[str] = []

    def _next(self, request: Any, context: Any) -> None:
        self.seen.append(request)
        self.tokens.append(dict(context.invocation_metadata())["authorization"])
        if not self.failures:
            return
        failure = self.failures.pop(0)
        if isinstance(failure, float):
            time.sleep(failure)
            return
        if isinstance(failure, grpc.StatusCode):
            context.abort(failure, SECRET)
        status = to_status(failure, "req-7")
        context.set_trailing_metadata(((DETAILS_KEY, status.SerializeToString()),))
        context.abort(status_code(status), status.message)

    def StoreMemory(self, request: Any, context: Any) -> Any:
        self._next(request, context)
        return pb.StoreMemoryResponse(memory=Memory(name="people/a/memories/b", text="kept"))

    def UpdateMemory(self, request: Any, context: Any) -> Any:
        self._next(request, context)
        return request.memory

    def ExportData(self, request: Any, context: Any) -> Any:
        start = int(request.resume_token or 0)
        self.seen.append(start)
        for at in range(start, 4):
            token = str(at + 1) if at < 3 else ""
            yield rights.ExportDataResponse(data=b"line %d\n" % at, resume_token=token)
            if self.failures:
                context.abort(self.failures.pop(0), "cut")

    def ImportData(self, request_iterator: Any, context: Any) -> Any:
        first, *rest = request_iterator
        self._next((first, b"".join(each.data for each in rest)), context)
        return rights.ImportDataResponse(memory_count=len(rest))


@pytest.fixture
def failing() -> Iterator[tuple[Failing, str]]:
    service = Failing()
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads)
        memory_service_pb2_grpc.add_MemoryServiceServicer_to_server(service, server)
        subject_rights_service_pb2_grpc.add_SubjectRightsServiceServicer_to_server(service, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield service, f"127.0.0.1:{port}"
        server.stop(0).wait()


@pytest.fixture(params=["sync", "async"])
def on_amara(request: Any, failing: Any) -> Callable[..., Any]:
    """Makes one call of a person's handle, with either client."""
    _service, target = failing

    def blocking(name: str, *args: Any, timeout: float = 20, **kwargs: Any) -> Any:
        with Client(target, token="t", timeout=timeout) as client:
            return getattr(client.person("amara"), name)(*args, **kwargs)

    def awaiting(name: str, *args: Any, timeout: float = 20, **kwargs: Any) -> Any:
        async def main() -> Any:
            async with AsyncClient(target, token="t", timeout=timeout) as client:
                return await getattr(client.person("amara"), name)(*args, **kwargs)

        return asyncio.run(main())

    return blocking if request.param == "sync" else awaiting


def test_a_server_that_was_gone_is_asked_again_with_the_same_request_id(
    failing: Any, on_amara: Any
) -> None:
    service, _target = failing
    service.failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED]
    assert on_amara("store", SECRET).memory.text == "kept"
    ids = [request.request_id for request in service.seen]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert len(ids[0]) == 36


def test_a_call_that_may_have_happened_is_not_repeated_unless_the_server_says_it_did_not(
    failing: Any, on_amara: Any
) -> None:
    service, _target = failing
    service.failures = [grpc.StatusCode.UNAVAILABLE]
    with pytest.raises(Unavailable):
        on_amara("update", "people/amara/memories/x", text="new")
    assert len(service.seen) == 1
    service.failures = [StorageUnavailableError("the database does not answer; repeat the call")]
    assert on_amara("update", "people/amara/memories/x", text="new").text == "new"
    assert len(service.seen) == 3


def test_a_limit_is_waited_out_as_the_server_says_and_told_where_time_is_short(
    failing: Any, on_amara: Any
) -> None:
    service, _target = failing
    service.failures = [RateLimitedError("too many calls; wait", 0.05)]
    assert on_amara("store", SECRET).memory.text == "kept"
    service.failures = [RateLimitedError("too many calls; wait", 60.0)]
    with pytest.raises(RateLimited) as caught:
        on_amara("store", SECRET)
    assert caught.value.retry_seconds == 60.0
    assert len(service.seen) == 3


def test_what_the_server_refuses_is_not_repeated_and_is_named_for_its_reason(
    failing: Any, on_amara: Any
) -> None:
    service, _target = failing
    service.failures = [ConsentError("no consent; ask them", purpose="assistance")]
    with pytest.raises(ConsentMissing, match="CONSENT_MISSING: no consent; ask them") as caught:
        on_amara("store", SECRET)
    error = caught.value
    assert (error.status, error.reason) == ("PERMISSION_DENIED", "CONSENT_MISSING")
    assert error.metadata == {"purpose": "assistance"}
    assert error.request_id == "req-7"
    assert error.retry_seconds is None
    assert len(service.seen) == 1


@pytest.mark.parametrize("code", [grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL])
def test_an_error_shows_nothing_of_what_was_said(failing: Any, on_amara: Any, code: Any) -> None:
    service, _target = failing
    service.failures = [code]
    with pytest.raises(ClientError) as caught:
        on_amara("store", SECRET)
    assert SECRET not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert caught.value.status == code.name
    assert caught.value.__context__ is None


def test_a_wrong_target_and_a_passed_deadline_say_what_to_check(
    failing: Any, on_amara: Any
) -> None:
    with (
        Client("127.0.0.1:1", token="t", timeout=0.3) as client,
        pytest.raises(Unavailable, match="check target and tls"),
    ):
        client.checkpoint()
    service, _target = failing
    service.failures = [2.0]
    with pytest.raises(DeadlinePassed, match="give a longer timeout"):
        on_amara("store", SECRET, timeout=0.5)


def test_an_export_goes_on_after_its_last_whole_piece(
    failing: Any, on_amara: Any, tmp_path: Path
) -> None:
    service, _target = failing
    service.failures = [grpc.StatusCode.UNAVAILABLE] * 4  # after each piece, the last one too
    file = tmp_path / "amara.jsonl"
    told: list[int] = []
    assert on_amara("export", file, progress=told.append) == 28
    assert file.read_bytes() == b"line 0\nline 1\nline 2\nline 3\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert told == [7, 14, 21, 28]
    assert service.seen == [0, 1, 2, 3]
    with pytest.raises(FileExistsError):
        on_amara("export", file)
    on_amara("export", file, force=True)


def test_an_export_that_fails_leaves_no_half_archive(
    failing: Any, on_amara: Any, tmp_path: Path
) -> None:
    service, _target = failing
    service.failures = [grpc.StatusCode.DATA_LOSS]
    with pytest.raises(ClientError):
        on_amara("export", tmp_path / "amara.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_an_import_is_sent_again_from_its_start(
    failing: Any, on_amara: Any, tmp_path: Path
) -> None:
    service, _target = failing
    service.failures = [grpc.StatusCode.UNAVAILABLE]
    file = tmp_path / "amara.jsonl"
    file.write_bytes(b"x" * 100_000)
    assert on_amara("import_", file).memory_count == 2
    (first, sent), (again, resent) = service.seen
    assert first == again
    assert sent == resent == file.read_bytes()


def test_a_token_goes_over_a_plain_way_to_this_machine_only(failing: Any) -> None:
    for target in ("tacit.example:443", "10.0.0.1:50051", "localhost.example:1"):
        with pytest.raises(ValueError, match="give tls=True"):
            Client(target, token="t")
        Client(target, token="t", tls=False).close()
        Client(target, token="t", tls=True).close()
        Client(target, token="t", tls=Tls()).close()


def test_a_token_that_is_a_function_is_asked_for_each_attempt(failing: Any) -> None:
    service, target = failing
    service.failures = [grpc.StatusCode.UNAVAILABLE]
    tokens = iter(["old\n", "new\n"])
    with Client(target, token=lambda: next(tokens)) as client:
        client.person("amara").store(SECRET)
        assert "old" not in repr(vars(client))
    assert service.tokens == ["Bearer old", "Bearer new"]


def test_waits_double_are_bounded_and_end_with_the_eighth_attempt() -> None:
    gone = ClientError("gone", status="UNAVAILABLE")
    budget = Budget(now=0.0, seconds=1_000.0)
    waits = [budget.pause(gone, 0.0) for _ in range(7)]
    for wait, most in zip(waits, (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0), strict=True):
        assert most / 2 <= wait <= most
    with pytest.raises(ClientError):
        budget.pause(gone, 0.0)
    budget.renew(0.0)
    assert budget.pause(gone, 0.0) <= 0.1


def test_no_attempt_starts_after_the_deadline_nor_before_the_server_says() -> None:
    told = ClientError("busy", status="RESOURCE_EXHAUSTED", retry_seconds=3.0)
    budget = Budget(now=0.0, seconds=10.0, repeatable=False)
    assert budget.pause(told, 0.0) > 3.0
    with pytest.raises(ClientError):
        budget.pause(told, 7.0)
    with pytest.raises(ClientError):  # without a RetryInfo it may have happened
        budget.pause(ClientError("gone", status="UNAVAILABLE"), 0.0)
