"""The commands, put together; and the one place where an error becomes a line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from server.cli import (
    backup,
    consent,
    erasures,
    ingest,
    keys,
    ledger,
    link,
    mcp,
    memories,
    personalization,
    rights,
    scan,
    serve,
    status,
    token,
    verify,
)
from server.cli.output import errors, explain
from server.demo import command as demo

app = typer.Typer(
    name="tacit",
    help="The memory an assistant can use and a person can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PARTS = (
    serve,
    token,
    demo,
    consent,
    memories,
    personalization,
    ingest,
    rights,
    erasures,
    ledger,
    link,
    mcp,
    keys,
    status,
    scan,
    backup,
    verify,
)
for part in PARTS:
    part.register(app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"tacit {version('tacit-memory')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """The memory an assistant can use and a person can trust."""


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; returns its exit code."""
    try:
        code = app(list(arguments), prog_name="tacit", standalone_mode=False)
    except Exception as error:
        if os.environ.get("TACIT_DEBUG"):
            raise
        line, code = explain(error)
        if line:
            errors.print(f"error: {line}", style="red", markup=False, highlight=False)
    return code if isinstance(code, int) else 0
