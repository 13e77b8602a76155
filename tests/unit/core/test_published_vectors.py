"""The primitives, as used here, against published vectors: Wycheproof, and RFC 4231 for HMAC.

AES-KW is not among them because nothing here uses it. `-s` prints the counts.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwt.algorithms import OKPAlgorithm

FOLDER = Path(__file__).parents[2] / "vectors" / "wycheproof"


def _vectors(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each test with its group; bytes where the file has hexadecimal digits."""
    data = json.loads((FOLDER / f"{name}_test.json").read_text("utf-8"))
    count = 0
    for group in data["testGroups"]:
        for test in group["tests"]:
            count += 1
            hexed = ("key", "iv", "aad", "msg", "ct", "tag", "ikm", "salt", "info", "okm", "sig")
            yield group, {k: bytes.fromhex(v) if k in hexed else v for k, v in test.items()}
    assert count == data["numberOfTests"]


def _report(name: str, results: list[tuple[str, bool]], ours: int) -> None:
    wrong = sum(1 for _, good in results if not good)
    by_kind = dict(Counter(kind for kind, _ in results))
    print(
        f"\n{name}: {len(results)} vectors {by_kind}, {ours} in the sizes used here, {wrong} wrong"
    )
    assert wrong == 0


def test_aes_gcm() -> None:
    results, ours = [], 0
    for group, test in _vectors("aes_gcm"):
        ours += (group["keySize"], group["ivSize"], group["tagSize"]) == (256, 96, 128)
        sealed = test["ct"] + test["tag"]
        try:
            cipher = AESGCM(test["key"])
            opened = cipher.decrypt(test["iv"], sealed, test["aad"])
            good = opened == test["msg"]
            good = good and cipher.encrypt(test["iv"], test["msg"], test["aad"]) == sealed
        except (InvalidTag, ValueError):
            # The library also refuses nonces of fewer than 8 or more than 128 bytes, valid or
            # not; here all have 12.
            good = test["result"] == "invalid" or not 8 <= len(test["iv"]) <= 128
        else:
            good = good and test["result"] == "valid"
        results.append((test["result"], good))
    _report("AES-GCM", results, ours)
    assert ours > 30


def test_hkdf_sha512() -> None:
    results = []
    for _, test in _vectors("hkdf_sha512"):
        try:
            hkdf = HKDF(SHA512(), test["size"], test["salt"] or None, test["info"])
            good = hkdf.derive(test["ikm"]) == test["okm"] and test["result"] == "valid"
        except ValueError:
            good = test["result"] == "invalid"
        results.append((test["result"], good))
    _report("HKDF-SHA-512", results, len(results))


def test_ed25519_by_itself_and_as_tokens_use_it() -> None:
    results = []
    token = OKPAlgorithm()
    for group, test in _vectors("ed25519"):
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"]))
        try:
            key.verify(test["sig"], test["msg"])
            verified = True
        except InvalidSignature:
            verified = False
        same = token.verify(test["msg"], key, test["sig"]) == verified
        # "Acceptable": public keys of small or mixed order, which signers choose and forgers do
        # not. Either answer is right; ours is that of the library, here and in tokens.
        right = test["result"] == "acceptable" or verified == (test["result"] == "valid")
        results.append((test["result"], same and right))
    _report("Ed25519", results, len(results))


RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


def test_hmac_sha256() -> None:
    results = []
    for key, message, expected in RFC_4231:
        tag = bytes.fromhex(expected)
        made = hmac.digest(key, message, sha256)[: len(tag)]
        results.append(("valid", made == tag))
        for place in range(8 * len(tag)):  # our own: every bit of the tag, and a changed input
            flipped = bytearray(tag)
            flipped[place // 8] ^= 1 << place % 8
            results.append(("invalid", not hmac.compare_digest(made, bytes(flipped))))
        for other_key, other in ((key, message + b"\0"), (key, message[1:]), (key + b"x", message)):
            other_tag = hmac.digest(other_key, other, sha256)[: len(tag)]
            results.append(("invalid", not hmac.compare_digest(made, other_tag)))
    _report("HMAC-SHA-256 (RFC 4231, and changes of our own)", results, len(results))


@pytest.mark.parametrize("name", ["aes_gcm", "hkdf_sha512", "ed25519"])
def test_the_files_say_where_they_come_from(name: str) -> None:
    assert f"{name}_test.json" in {path.name for path in FOLDER.iterdir()}
    assert "Apache License 2.0" in (FOLDER / "README.md").read_text("utf-8")
