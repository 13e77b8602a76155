"""Nothing opens anywhere but where it was sealed, and nothing that was changed opens at all.

`make stress`: 200 records, each bound field of each exchanged for that of each other; every byte of
50 records flipped. `-s` prints the counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from memory.adapters.key_file import KeyFile
from memory.core.keys import PersonKeys, root_aad
from memory.core.record_format import Place, commits_to, seal, unseal
from memory.core.values import PersonRef, SealedRecord, Secret, SubjectId, TenantId
from memory.errors import KeyUnavailableError, SealError

FIELDS = ("body", "features", "originals", "vault")


@dataclass(frozen=True)
class Record:
    """One sealed record, and all that it is bound to."""

    keys: PersonKeys
    place: Place
    key: Secret
    content: bytes
    sealed: SealedRecord

    def open(self) -> bytes:
        return unseal(self.keys, self.key, self.place, self.sealed)


def _records(count: int, seed: int) -> list[Record]:
    """No two have a tenant, person, key version or id in common."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        keys = PersonKeys(
            TenantId(f"tenant{number}"),
            SubjectId(chance.randbytes(16)),
            number + 1,
            Secret(chance.randbytes(32)),
        )
        place = Place(chance.randbytes(16), f"{FIELDS[number % 4]}{number // 4 or ''}")
        content = chance.randbytes(chance.randrange(1500))
        key = (keys.record, keys.vault)[number % 2]
        sealed = seal(keys, key, place, content, chance.randbytes(32))
        made.append(Record(keys, place, key, content, sealed))
    return made


EXCHANGES: dict[str, Callable[[Record, Record], Record]] = {
    "tenant": lambda a, b: replace(a, keys=replace(a.keys, tenant=b.keys.tenant)),
    "person": lambda a, b: replace(a, keys=replace(a.keys, subject=b.keys.subject)),
    "key version": lambda a, b: replace(a, keys=replace(a.keys, version=b.keys.version)),
    "record": lambda a, b: replace(a, place=replace(a.place, record=b.place.record)),
    "field": lambda a, b: replace(a, place=replace(a.place, field=b.place.field)),
    "key": lambda a, b: replace(a, key=b.key),
    "use of the key": lambda a, b: replace(
        a, key=a.keys.vault if a.key == a.keys.record else a.keys.record
    ),
    "sealed bytes": lambda a, b: replace(a, sealed=b.sealed),
    "salt": lambda a, b: _spliced(a, b, 5, 37),
    "commitment": lambda a, b: _spliced(a, b, 37, 69),
    "header": lambda a, b: _spliced(a, b, 0, 69),
    "ciphertext": lambda a, b: _spliced(a, b, 69, None),
}


def _spliced(a: Record, b: Record, start: int, end: int | None) -> Record:
    mine, other = a.sealed.value, b.sealed.value
    tail = b"" if end is None else mine[end:]
    return replace(a, sealed=SealedRecord(mine[:start] + other[start:end] + tail))


@pytest.mark.timeout(1800)
def test_every_exchanged_field_of_every_record_is_rejected(stress: bool) -> None:
    records = _records(200 if stress else 24, seed=7)
    assert all(record.open() == record.content for record in records)
    rejected = 0
    for exchange in EXCHANGES.values():
        for a in records:
            for b in records:
                if a is not b:
                    with pytest.raises(SealError):
                        exchange(a, b).open()
                    rejected += 1
    assert rejected == len(EXCHANGES) * len(records) * (len(records) - 1)
    print(f"\n{rejected} exchanges of {len(EXCHANGES)} kinds, {rejected} rejected")


@pytest.mark.timeout(1800)
def test_every_flipped_byte_of_every_record_is_rejected(stress: bool) -> None:
    rejected = 0
    for record in _records(50 if stress else 5, seed=8):
        data = record.sealed.value
        for place in range(len(data)):
            for change in (0x01, 0x80, 0xFF) if stress else (0xFF,):
                flipped = bytearray(data)
                flipped[place] ^= change
                with pytest.raises(SealError):
                    replace(record, sealed=SealedRecord(bytes(flipped))).open()
                rejected += 1
    print(f"\n{rejected} flipped bytes, {rejected} rejected")


def test_a_record_commits_to_its_own_key_and_place_alone() -> None:
    records = _records(12, seed=9)
    for a in records:
        for b in records:
            assert commits_to(a.keys, a.key, a.place, b.sealed) == (a is b)


def test_every_exchanged_field_of_a_wrapped_key_is_rejected(tmp_path: Path, stress: bool) -> None:
    keys = KeyFile.create(tmp_path / "key")
    keys.new_epoch()
    chance = random.Random(10)
    people = [
        (TenantId(f"t{n}"), PersonRef(chance.randbytes(32)), SubjectId(chance.randbytes(16)), n + 1)
        for n in range(200 if stress else 20)
    ]
    wrapped = [keys.wrap(Secret(chance.randbytes(32)), root_aad(*p), 1) for p in people]
    rejected = 0
    for a, key in zip(people, wrapped, strict=True):
        keys.unwrap(key, root_aad(*a))
        for b in people:
            if a is b:
                continue
            for field in range(4):
                aad = root_aad(*(b[i] if i == field else a[i] for i in range(4)))  # type: ignore[arg-type]
                with pytest.raises(SealError):
                    keys.unwrap(key, aad)
                rejected += 1
        for epoch in (2, 3):
            with pytest.raises((SealError, KeyUnavailableError)):
                keys.unwrap(replace(key, epoch=epoch), root_aad(*a))
            rejected += 1
    print(f"\n{rejected} exchanges around wrapped keys, {rejected} rejected")
