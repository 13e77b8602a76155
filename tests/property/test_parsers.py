"""Whatever bytes a parser is given, it answers with a value or with an error of ours, and soon.

Half of the inputs are random, half are good ones with some bytes changed, cut, doubled or put in.
`make stress`: one million for each parser. `-s` prints the counts.
"""

from __future__ import annotations

import json
import random
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from memory.adapters import key_file
from memory.adapters.key_file import KeyFile
from memory.adapters.key_wrapping import VAULT, bound, pack, unpack
from memory.core.content import (
    Features,
    Originals,
    decode_body,
    decode_features,
    decode_originals,
    encode_body,
    encode_features,
    encode_originals,
)
from memory.core.keys import PersonKeys
from memory.core.pseudonyms import Mention
from memory.core.record_format import Place, seal, unseal
from memory.core.values import (
    AssistantId,
    Caller,
    MemoryContent,
    PseudonymizedText,
    RawText,
    SealedRecord,
    Secret,
    SubjectId,
    TenantId,
)
from memory.errors import TacitError
from memory.ports import WrappedKey
from memory.v1.memory_service_pb2 import ListMemoriesRequest
from server.page_tokens import PageTokens
from tests.vectors.make_vectors import SPOKEN_AT

KEYS = PersonKeys(TenantId("acme"), SubjectId(b"s" * 16), 1, Secret(b"\x07" * 32))
PLACE = Place(b"r" * 16, "body")
SLOWEST_SECONDS = 5.0
"""No input of this size may take as long; a busy machine may take a second for nothing."""


@dataclass(frozen=True)
class Parser:
    """What is tried, and a good input to start from."""

    parse: Callable[[bytes], object]
    good: bytes
    only_good: bool = False
    """Nothing else may give a value."""


def _content() -> MemoryContent:
    labels = {"mood": "glad"}
    return MemoryContent(PseudonymizedText("person_1 sings"), None, "s1", SPOKEN_AT, labels)


def _file(folder: Path) -> KeyFile:
    return KeyFile.create(folder / f"key{random.randrange(10**9)}")


def _record(_: Path) -> Parser:
    good = seal(KEYS, KEYS.record, PLACE, b"content", b"\x05" * 32).value
    return Parser(lambda data: unseal(KEYS, KEYS.record, PLACE, SealedRecord(data)), good, True)


def _wrapped_key(folder: Path) -> Parser:
    keys = _file(folder)
    good = keys.wrap(Secret(b"k" * 32), b"aad", 1).value
    return Parser(lambda data: keys.unwrap(WrappedKey(1, data), b"aad"), good, True)


def _wrapped_elsewhere(_: Path) -> Parser:
    associated = bound(1, b"aad")
    good = pack(VAULT, associated, b"b" * 60)
    return Parser(lambda data: unpack(VAULT, associated, data), good, True)


def _person_root(_: Path) -> Parser:
    tenant, subject = KEYS.tenant, KEYS.subject
    return Parser(lambda data: PersonKeys.opened(tenant, subject, 1, Secret(data)), b"r" * 32)


def _key_file(folder: Path) -> Parser:
    keys = _file(folder)
    keys.new_epoch()
    path = keys._path
    return Parser(lambda data: key_file._decode(path, data), path.read_bytes())


def _key_file_with_good_digests(folder: Path) -> Parser:
    """Past the digests, which otherwise turn almost everything away."""
    keys = _file(folder)
    path = keys._path

    def mended(data: bytes) -> object:
        header = data[:32].ljust(32, b"\0")
        slots = [data[i : i + 40].ljust(40, b"\0") for i in range(64, len(data), 64)]
        header = header[:10] + struct.pack(">H", len(slots)) + header[12:]
        body = b"".join(slot + sha256(slot).digest()[:24] for slot in slots)
        return key_file._decode(path, header + sha256(header).digest() + body)

    return Parser(mended, path.read_bytes())


def _page_token(_: Path) -> Parser:
    tokens = PageTokens(Secret(b"\x09" * 32))
    caller = Caller(TenantId("acme"), AssistantId("helper"), frozenset())
    request = ListMemoriesRequest(parent="people/jane")
    good = tokens.seal("rpc", caller, request, b"\0" * 8).encode()
    return Parser(lambda data: tokens.open("rpc", caller, request, data.decode("latin-1")), good)


def _body(_: Path) -> Parser:
    return Parser(decode_body, encode_body(_content()))


def _features(_: Path) -> Parser:
    vector = np.linspace(-1, 1, 8, dtype=np.float32)
    entities = frozenset({"person_1"})
    return Parser(
        decode_features, encode_features(Features(vector, ("a", "b"), "", entities, SPOKEN_AT))
    )


def _originals(_: Path) -> Parser:
    mention = Mention(0, 8, "person_1", RawText("Ife"))
    return Parser(decode_originals, encode_originals(Originals((mention,), (mention,))))


PARSERS = {
    "record": _record,
    "wrapped key": _wrapped_key,
    "wrapped key of a provider elsewhere": _wrapped_elsewhere,
    "person's root": _person_root,
    "key file": _key_file,
    "key file with good digests": _key_file_with_good_digests,
    "page token": _page_token,
    "body": _body,
    "features": _features,
    "originals": _originals,
}


def _changed(chance: random.Random, good: bytes) -> bytes:
    data = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[place : place + 1] = chance.randbytes(1)
            case 1:
                del data[place : place + chance.randint(1, 16)]
            case 2:
                data[place:place] = chance.randbytes(chance.randint(1, 16))
            case 3:
                data[place:place] = data[: chance.randint(0, 32)]
            case _:
                data[place : place + 1] = chance.choice(
                    (
                        b'"',
                        b"{",
                        b"[",
                        b"null",
                        b"1e999",
                        b"-1",
                        b"\xff",
                        b"\0",
                        b"\\ud800",
                        b"2026",
                    )
                )
    return bytes(data)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_answers_with_a_value_or_an_error_of_ours(
    name: str, tmp_path: Path, stress: bool
) -> None:
    parser = PARSERS[name](tmp_path)
    parser.parse(parser.good)
    chance = random.Random(name)
    answers: Counter[str] = Counter()
    slowest, quoting, wrong = 0.0, 0, 0
    for number in range(1_000_000 if stress else 20_000):
        if number % 2:
            data = _changed(chance, parser.good)
        else:
            data = chance.randbytes(chance.randrange(chance.choice((8, 64, 512))))
        began = time.perf_counter()
        try:
            parser.parse(data)
            answers["a value"] += 1
            wrong += parser.only_good and data != parser.good
        except TacitError as error:
            answers[type(error).__name__] += 1
            quoting += not error.__suppress_context__ and error.__context__ is not None
        slowest = max(slowest, time.perf_counter() - began)
    print(f"\n{name}: {dict(answers)}, the slowest in {1000 * slowest:.1f} ms")
    assert slowest < SLOWEST_SECONDS
    assert (quoting, wrong) == (0, 0)


@pytest.mark.parametrize("decode", [decode_body, decode_originals])
def test_hostile_json_is_an_error_of_ours(decode: Callable[[bytes], object]) -> None:
    hostile = [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 100_000,
        b"1e999999999",
        b"null",
        b"[]",
        b"\xff\xfe",
        json.dumps({"text": 1, "speaker": [], "session": None, "time": 1, "labels": []}).encode(),
        json.dumps({"text": [[1, 2, 3, 4]], "speaker": [[1]]}).encode(),
        json.dumps({"text": [["9" * 5000, 0, "a", "b"]], "speaker": []}).encode(),
    ]
    for data in hostile:
        with pytest.raises(TacitError):
            decode(data)
