"""The contract: documented, linted, complete, and the same in source, stubs and code."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from memory.app.derive import MAX_FACTS
from memory.app.recall import MAX_LIMIT
from memory.app.remember import MAX_BATCH
from memory.core import draft
from memory.core.values import MAX_PERSON_ID_CHARS
from memory.errors import TacitError
from memory.v1 import errors_pb2
from server.errors import DOMAIN
from server.messages import MAX_SESSIONS
from server.page_tokens import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from server.policy import SCOPES
from server.router import rpcs
from server.services.memories import DEFAULT_LIMIT
from tools.api_reference import PAGES, write
from tools.generate_stubs import ROOT, generate

SOURCES = ROOT / "proto" / "memory" / "v1"

CALLS = {
    "MemoryService": "StoreMemory BatchStoreMemories RecallMemories BuildContext GetProfile "
    "BuildHandover RateMemory GetPersonalization ResetPersonalization "
    "GetMemory ListMemories UpdateMemory DeleteMemory",
    "ConsentService": "ListPurposes GrantConsent RefuseConsent WithdrawConsent GetConsent "
    "ListConsents GetConsentReceipt",
    "SubjectRightsService": "ExportData ImportData ForgetUser EraseMemories ListErasures "
    "GetErasureCertificate ListAccessEvents ListPersonRequests RestrictProcessing LiftRestriction "
    "IssueSignInLink",
    "LedgerService": "GetCheckpoint GetInclusionProof GetConsistencyProof",
    "OperatorService": "RotateKeys GetStatus ListTenants PlaceLegalHold ReleaseLegalHold "
    "InvalidateConsents RebuildIndex ListDataSubjectRequests "
    "ExtendDataSubjectRequest CloseDataSubjectRequest GetReport",
}


def _text(name: str) -> str:
    """A source without its line breaks and comment marks, to look for sentences in."""
    text = (SOURCES / f"{name}.proto").read_text(encoding="utf-8")
    return re.sub(r"\s*\n\s*//\s?", " ", text)


def test_the_stubs_are_what_the_source_generates(tmp_path: Path) -> None:
    generate(tmp_path)
    made = {p.name: p.read_bytes() for p in (tmp_path / "memory" / "v1").glob("*.py*")}
    kept = {p.name: p.read_bytes() for p in (ROOT / "memory" / "v1").glob("*.py*")}
    assert made.keys() == kept.keys(), "run `python -m tools.generate_stubs`"
    assert [n for n in made if made[n] != kept[n]] == [], "run `python -m tools.generate_stubs`"


def test_the_reference_is_what_the_source_says(tmp_path: Path) -> None:
    write(tmp_path)
    made = {page.name: page.read_text("utf-8") for page in tmp_path.iterdir()}
    kept = {page.name: page.read_text("utf-8") for page in PAGES.iterdir()}
    assert made == kept, "run `python -m tools.api_reference`"


def test_the_source_passes_buf_lint() -> None:
    buf = Path(sys.executable).with_name("buf")
    done = subprocess.run([buf, "lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_source_folder_is_no_package() -> None:
    assert list((ROOT / "proto").rglob("*.py")) == []


def test_every_call_of_the_design_exists_and_no_other() -> None:
    named = {f"memory.v1.{s}/{call}" for s, calls in CALLS.items() for call in calls.split()}
    assert named == set(rpcs())


def test_a_response_is_named_for_its_rpc_or_is_the_resource() -> None:
    resources = {
        "Memory", "Consent", "ConsentReceipt", "Erasure", "ErasureCertificate", "Restriction",
        "LegalHold", "Checkpoint", "InclusionProof", "ConsistencyProof", "DataSubjectRequest",
    }  # fmt: skip
    for method in rpcs().values():
        assert method.input_type.name == f"{method.name}Request"
        assert method.output_type.name in {f"{method.name}Response"} | resources


def test_every_request_that_touches_memories_says_why() -> None:
    without = {"DeleteMemory", "ResetPersonalization"}  # erasing needs no purpose
    for name, method in rpcs().items():
        if name.startswith("memory.v1.MemoryService/") and method.name not in without:
            assert "access" in method.input_type.fields_by_name, name


def test_an_erasure_does_not_say_whom() -> None:
    (erasure,) = {m.output_type for m in rpcs().values() if m.output_type.name == "Erasure"}
    fields = {field.name for field in erasure.fields}
    assert fields == {
        "name", "state", "counts", "create_time", "complete_time", "key_destroy_time",
        "epoch_destroy_time", "epoch_due_time", "waits_for", "remaining_memory_count",
    }  # fmt: skip


def _errors(root: type[TacitError] = TacitError) -> Iterator[type[TacitError]]:
    yield root
    for child in root.__subclasses__():
        yield from _errors(child)


def test_every_error_has_its_reason_in_the_contract_with_its_status() -> None:
    source = (SOURCES / "errors.proto").read_text(encoding="utf-8")
    reasons = errors_pb2.ErrorReason.keys()
    for error in _errors():
        assert error.reason in reasons, error
        comment = source.split(f"\n  {error.reason} = ")[0].rsplit("\n\n", 1)[-1]
        assert f"// {error.status}." in comment, (error, comment)


def test_every_reason_shows_an_example_of_itself() -> None:
    source = (SOURCES / "errors.proto").read_text(encoding="utf-8")
    body = source[source.index("enum ErrorReason") :]
    values = list(re.finditer(r"^  ([A-Z_]+) = \d+;", body, re.MULTILINE))
    assert [m[1] for m in values] == errors_pb2.ErrorReason.keys()
    for before, value in pairwise(values):
        comment = body[before.end() : value.start()]
        assert f'"reason": "{value[1]}", "domain": "{DOMAIN}"' in comment


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("core", f"at most {draft.MAX_TEXT_CHARS:,} characters (TEXT_TOO_LONG)"),
        (
            "core",
            f"at most {draft.MAX_LABELS}, keys of 1 to {draft.MAX_LABEL_KEY_CHARS} characters, "
            f"values of at most {draft.MAX_LABEL_VALUE_CHARS}",
        ),
        ("core", f"Who said it, by name or role; at most {draft.MAX_NAME_CHARS} characters"),
        ("core", f"(1 to {MAX_PERSON_ID_CHARS} printable characters"),
        ("core", f"Any of these sessions; at most {MAX_SESSIONS}"),
        ("memory_service", f"1 to {MAX_BATCH} memories"),
        ("memory_service", f"at most {draft.MAX_REQUEST_ID_CHARS} characters"),
        ("memory_service", f"in its `sources`. At most {MAX_FACTS}."),
        ("memory_service", f"{DEFAULT_LIMIT} when zero, {MAX_LIMIT} when more"),
        ("memory_service", f"{DEFAULT_PAGE_SIZE} when zero, {MAX_PAGE_SIZE} when more"),
        ("consent_service", f"{DEFAULT_PAGE_SIZE} when zero, {MAX_PAGE_SIZE} when more"),
    ],
)
def test_the_documentation_states_the_limits_that_hold(source: str, sentence: str) -> None:
    assert sentence in _text(source)


def test_the_documentation_names_every_scope() -> None:
    sources = " ".join(_text(path.stem) for path in SOURCES.glob("*.proto"))
    for scope in SCOPES:
        assert scope in sources, scope
