"""Three envelopes: what was signed comes back, and nothing else verifies."""

from __future__ import annotations

import random

import pytest

from memory.core.signing import Signer, Verifier
from memory.core.values import Secret
from memory.errors import InvalidArgumentError, SignatureError

SIGNER = Signer("memory.example.org", Secret(bytes(range(32))))
VERIFIER = SIGNER.verifier
NOTE = SIGNER.note("memory.example.org\n3\nAAAA\n")
JWS = SIGNER.jws(b'{"a":1}', "receipt+jws")
DSSE = SIGNER.dsse(b'{"b":2}', "application/vnd.example+json")


def test_what_was_signed_comes_back() -> None:
    assert VERIFIER.note(NOTE) == "memory.example.org\n3\nAAAA\n"
    assert VERIFIER.jws(JWS, "receipt+jws") == b'{"a":1}'
    assert VERIFIER.dsse(DSSE, "application/vnd.example+json") == b'{"b":2}'
    VERIFIER.detached(SIGNER.detached(b"m"), b"m")


def test_the_example_of_the_signed_note_specification_verifies() -> None:
    """golang.org/x/mod/sumdb/note, package documentation; its key type is the same."""
    key = Verifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = (
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
        "KvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    assert key.note(f"{text}\n\u2014 PeterNeumann {signature}\n") == text


def test_the_verifier_key_is_one_line_that_can_be_read_back() -> None:
    assert Verifier.parse(f"{VERIFIER}\n") == VERIFIER


@pytest.mark.parametrize("line", ["", "a", "a+00000000+AAAA", f"{VERIFIER}".replace("m", "n", 1)])
def test_a_damaged_verifier_key_is_refused(line: str) -> None:
    with pytest.raises(InvalidArgumentError):
        Verifier.parse(line)


def test_another_type_or_key_does_not_verify() -> None:
    other = Signer("memory.example.org", Secret(bytes(32))).verifier
    for verify in (
        lambda: VERIFIER.jws(JWS, "other+jws"),
        lambda: VERIFIER.dsse(DSSE, "application/json"),
        lambda: other.note(NOTE),
        lambda: other.jws(JWS, "receipt+jws"),
        lambda: other.dsse(DSSE, "application/vnd.example+json"),
        lambda: other.detached(SIGNER.detached(b"m"), b"m"),
    ):
        with pytest.raises(SignatureError):
            verify()


def test_no_changed_byte_is_accepted(stress: bool) -> None:
    rng = random.Random(7)
    for _ in range(10_000 if stress else 1_000):
        for signed, verify in (
            (NOTE.encode(), lambda b: VERIFIER.note(b.decode())),
            (JWS.encode(), lambda b: VERIFIER.jws(b.decode(), "receipt+jws")),
            (DSSE, lambda b: VERIFIER.dsse(b, "application/vnd.example+json")),
        ):
            changed = bytearray(signed)
            match rng.randrange(3):
                case 0:
                    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
                case 1:
                    del changed[rng.randrange(len(changed))]
                case _:
                    changed.insert(rng.randrange(len(changed)), rng.randrange(256))
            with pytest.raises((SignatureError, UnicodeDecodeError)):
                verify(bytes(changed))
