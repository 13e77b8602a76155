"""`tacit verify`: what Tacit signed, checked offline; no server, no data folder, no account.

Rules:
- Nothing is said of a file whose signature does not verify.
- The key is given, never taken from the file: whoever can change the file could change it too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.cli.output import out

if TYPE_CHECKING:
    pass

_HEAD_BYTES: Final = 4096


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
    from server.cli.signed_files import KINDS

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
