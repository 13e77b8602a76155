"""The trial: a person's own old wrapped key, tried against every key-encryption key that survives.

An archive carries, as `trial` of its header, the person's wrapped root key and what it is bound to:

    {"version": 1, "epoch": 3, "wrapped_key": base64, "aad": base64}

Nobody can open anything with it but who holds that epoch of the deployment's key-encryption keys.
When the person was forgotten and the epoch destroyed, nobody can. Every sealed record of the person
opens under that root alone and says so itself (its key commitment), so this is what has to fail.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from memory.core.keys import root_aad
from memory.errors import InvalidArgumentError, KeyUnavailableError, SealError
from memory.ports import KeyProvider, PersonRow, WrappedKey

VERSION: Final = 1
MAX_BYTES: Final = 16 * 1024
"""Of a wrapped key; a KMS makes the longest ones, of some hundred bytes."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: the epoch the key was wrapped under, those tried, and those that opened."""

    epoch: int
    alive: tuple[int, ...]
    opened: tuple[int, ...]


def trial_fields(person: PersonRow) -> dict[str, Any]:
    """The `trial` of an archive's header."""
    aad = root_aad(person.tenant, person.ref, person.subject, person.key_version)
    return {
        "version": VERSION,
        "epoch": person.wrapped_key.epoch,
        "wrapped_key": base64.b64encode(person.wrapped_key.value).decode(),
        "aad": base64.b64encode(aad).decode(),
    }


def try_keys(export: Iterable[bytes], provider: KeyProvider) -> Tried:
    """Unwraps the key of an export under each living epoch.

    Raises:
        InvalidArgumentError: the archive has none, or one that cannot be read.
        KeyUnavailableError: the provider does not answer.
    """
    epoch, value, aad = _read(export)
    alive = tuple(provider.epochs())
    opened = []
    for number in alive:
        try:
            provider.unwrap(WrappedKey(number, value), aad)
        except SealError:
            continue
        except KeyUnavailableError:
            if number in provider.epochs():
                raise
        else:
            opened.append(number)
    return Tried(epoch, alive, tuple(opened))


def _read(export: Iterable[bytes]) -> tuple[int, bytes, bytes]:
    with suppress(ValueError, LookupError, TypeError):
        fields = json.loads(next(iter(export), b""))["trial"]
        value, aad = (
            base64.b64decode(fields[name], validate=True) for name in ("wrapped_key", "aad")
        )
        if fields["version"] == VERSION and max(len(value), len(aad)) <= MAX_BYTES:
            return int(fields["epoch"]), value, aad
    raise InvalidArgumentError("trial", "is no archive with a trial; export one before erasing")
