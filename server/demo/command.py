"""`tacit demo`: plays the story on a folder of its own and cleans up after it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="A new folder to play in, kept afterwards; else a passing one."),
    ] = None,
) -> None:
    """Shows it all: a real server, a real conversation, and everything that must be refused."""
    if data is None:
        with tempfile.TemporaryDirectory(prefix="tacit-demo-") as folder:
            _play(Path(folder) / "data", kept=False)
        return
    if data.exists() and any(data.iterdir()):
        raise typer.BadParameter(f"{data} is not empty; the demo plays in a new folder")
    data.mkdir(parents=True, exist_ok=True)
    _play(data / "data", kept=True)


def _play(folder: Path, *, kept: bool) -> None:
    from rich.console import Console

    from server.demo.process import ServerProcess
    from server.demo.stage import Stage
    from server.demo.story import Story

    console = Console(highlight=False)
    began = time.monotonic()
    Story(ServerProcess(folder), Stage(console)).play()
    where = f"It is kept in {folder}." if kept else "The folder is gone again."
    console.print(f"\nDone in {time.monotonic() - began:.1f} s; nothing was simulated. {where}")
