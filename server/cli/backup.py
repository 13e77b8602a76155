"""`tacit backup` and `tacit restore`: on the machine that holds the data; no server is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from server.cli.output import errors

Data = Annotated[Path | None, typer.Option(help="Data folder of the server.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", envvar="TACIT_CONFIG", help="The server's settings file.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for the backup.")],
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Of a backup that is there, only keys and consents anew."),
    ] = False,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="The key file too: then it opens by itself.")
    ] = False,
    data: Data = None,
    config: ConfigFile = None,
) -> None:
    """Writes a consistent backup while the server serves."""
    from memory.adapters import backup as backups
    from memory.config import load_config

    settings = load_config(file=config, environ=os.environ, flags={"data": data})
    if refresh:
        if with_key:
            raise typer.BadParameter("--refresh leaves the key file as it is")
        made = backups.refresh(settings, folder)
    else:
        made = backups.back_up(settings, folder, with_key=with_key)
    copied = made.copied
    errors.print(
        f"{folder}: {copied.people} people, {copied.memories} memories, "
        f"keys under epoch {copied.key_epoch}",
        markup=False,
    )
    if made.with_key:
        errors.print("whoever has this folder reads everything in it", style="yellow")


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup.", exists=True, file_okay=False)],
    keys: Annotated[
        str | None,
        typer.Option(
            help="A newer backup, the data folder of before, or its database's URL: what was "
            "erased until then stays erased."
        ),
    ] = None,
    certificate: Annotated[
        list[Path] | None,
        typer.Option(
            help="Of the forgetting of a person after that; may be repeated.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    data: Data = None,
    config: ConfigFile = None,
) -> None:
    """Fills an empty data folder and database from a backup; the index is built at the start."""
    from memory.adapters import backup as backups
    from memory.config import load_config

    settings = load_config(file=config, environ=os.environ, flags={"data": data})
    done = backups.restore(settings, folder, keys, certificate or ())
    errors.print(
        f"restored {done.memories} memories of {done.people} people; left out, because erased "
        f"since: {done.erased_people} people and {done.erased_memories} memories of others",
        markup=False,
    )
    if done.rekeyed_people:
        errors.print(
            f"{done.rekeyed_people} people have a new key since: their older memories cannot be "
            "opened and are left out",
            style="yellow",
        )
