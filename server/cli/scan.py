"""`tacit scan`: whether anything of an export still lies readable in files, backups or devices.

Rules:
- Offline: what to look for is the person's own export, so it works after an erasure too, and
  for whoever holds a backup or an old disk.
- Prints counts and places, never what was found. Something found is exit code 1.
- What is compressed or encrypted reads as noise: unpack it first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.output import FAILED, errors, out

if TYPE_CHECKING:
    from memory.core.residue import Needles, StoreName


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("scan")(scan)


def scan(
    archive: Annotated[
        Path,
        typer.Argument(help="What `tacit export --reveal` wrote.", exists=True, dir_okay=False),
    ],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders, files, block devices, backups; else what a server here writes.",
            exists=True,
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder of the server.")] = None,
) -> None:
    """Looks for everything that a person's export says in every byte of files and devices."""
    from rich.table import Table

    from memory.adapters import residue_scan
    from memory.adapters.residue_scan import Place
    from memory.config import load_config
    from memory.configured import places
    from memory.core.residue import Kind

    config = load_config(environ=os.environ, flags={"data": data})
    where = [Place(_store(path), path) for path in paths or ()] or places(config)
    needles = _needles(archive)
    report = residue_scan.scan(where, needles)
    table = Table("store", "files", "MB", "texts", "names", box=None)
    for store, count in report.stores.items():
        found = (str(count.found.get(kind, 0)) for kind in (Kind.TEXT, Kind.NAME))
        table.add_row(store, str(count.files), f"{count.size / 1e6:.1f}", *found)
    out.print(table)
    for find in report.finds:
        place = f"{find.file}, byte {find.offset}"
        errors.print(f"{find.kind} in {find.coding}: {place}", markup=False)
    for path in report.unread:
        errors.print(f"could not be read: {path}", markup=False)
    things = sum(report.looked_for.values())
    out.print(f"looked for {things} texts and names: {report.residues} found")
    if report.residues or report.unread:
        raise typer.Exit(FAILED)


def _store(path: Path) -> StoreName:
    from memory.core.residue import StoreName

    return StoreName.DEVICE if path.is_block_device() else StoreName.OTHER


def _needles(archive: Path) -> Needles:
    from memory.core.residue import Needles

    needles = Needles()
    for record in _records(archive):
        if record["type"] == "memory":
            said = [record["text"], record.get("session"), *record.get("labels", {}).values()]
            needles.add_texts(text for text in said if text)
            needles.add_names([record["speaker"]] if record.get("speaker") else [])
        elif record["type"] == "pseudonym":
            needles.add_names([record["value"]])
    return needles


def _records(archive: Path) -> Iterator[dict[str, Any]]:
    with archive.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if not isinstance(record, dict) or "type" not in record:
                raise typer.BadParameter(f"{archive} is no export of Tacit's")
            yield record
