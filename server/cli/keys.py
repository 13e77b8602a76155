"""`tacit keys`: which key epochs there are, and a new one; or a new key for one person."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Final

import typer
from rich.table import Table

from server.cli.arguments import AsJson, people
from server.cli.output import age, errors, moment, out, print_json
from server.cli.session import Session, client_command

_POLL_SECONDS: Final = 0.25
_WAIT_SECONDS: Final = 240.0
"""Less than a token minted here lives."""

_GOES_ON: Final = "the rotation goes on; `tacit keys status` shows how far it is"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(no_args_is_help=True)
    app.add_typer(group, name="keys", help="Show and rotate keys.")
    client_command(group, "rotate", "operator")(rotate)
    client_command(group, "status", "operator")(status)


def rotate(
    session: Session,
    person: Annotated[
        str, typer.Option("--person", "-p", help="A new key for this person only.")
    ] = "",
    wait: Annotated[
        bool, typer.Option(help="Stay until it is done; it goes on either way.")
    ] = True,
) -> None:
    """Wraps every key under a new key-encryption key, then destroys the old one."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    from memory.v1.operator_service_pb2 import RotateKeysRequest

    request = RotateKeysRequest(
        request_id=str(uuid.uuid4()), parent=people(person) if person else ""
    )
    state = session.call(session.operator.RotateKeys, request)
    if person:
        errors.print("sealed anew under a new key" if state.done_count else "nobody of that name")
        return
    if not wait:
        errors.print(_GOES_ON, markup=False)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("keys"), TimeElapsedColumn())
    latest = time.monotonic() + _WAIT_SECONDS
    with Progress(*columns, console=errors) as bar:
        task = bar.add_task("", total=max(1, state.total_count))
        while not state.HasField("complete_time"):
            if time.monotonic() > latest:
                errors.print(_GOES_ON, markup=False)
                return
            bar.update(task, completed=state.done_count, total=max(1, state.total_count))
            time.sleep(_POLL_SECONDS)
            state = session.call(session.operator.RotateKeys, request)
        bar.update(task, completed=state.done_count, total=max(1, state.total_count))
    errors.print(
        f"epoch {state.key_epoch}: {state.done_count} keys moved and verified; "
        "older epochs destroyed"
    )


def status(session: Session, as_json: AsJson = False) -> None:
    """Shows the key epochs, their ages, and how many keys lie under each."""
    from memory.v1.operator_service_pb2 import GetStatusRequest

    state = session.call(session.operator.GetStatus, GetStatusRequest())
    if as_json:
        print_json(state.key_epochs)
        return
    table = Table("epoch", "since", "keys", "age", "destroyed", box=None)
    for epoch in state.key_epochs:
        current = " (current)" if epoch.key_epoch == state.key_epoch else ""
        table.add_row(
            f"{epoch.key_epoch}{current}",
            moment(epoch.create_time),
            str(epoch.key_count),
            "-" if epoch.HasField("destroy_time") else age(epoch.create_time),
            moment(epoch.destroy_time),
        )
    out.print(table)
    if state.HasField("rotation"):
        errors.print(
            f"rotating: {state.rotation.done_count} of {state.rotation.total_count} keys moved"
        )
