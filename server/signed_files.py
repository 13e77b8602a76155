"""The files that Tacit signs: how to know each, how to check it, and what a good one says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from memory.core.archive import Reader, lines_of
from memory.core.certificate import check
from memory.core.ledger import Checkpoint
from memory.core.ledger_proof import Consistency, Inclusion
from memory.core.receipt import RECEIPT_TYPE
from memory.core.signing import Verifier
from memory.errors import SignatureError

_PIECE_BYTES: Final = 64 * 1024
_ARCHIVE_START: Final = b'{"type": "header", "format": "tacit-archive"'


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of signed file: how to know it by its first bytes, and what it says if it is good.

    `check` raises `SignatureError`, or another `TacitError` that says what does not fit.
    """

    name: str
    matches: Callable[[bytes], bool]
    check: Callable[[BinaryIO, Verifier], Mapping[str, str]]


def _checkpoint(file: BinaryIO, verifier: Verifier) -> Mapping[str, str]:
    try:
        note = file.read().decode()
    except UnicodeDecodeError:
        raise SignatureError from None
    return _log(Checkpoint.read(note, verifier))


def _receipt(file: BinaryIO, verifier: Verifier) -> Mapping[str, str]:
    record = json.loads(verifier.jws(file.read().decode().removesuffix("\n"), RECEIPT_TYPE))
    return {
        "consent": record["dct:identifier"],
        "purpose": record["dpv:hasPurpose"]["@id"],
        "assistant": record["dpv:hasRecipient"],
        "status": record["dpv:hasConsentStatus"]["@id"].removeprefix("dpv:"),
        "since": record["dpv:hasConsentStatus"]["dct:modified"],
        "notice": record["dpv:hasNotice"]["tacit:version"],
    }


def _inclusion(file: BinaryIO, verifier: Verifier) -> Mapping[str, str]:
    event, checkpoint = Inclusion.read(file.read()).verify(verifier)
    return {
        "time": event.at.isoformat(),
        "assistant": event.assistant,
        "tenant": event.tenant,
        "purpose": event.purpose or "none",
        "did": f"{event.action}, refused" if event.denied else event.action,
        "memories": str(event.count),
        **_log(checkpoint),
    }


def _consistency(file: BinaryIO, verifier: Verifier) -> Mapping[str, str]:
    first, second = Consistency.read(file.read()).verify(verifier)
    before = {"first events": str(first.size), "first signed": first.at.isoformat()}
    return {**before, **_log(second)}


def _archive(file: BinaryIO, verifier: Verifier) -> Mapping[str, str]:
    reader = Reader()
    for line in lines_of(iter(lambda: file.read(_PIECE_BYTES), b"")):
        reader.read(line)
    reader.verify(verifier)
    header, end = reader.header, reader.end
    counts = ", ".join(f"{count} {name}" for name, count in reader.counts.items())
    return {
        "archive": header["id"],
        "of": f"{header.get('person')} at {header.get('tenant')}",
        "began": str(header.get("time")),
        "ended": end["time"],
        "holds": counts,
        "words": "the person's own" if header.get("revealed") else "under pseudonyms",
        "proves": "this deployment wrote every line of it, in this order, and nothing is missing",
    }


def _log(checkpoint: Checkpoint) -> Mapping[str, str]:
    return {
        "log": checkpoint.origin,
        "events": str(checkpoint.size),
        "root": checkpoint.root.hex(),
        "signed": checkpoint.at.isoformat(),
    }


def _erasure(file: BinaryIO, verifier: Verifier) -> Mapping[str, str]:
    said = check(file.read(), verifier)
    erased, key, scan = said["counts"]["erased"], said["key"], said["scan"]
    after = said["counts"]["after"]
    epoch = f"{key['provider']}, epoch {key['epoch']}: {key.get('epoch_state', 'no key')}"
    if key.get("epoch_due"):
        epoch += f" by {key['epoch_due']}"
    residuals = {
        f"cannot vouch for ({n})": f"{r['what']}: {r['holds']}; until {_ends(r)}"
        for n, r in enumerate(said["residuals"], 1)
    }
    return {
        "erasure": said["erasure"],
        "of": f"person {said['person']}",
        "scope": _scope(said["request"]["scope"]) if said["request"] else "person",
        "accepted": said["times"]["accepted"],
        "key destroyed": said["times"]["key_destroyed"],
        "certified": said["times"]["certified"],
        "erased": ", ".join(f"{count} {name}" for name, count in sorted(erased.items())),
        "left": str(sum(after.values())),
        "key": epoch,
        "residue scan": _scan(scan),
        "in the ledger": _entry(said["ledger"]),
        **residuals,
    }


def _ends(residual: Mapping[str, str]) -> str:
    return residual.get("openable_until") or residual["ends"]


def _scope(scope: Mapping[str, object]) -> str:
    parts = [f"{name} {value}" for name, value in scope.items() if value and name != "what"]
    return ", ".join([str(scope["what"]), *parts])


def _entry(proof: Mapping[str, Any] | None) -> str:
    if proof is None:
        return "no: there was nothing to erase"
    origin, size, *_ = proof["checkpoint"].split("\n")
    return f"event {proof['index'] + 1} of the {size} that {origin} signed"


def _scan(scan: Mapping[str, object]) -> str:
    if not scan.get("performed"):
        return "not performed"
    return f"{scan['residues']} found"


HEAD_BYTES: Final = 4096
"""By so many first bytes a file is known."""

KINDS: Final = (
    Kind("proof of inclusion", lambda head: head.startswith(b'{"checkpoint":'), _inclusion),
    Kind("proof of consistency", lambda head: head.startswith(b'{"first":'), _consistency),
    Kind("checkpoint", lambda head: b"\n\n\xe2\x80\x94 " in head, _checkpoint),
    Kind("erasure certificate", lambda head: head.startswith(b'{"payload":"'), _erasure),
    Kind("consent receipt", lambda head: head.startswith(b"eyJ"), _receipt),
    Kind("archive", lambda head: head.startswith(_ARCHIVE_START), _archive),
)


def kind_of(head: bytes) -> Kind | None:
    """Which kind of file begins like this, if one does."""
    return next((kind for kind in KINDS if kind.matches(head)), None)
