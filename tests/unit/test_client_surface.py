"""What the client is made of: light to import, whole against the proto, quiet when printed."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from memory.client import AsyncPerson, Person, errors, values
from memory.client.errors import ClientError
from memory.client.messages import fill, read
from memory.v1 import consent_service_pb2, core_pb2, memory_service_pb2, subject_rights_service_pb2
from memory.v1.errors_pb2 import ErrorReason

HEAVY = (
    "chromadb", "presidio_analyzer", "spacy", "onnxruntime", "numpy", "sqlalchemy", "cryptography",
    "server", "memory.core", "memory.app", "memory.errors", "memory.config",
)  # fmt: skip
AT_START_ONLY = {"CONFIGURATION_INVALID", "DATA_FOLDER_IN_USE", "KEY_FILE_INVALID"}
OPERATORS_ONLY = {"ROTATION_IN_PROGRESS", "REQUEST_CLOSED"}

_MEASURE = """
import json, pathlib, sys, time
start = time.process_time()
import memory.client
seconds = time.process_time() - start
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peak = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
print(json.dumps({"seconds": seconds, "kib": peak, "modules": sorted(sys.modules)}))
"""


def test_importing_the_client_loads_nothing_of_the_server() -> None:
    run = [sys.executable, "-c", _MEASURE]
    found = json.loads(subprocess.run(run, capture_output=True, check=True, text=True).stdout)
    print(f"{found['seconds']:.3f} s of processor time, {found['kib'] / 1024:.1f} MiB at its peak")
    assert [name for name in HEAVY if name in found["modules"]] == []
    assert "memory.v1.core_pb2" in found["modules"]


def test_every_reason_that_a_call_can_meet_has_an_error_of_its_own() -> None:
    told = set(ErrorReason.keys()) - {"ERROR_REASON_UNSPECIFIED"} - AT_START_ONLY - OPERATORS_ONLY
    assert set(errors._BY_REASON) == told
    assert ClientError not in errors._BY_REASON.values()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (values.Stored, memory_service_pb2.StoreMemoryResponse(memory=core_pb2.Memory())),
        (values.Recalled, memory_service_pb2.RecallMemoriesResponse()),
        (values.Context, memory_service_pb2.BuildContextResponse()),
        (values.Brief, memory_service_pb2.BuildHandoverResponse()),
        (values.ProfileEntry, memory_service_pb2.ProfileEntry()),
        (values.Affect, core_pb2.Affect()),
        (values.Purpose, consent_service_pb2.Purpose()),
        (values.Consent, consent_service_pb2.Consent()),
        (values.Withdrawn, consent_service_pb2.WithdrawConsentResponse()),
        (values.TakenIn, subject_rights_service_pb2.ImportDataResponse()),
        (values.ErasureCertificate, subject_rights_service_pb2.ErasureCertificate(erasure={})),
        (values.AccessEvent, subject_rights_service_pb2.AccessEvent()),
        (values.Restriction, subject_rights_service_pb2.Restriction()),
        (values.SignInLink, subject_rights_service_pb2.IssueSignInLinkResponse()),
    ],
)
def test_every_value_is_read_from_an_empty_answer(kind: type, message: Any) -> None:
    value = read(kind, message)
    assert is_dataclass(value)
    for each in fields(value):
        assert hasattr(message, each.name)


def test_a_memory_keeps_what_it_is_told_and_shows_nothing_of_it() -> None:
    said = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    about: values.NewMemory = {
        "text": "I like figs", "kind": "preference", "speaker": "Amara", "session": "s-1",
        "event_time": said, "labels": {"mood": "hungry"}, "sources": ["people/a/memories/b"],
        "importance": 0.0, "expire_time": said + timedelta(days=1),
    }  # fmt: skip
    message = core_pb2.Memory(name="people/amara/memories/x")
    fill(message, about)
    memory = read(values.Memory, message)
    assert {name: getattr(memory, name) for name in about} == about | {
        "sources": ("people/a/memories/b",)
    }
    assert memory.affect is None
    assert memory.valid_until_time is None
    shown = repr(read(values.Stored, memory_service_pb2.StoreMemoryResponse(memory=message)))
    for secret in ("figs", "Amara", "amara", "s-1", "hungry"):
        assert secret not in shown
    assert "preference" in shown


def test_what_cannot_be_meant_is_refused_here() -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="event_time: give the instant a zone"):
        fill(core_pb2.Memory(), {"event_time": naive})
    with pytest.raises(ValueError, match="kind: one of message, fact, preference") as caught:
        fill(core_pb2.Memory(), {"kind": "peanuts"})
    assert "peanuts" not in str(caught.value)


def test_a_word_of_a_newer_server_is_read_as_unknown() -> None:
    assert read(values.AccessEvent, subject_rights_service_pb2.AccessEvent(action=99)).action == (
        "unknown"
    )


def test_both_clients_can_do_the_same() -> None:
    def surface(kind: type) -> dict[str, list[str]]:
        methods = inspect.getmembers(kind, inspect.isfunction)
        return {
            name: list(inspect.signature(method).parameters)
            for name, method in methods
            if not name.startswith("_")
        }

    assert surface(Person) == surface(AsyncPerson)
    assert all(inspect.getdoc(getattr(Person, name)) for name in surface(Person))
