"""`tacit verify`: what Tacit signed, checked offline; no server, no data folder, no account.

Rules:
- Nothing is said of a file whose signature does not verify.
- The key is given, never taken from the file: whoever can change the file could change it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from memory.core.ledger import Checkpoint
from memory.core.ledger_proof import Consistency, Inclusion
from memory.core.signing import Verifier
from memory.errors import SignatureError
from server.cli.output import out

_HEAD_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of signed file: how to know it by its first bytes, and what it says if it is good.

    `check` raises `SignatureError`, or another `TacitError` that says what does not fit.
    """

    name: str
    matches: Callable[[bytes], bool]
    check: Callable[[Path, Verifier], Mapping[str, str]]


def _checkpoint(file: Path, verifier: Verifier) -> Mapping[str, str]:
    try:
        note = file.read_bytes().decode()
    except UnicodeDecodeError:
        raise SignatureError from None
    return _log(Checkpoint.read(note, verifier))


def _inclusion(file: Path, verifier: Verifier) -> Mapping[str, str]:
    event, checkpoint = Inclusion.read(file.read_bytes()).verify(verifier)
    return {
        "time": event.at.isoformat(),
        "assistant": event.assistant,
        "tenant": event.tenant,
        "purpose": event.purpose or "none",
        "did": f"{event.action}, refused" if event.denied else event.action,
        "memories": str(event.count),
        **_log(checkpoint),
    }


def _consistency(file: Path, verifier: Verifier) -> Mapping[str, str]:
    first, second = Consistency.read(file.read_bytes()).verify(verifier)
    before = {"first events": str(first.size), "first signed": first.at.isoformat()}
    return {**before, **_log(second)}


def _log(checkpoint: Checkpoint) -> Mapping[str, str]:
    return {
        "log": checkpoint.origin,
        "events": str(checkpoint.size),
        "root": checkpoint.root.hex(),
        "signed": checkpoint.at.isoformat(),
    }


KINDS: Final = (
    Kind("proof of inclusion", lambda head: head.startswith(b'{"checkpoint":'), _inclusion),
    Kind("proof of consistency", lambda head: head.startswith(b'{"first":'), _consistency),
    Kind("checkpoint", lambda head: b"\n\n\xe2\x80\x94 " in head, _checkpoint),
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("verify")(verify)


def verify(
    file: Annotated[Path, typer.Argument(help="What Tacit signed.", exists=True, dir_okay=False)],
    key: Annotated[
        str, typer.Option(help="The deployment's verifier key, NAME+HASH+BASE64, or its file.")
    ],
) -> None:
    """Checks a signed file against the deployment's published key and says what it proves."""
    verifier = Verifier.parse(Path(key).read_text("utf-8") if Path(key).is_file() else key)
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    kind = next((k for k in KINDS if k.matches(head)), None)
    if kind is None:
        kinds = ", ".join(k.name for k in KINDS)
        raise typer.BadParameter(f"{file} is none of these: {kinds}")
    facts = kind.check(file, verifier)
    out.print(f"good: a {kind.name} signed by {verifier.name}", style="green")
    for name, value in facts.items():
        out.print(f"  {name}: {value}", markup=False)
