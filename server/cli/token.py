"""`tacit token`: a credential, minted from the data folder's signing key."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from server.cli.session import LOCAL_CLIENT, LOCAL_TENANT, mint_local

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST: Final = timedelta(days=366)
_ASSISTANT_SCOPES: Final = ("memory.read", "memory.write", "consent.manage")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("token")(token)


def token(
    *,
    tenant: Annotated[str, typer.Option(help="Who runs the assistants.")] = LOCAL_TENANT,
    client: Annotated[str, typer.Option(help="The assistant that will act.")] = LOCAL_CLIENT,
    person: Annotated[
        str | None, typer.Option(help="Makes it this person's own token, good for them alone.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="May be given several times; else memory.* without reveal, and consent."),
    ] = None,
    ttl: Annotated[str, typer.Option(help="How long it holds: 90s, 15m, 12h, 30d.")] = "1h",
    data: Annotated[Path | None, typer.Option(help="Data folder of the server.")] = None,
) -> None:
    """Mints a token from the server's own signing key and prints it."""
    from memory.config import load_config
    from server.policy import SCOPES

    scopes = tuple(part for text in scope or _ASSISTANT_SCOPES for part in text.split())
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise typer.BadParameter(f"no such scope: {unknown[0]}; there are {', '.join(SCOPES)}")
    typer.echo(
        mint_local(
            load_config(environ=os.environ, flags={"data": data}),
            tenant=tenant,
            client=client,
            scopes=scopes,
            person=person,
            lifetime=_lifetime(ttl),
        )
    )


def _lifetime(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,9})([smhd])", text)
    lifetime = timedelta(seconds=int(match[1]) * _UNITS[match[2]]) if match else timedelta()
    if not timedelta() < lifetime <= _LONGEST:
        raise typer.BadParameter("--ttl must be like 90s, 15m, 12h or 30d, and at most 366d")
    return lifetime
