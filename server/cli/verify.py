"""`tacit verify`: what Tacit signed, checked offline; no server, no data folder, no account.

Rules:
- Nothing is said of a file whose signature does not verify.
- The key is given, never taken from the file: whoever can change the file could change it too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from server.cli.output import FAILED, errors, out


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("verify")(verify)


def verify(
    file: Annotated[Path, typer.Argument(help="What Tacit signed.", exists=True, dir_okay=False)],
    key: Annotated[
        str, typer.Option(help="The deployment's verifier key, NAME+HASH+BASE64, or its file.")
    ],
    trial: Annotated[
        Path | None,
        typer.Option(
            help="An export from before the erasure: shows that no key left opens its key.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="For --trial: the data folder; its settings name the keys.")
    ] = None,
) -> None:
    """Checks a signed file against the deployment's published key and says what it proves."""
    from memory.core.signing import Verifier
    from server.signed_files import HEAD_BYTES, KINDS, kind_of

    verifier = Verifier.parse(Path(key).read_text("utf-8") if Path(key).is_file() else key)
    with file.open("rb") as stream:
        kind = kind_of(stream.read(HEAD_BYTES))
        if kind is None:
            kinds = ", ".join(k.name for k in KINDS)
            raise typer.BadParameter(f"{file} is none of these: {kinds}")
        stream.seek(0)
        facts = kind.check(stream, verifier)
    out.print(f"good: {_article(kind.name)} {kind.name} signed by {verifier.name}", style="green")
    for name, value in facts.items():
        out.print(f"  {name}: {value}", markup=False)
    if trial is not None:
        _try(trial, data)


def _try(export: Path, data: Path | None) -> None:
    """Tries the key of an export against every key-encryption key that is left."""
    from memory.adapters.key_opening import open_surviving_keys
    from memory.app.trial import try_keys
    from memory.config import load_config

    provider = open_surviving_keys(
        load_config(environ=os.environ, flags={"data": data}).key_provider
    )
    try:
        with export.open("rb") as lines:
            tried = try_keys(lines, provider)
    finally:
        provider.close()
    alive = ", ".join(map(str, tried.alive))
    if tried.opened:
        epochs = ", ".join(map(str, tried.opened))
        errors.print(f"the key of {export} still opens under epoch {epochs}", style="red")
        raise typer.Exit(FAILED)
    out.print(
        f"good: the key of {export}, wrapped under epoch {tried.epoch}, opens under none of those "
        f"that are left ({alive})",
        style="green",
        markup=False,
    )


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
