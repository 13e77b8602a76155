"""A reader of archives written from docs/archive.md alone: nothing of Tacit is imported.

chain(lines) and check(file, public key), with hashlib, json and an Ed25519 library.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def chain(lines: list[bytes]) -> str:
    head = bytes(32)
    for line in lines:
        head = hashlib.sha256(head + line).digest()
    return head.hex()


def check(data: bytes, public: bytes) -> dict[str, list[dict[str, Any]]]:
    """The lines of each section; raises unless every word of the page holds."""
    *lines, last = data.splitlines(keepends=True)
    header, end = json.loads(lines[0]), json.loads(last)
    assert header["format"] == end["format"] == "tacit-archive"
    assert header["version"] == end["version"] == 2
    assert header["id"] == end["id"]
    sections: dict[str, list[dict[str, Any]]] = {}
    part: list[bytes] = []
    for raw in lines[1:]:
        line = json.loads(raw)
        if line["type"] != "section":
            part.append(raw)
            continue
        assert (line["lines"], line["sha256"]) == (len(part), chain(part))
        kinds = {json.loads(each)["type"] for each in part}
        assert kinds <= {header["sections"][line["section"]]}
        sections[line["section"]] = [json.loads(each) for each in part]
        part = []
    assert list(sections) == list(header["sections"])
    assert (end["lines"], end["sha256"]) == (len(lines), chain(lines))
    signed, _, signature = end["signature"].rpartition(".")
    Ed25519PublicKey.from_public_bytes(public).verify(_decode(signature), signed.encode())
    jws, payload = (json.loads(_decode(each)) for each in signed.split("."))
    assert (jws["alg"], jws["typ"]) == ("EdDSA", "tacit-archive+jws")
    assert payload == {k: v for k, v in end.items() if k not in {"type", "signature"}}
    names = ("type", "format", "id", "lines", "sha256", "time", "version", "signature")
    assert last == json.dumps({n: end[n] for n in names}, ensure_ascii=False).encode() + b"\n"
    return sections


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
