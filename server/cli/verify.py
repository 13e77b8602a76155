"""`tacit verify`: what Tacit signed, checked offline; no server, no data folder, no account.

Rules:
- Nothing is said of a file whose signature does not verify.
- The key is given, never taken from the file: whoever can change the file could change it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.cli.output import out

if TYPE_CHECKING:
    from memory.core.signing import Verifier

_HEAD_BYTES: Final = 4096
_PIECE_BYTES: Final = 64 * 1024
_ARCHIVE_START: Final = b'{"type": "header", "format": "tacit-archive"'


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of signed file: how to know it by its first bytes, and what it says if it is good.

    `check` raises `SignatureError`, or another `TacitError` that says what does not fit.
    """

    name: str
    matches: Callable[[bytes], bool]
    check: Callable[[Path, Verifier], Mapping[str, str]]


def _checkpoint(file: Path, verifier: Verifier) -> Mapping[str, str]:
    origin, size, root = verifier.note(file.read_text("utf-8")).splitlines()[:3]
    return {"log": origin, "events": size, "root": root}


def _archive(file: Path, verifier: Verifier) -> Mapping[str, str]:
    from memory.core.archive import Reader, lines_of

    reader = Reader()
    with file.open("rb") as stream:
        for line in lines_of(iter(lambda: stream.read(_PIECE_BYTES), b"")):
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


KINDS: Final = (
    Kind("checkpoint", lambda head: b"\n\n\xe2\x80\x94 " in head, _checkpoint),
    Kind("archive", lambda head: head.startswith(_ARCHIVE_START), _archive),
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
    from memory.core.signing import Verifier

    verifier = Verifier.parse(Path(key).read_text("utf-8") if Path(key).is_file() else key)
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    kind = next((k for k in KINDS if k.matches(head)), None)
    if kind is None:
        kinds = ", ".join(k.name for k in KINDS)
        raise typer.BadParameter(f"{file} is none of these: {kinds}")
    facts = kind.check(file, verifier)
    out.print(f"good: {_article(kind.name)} {kind.name} signed by {verifier.name}", style="green")
    for name, value in facts.items():
        out.print(f"  {name}: {value}", markup=False)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
