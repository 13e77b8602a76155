"""`tacit serve`: the server; every setting of `memory.config` is one of its options."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from memory.config import DEFAULT_FILE, ENV_PREFIX, SETTINGS, load_config


def register(app: typer.Typer) -> None:
    """Adds the command, with an option for each setting."""
    config = inspect.Parameter(
        "config",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            Path | None,
            typer.Option(envvar="TACIT_CONFIG", help=f"Settings file; else {DEFAULT_FILE} here."),
        ],
    )
    parameters = [config, *(_option(name) for name in SETTINGS)]

    def command(config: Path | None = None, **flags: object) -> None:
        """Serves until it is told to stop; finishes what it accepted."""
        settings = load_config(file=config, environ=os.environ, flags=flags)

        import asyncio
        import gc

        from memory.adapters import heap

        gc.disable()  # until all is loaded: a sixth of a start would go into looking for garbage
        heap.share()

        from server.app import serve

        asyncio.run(serve(settings))

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    app.command("serve")(command)


def _option(name: str) -> inspect.Parameter:
    """A setting as an option: a text, which `load_config` reads like one of the environment."""
    setting = SETTINGS[name]
    default = "" if setting.default is None else f" Default: {setting.default}."
    help_text = f"{setting.metadata['help']}{default} ({ENV_PREFIX}{name.upper()})"
    annotation: Any = Annotated[str | None, typer.Option(help=help_text)]
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )
