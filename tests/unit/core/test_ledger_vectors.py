"""The ledger's formats are frozen, and can be checked from docs/ledger.md alone.

The verifier here shares no code with `memory/`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.vectors.make_ledger_vectors import FILE, vectors


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text("utf-8")))


def _sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _derive(root: bytes, use: str) -> bytes:
    info = b"tacit/v1/" + use.encode()
    return HKDF(algorithm=SHA512(), length=32, salt=None, info=info).derive(root)


def _root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return _sha()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return _sha(b"\x01", _root(leaves[:half]), _root(leaves[half:]))


def _open(note: str, key: str) -> tuple[int, bytes]:
    """Size and root of a signed checkpoint."""
    name, hash_, public = key.split("+", 2)
    text, _, line = note.rpartition("\n\n")
    text += "\n"
    dash, signer, signature = line.rstrip("\n").split(" ")
    raw = base64.b64decode(signature)
    assert (dash, signer, raw[:4].hex()) == ("\u2014", name, hash_)
    Ed25519PublicKey.from_public_bytes(base64.b64decode(public)[1:]).verify(raw[4:], text.encode())
    origin, size, root, time, rest = text.split("\n")
    assert (origin, rest) == (name, "")
    assert time.startswith("time ")
    return int(size), base64.b64decode(root)


def test_the_formats_are_as_they_were(kept: dict[str, Any]) -> None:
    assert vectors() == kept


def test_leaves_are_salted_under_the_persons_key(kept: dict[str, Any]) -> None:
    key = _derive(_derive(bytes.fromhex(kept["person_root"]), "blind-index"), "ledger")
    assert key.hex() == kept["ledger_key"]
    for leaf in kept["leaves"]:
        raw = bytes.fromhex(leaf["input"])
        assert raw[0] == 1
        assert raw[33:37] == (16).to_bytes(4, "big")
        assert raw[1:33] == hmac.digest(key, raw[37:53], "sha256")
        assert _sha(b"\0", raw).hex() == leaf["hash"]


def test_checkpoints_sign_the_tree(kept: dict[str, Any]) -> None:
    leaves = [bytes.fromhex(leaf["hash"]) for leaf in kept["leaves"]]
    for size, note in enumerate(kept["checkpoints"]):
        assert _open(note, kept["verifier_key"]) == (size, _root(leaves[:size]))


def test_files_hold_the_proofs_of_the_rfc(kept: dict[str, Any]) -> None:
    leaves = [bytes.fromhex(leaf["hash"]) for leaf in kept["leaves"]]
    for at, text in enumerate(kept["inclusion"]):
        file = json.loads(text)
        assert text == json.dumps(file, sort_keys=True, separators=(",", ":")) + "\n"
        assert file["format"] == "tacit-ledger-inclusion/v1"
        assert file["index"] == at
        assert _sha(b"\0", base64.b64decode(file["leaf"])) == leaves[at]
        assert [base64.b64decode(h) for h in file["hashes"]] == _path(at, leaves)
    for first, text in enumerate(kept["consistency"], 1):
        file = json.loads(text)
        assert _open(file["first"], kept["verifier_key"]) == (first, _root(leaves[:first]))
        found = [base64.b64decode(h) for h in file["hashes"]]
        assert found == _subproof(first, leaves, known=True)


def _path(at: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D) of RFC 9162, section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if at < half:
        return [*_path(at, leaves[:half]), _root(leaves[half:])]
    return [*_path(at - half, leaves[half:]), _root(leaves[:half])]


def _subproof(first: int, leaves: list[bytes], *, known: bool) -> list[bytes]:
    """SUBPROOF(m, D, b) of RFC 9162, section 2.1.4.1."""
    if first == len(leaves):
        return [] if known else [_root(leaves)]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if first <= half:
        return [*_subproof(first, leaves[:half], known=known), _root(leaves[half:])]
    return [*_subproof(first - half, leaves[half:], known=False), _root(leaves[:half])]
