"""The formats are what docs/format.md says: a reader written from that page reads the vectors."""

from __future__ import annotations

import ast
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from memory.adapters.key_file import KeyFile
from memory.core.content import decode_body, decode_features, decode_originals
from memory.core.keys import PersonKeys
from memory.core.record_format import Place, unseal
from memory.core.values import SealedRecord, Secret, SubjectId, TenantId
from memory.ports import WrappedKey
from tests.vectors import make_vectors, reader

VECTORS: dict[str, Any] = json.loads(make_vectors.FILE.read_text("utf-8"))


def _bytes(value: str) -> bytes:
    return bytes.fromhex(value)


def test_what_is_written_today_is_what_was_frozen() -> None:
    assert make_vectors.vectors() == VECTORS


def test_the_reader_knows_nothing_of_tacit() -> None:
    tree = ast.parse(Path(reader.__file__).read_text("utf-8"))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not modules & {"memory", "server", "tests"}


@pytest.mark.parametrize("vector", VECTORS["key_files"])
def test_a_key_file(vector: dict[str, Any], tmp_path: Path) -> None:
    keys = reader.key_file(_bytes(vector["file"]))
    assert [epoch for epoch, kek in keys.items() if kek] == vector["alive"]
    assert [epoch for epoch, kek in keys.items() if kek is None] == vector["destroyed"]
    path = tmp_path / "key"
    path.write_bytes(_bytes(vector["file"]))
    path.chmod(0o600)
    assert KeyFile.open(path).epochs() == vector["alive"]


def _kek(epoch: int) -> bytes:
    kek = reader.key_file(_bytes(VECTORS["key_files"][0]["file"]))[epoch]
    assert kek is not None
    return kek


def test_the_deployments_root() -> None:
    vector = VECTORS["deployment"]
    aad = reader.deployment_aad()
    assert aad == _bytes(vector["aad"])
    root = reader.unwrap(_kek(vector["epoch"]), vector["epoch"], _bytes(vector["wrapped"]), aad)
    assert root == _bytes(vector["root"])
    ref = reader.person_ref(root, vector["tenant"], vector["person"])
    assert ref == _bytes(vector["ref"])


@pytest.mark.parametrize("vector", VECTORS["elsewhere"])
def test_a_key_wrapped_elsewhere(vector: dict[str, Any]) -> None:
    wrapped = _bytes(vector["wrapped"])
    assert wrapped[0] == vector["version"]
    body = reader.behind_the_check(wrapped, 2, reader.deployment_aad())
    assert body == _bytes(vector["body"])


@pytest.mark.parametrize("vector", VECTORS["people"], ids=["first key", "after a rotation"])
def test_a_person_and_what_is_sealed_for_them(vector: dict[str, Any], tmp_path: Path) -> None:
    subject, version = _bytes(vector["subject"]), vector["key_version"]
    ref = _bytes(VECTORS["deployment"]["ref"])
    aad = reader.person_aad(vector["tenant"], ref, subject, version)
    assert aad == _bytes(vector["aad"])
    secret = reader.unwrap(_kek(2), 2, _bytes(vector["wrapped"]), aad)
    assert secret == _bytes(vector["secret"])
    person = reader.Person(vector["tenant"], subject, version, secret)
    assert {use: reader.key(person.root, use).hex() for use in vector["keys"]} == vector["keys"]
    session, request = vector["session_tag"], vector["request_tag"]
    assert person.session_tag(session["session"]).hex() == session["tag"]
    tag = person.request_tag(request["assistant"], request["request_id"])
    assert tag.hex() == request["tag"] == VECTORS["people"][0]["request_tag"]["tag"]
    alias = vector["alias"]
    assert person.alias(alias["kind"], alias["form"]).hex() == alias["hash"]
    for sealed in vector["sealed"]:
        opened = person.unseal(_bytes(sealed["record"]), sealed["field"], _bytes(sealed["sealed"]))
        assert opened == _bytes(sealed["content"])

    # And the program itself reads what was frozen.
    path = tmp_path / "key"
    path.write_bytes(_bytes(VECTORS["key_files"][1]["file"]))
    path.chmod(0o600)
    again = KeyFile.open(path).unwrap(WrappedKey(2, _bytes(vector["wrapped"])), aad)
    keys = PersonKeys.opened(TenantId(vector["tenant"]), SubjectId(subject), version, again)
    assert keys.root == Secret(person.root)
    for sealed in vector["sealed"]:
        place = Place(_bytes(sealed["record"]), sealed["field"])
        key = keys.record if sealed["field"] in {"body", "features"} else keys.vault
        assert unseal(keys, key, place, SealedRecord(_bytes(sealed["sealed"]))) == _bytes(
            sealed["content"]
        )


def test_what_is_inside() -> None:
    body, features, originals, name, empty = VECTORS["people"][0]["sealed"]
    read = json.loads(_bytes(body["content"]))
    content = decode_body(_bytes(body["content"]))
    assert (content.text.value, content.session, content.labels) == (
        read["text"], read["session"], read["labels"],
    )  # fmt: skip
    assert content.event_time == datetime.fromisoformat(read["time"])
    vector, rest = reader.features(_bytes(features["content"]))
    decoded = decode_features(_bytes(features["content"]))
    assert decoded.vector.tolist() == vector
    assert (" ".join(decoded.terms), decoded.speaker) == (rest["terms"], rest["speaker"])
    start, end, pseudonym, original = json.loads(_bytes(originals["content"]))["text"][0]
    assert read["text"][start:end] == pseudonym
    assert decode_originals(_bytes(originals["content"])).text[0].original.value == original
    assert (_bytes(name["content"]), empty["content"]) == (b"Ife", "")


@pytest.mark.parametrize(("length", "padded"), VECTORS["padding"])
def test_padding(length: int, padded: int) -> None:
    assert reader.padded_length(length) == padded
