"""Options that several commands share, and how they become the wire's words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

ME: Final = "me"
DEFAULT_PURPOSE: Final = "assistance"

Person = Annotated[
    str, typer.Option("--person", "-p", help="Whose memories; left out, the token's own person.")
]
Purpose = Annotated[str, typer.Option(help="Why they are used; `tacit consent purposes` lists.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Real names in place of pseudonyms.")]


def people(person: str) -> str:
    """The resource name of a person."""
    return f"people/{person}"


def purposes(purpose: str) -> str:
    """The resource name of a purpose."""
    return f"purposes/{purpose}"


def instant(text: str) -> datetime:
    """An ISO 8601 date or time; UTC where it names no zone."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not like 2026-03-01 or 2026-03-01T14:30Z") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
