"""Makes tests/vectors/format-v1.json: `python -m tests.vectors.make_vectors`.

Everything random is fixed, so the file is the same whenever it is made. It was made once for
version 1 and must not change: `test_format_vectors.py` compares.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from memory.adapters.key_file import KeyFile
from memory.adapters.key_wrapping import bound, pack
from memory.core.content import (
    Features,
    Originals,
    encode_body,
    encode_features,
    encode_originals,
)
from memory.core.keys import DEPLOYMENT_AAD, DeploymentKeys, PersonKeys, root_aad
from memory.core.pseudonyms import AliasHash, Mention
from memory.core.record_format import Place, padme, seal
from memory.core.surfaces import Kind
from memory.core.values import (
    MemoryContent,
    PersonId,
    PseudonymizedText,
    RawText,
    Secret,
    SubjectId,
    TenantId,
)

FILE = Path(__file__).with_name("format-v1.json")

TENANT, PERSON, SUBJECT, RECORD = (
    "clinic-7",
    "amara@example",
    b"subject-16-bytes",
    b"record--16-bytes",
)
SPOKEN_AT = datetime(2026, 5, 9, 14, 30, tzinfo=UTC)


def _stream(label: str) -> Iterator[bytes]:
    number = 0
    while True:
        yield hashlib.sha256(f"{label} {number}".encode()).digest()
        number += 1


def vectors() -> dict[str, Any]:
    """The whole file."""
    noise = _stream("noise")

    def bytes_of(count: int) -> bytes:
        return next(noise)[:count]

    with tempfile.TemporaryDirectory() as folder, patch("secrets.token_bytes", bytes_of):
        path = Path(folder) / "key"
        keys = KeyFile.create(path)
        keys.new_epoch()
        first_file = path.read_bytes()
        deployment_root = Secret(bytes_of(32))
        deployment = DeploymentKeys(deployment_root)
        wrapped_root = keys.wrap(deployment_root, DEPLOYMENT_AAD, 2)
        ref = deployment.person_ref(TenantId(TENANT), PersonId(PERSON))
        people = []
        person = PersonKeys(TenantId(TENANT), SubjectId(SUBJECT), 1, Secret(bytes_of(32)))
        for _ in range(2):
            aad = root_aad(person.tenant, ref, person.subject, person.version)
            wrapped = keys.wrap(person.to_wrap(), aad, 2)
            people.append(_person(person, wrapped.value, aad, bytes_of))
            person = person.successor(Secret(bytes_of(32)))
        keys.new_epoch()
        keys.destroy_epoch(1)
        last_file = path.read_bytes()
        associated = bound(2, DEPLOYMENT_AAD)
        return {
            "format": "tacit-formats",
            "version": 1,
            "key_files": [
                {"file": first_file.hex(), "alive": [1, 2], "destroyed": []},
                {"file": last_file.hex(), "alive": [2, 3], "destroyed": [1]},
            ],
            "deployment": {
                "epoch": 2,
                "aad": DEPLOYMENT_AAD.hex(),
                "root": deployment_root.reveal().hex(),
                "wrapped": wrapped_root.value.hex(),
                "tenant": TENANT,
                "person": PERSON,
                "ref": ref.hex(),
            },
            "elsewhere": [
                {
                    "version": v,
                    "wrapped": pack(bytes([v]), associated, body).hex(),
                    "body": body.hex(),
                }
                for v, body in ((2, bytes_of(32) * 2), (3, bytes_of(32) * 4), (4, bytes_of(32) * 2))
            ],
            "people": people,
            "padding": [[n, padme(n)] for n in (0, 1, 2, 9, 100, 1000, 1025, 65_537, 4_194_308)],
        }


def _person(keys: PersonKeys, wrapped: bytes, aad: bytes, random: Any) -> dict[str, Any]:
    content = MemoryContent(
        PseudonymizedText("person_1 turns six — in May"),
        PseudonymizedText("person_2"),
        "s1",
        SPOKEN_AT,
        {"mood": "glad"},
    )
    vector = np.array([0.6, -0.8, 0.0, 2**-14], dtype=np.float32)
    features = Features(
        vector, ("turn", "six", "may"), "person_2", frozenset({"person_1"}), SPOKEN_AT
    )
    mention = Mention(0, 8, "person_1", RawText("Ife"))
    originals = Originals((mention,), (Mention(0, 8, "person_2", RawText("Amara")),))
    sealed = []
    for key, place, plain in (
        (keys.record, Place(RECORD, "body"), encode_body(content)),
        (keys.record, Place(RECORD, "features"), encode_features(features)),
        (keys.vault, Place(RECORD, "originals"), encode_originals(originals)),
        (keys.vault, Place(b"person_1", "vault"), b"Ife"),
        (keys.record, Place(RECORD, "body"), b""),
    ):
        salt = random(32)
        record = seal(keys, key, place, plain, salt).value
        entry = {"record": place.record.hex(), "field": place.field, "salt": salt.hex()}
        sealed.append(entry | {"content": plain.hex(), "sealed": record.hex()})
    return {
        "tenant": keys.tenant.value,
        "subject": keys.subject.value.hex(),
        "key_version": keys.version,
        "epoch": 2,
        "aad": aad.hex(),
        "secret": keys.to_wrap().reveal().hex(),
        "wrapped": wrapped.hex(),
        "keys": {
            "record": keys.record.reveal().hex(),
            "vault": keys.vault.reveal().hex(),
            "blind-index": keys.blind_index.reveal().hex(),
            "veil": keys.veil.reveal().hex(),
        },
        "session_tag": {"session": "s1", "tag": keys.tag("session", "s1").hex()},
        "request_tag": {
            "assistant": "helper",
            "request_id": "7d0e",
            "tag": keys.request_tag("helper/7d0e").hex(),
        },
        "alias": {
            "kind": "person",
            "form": "amara okafor",
            "hash": AliasHash(keys.blind_index).whole(Kind.PERSON, "amara okafor").hex(),
        },
        "sealed": sealed,
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n", encoding="utf-8")
