"""`tacit status`: how the server is, in figures and never in content; `tenants`, `health`,
`reindex`.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from server.cli.arguments import AsJson, people
from server.cli.output import FAILED, age, errors, moment, out, print_json
from server.cli.session import Session, client_command


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    client_command(app, "status", "operator")(status)
    client_command(app, "tenants", "operator")(tenants)
    client_command(app, "health", anonymous=True)(health)
    client_command(app, "reindex", "operator")(reindex)


def reindex(
    session: Session,
    person: Annotated[
        str, typer.Option("--person", "-p", help="The index of this person only.")
    ] = "",
) -> None:
    """Builds the vector index anew from the database, while the server serves."""
    from memory.v1.operator_service_pb2 import RebuildIndexRequest

    request = RebuildIndexRequest(parent=people(person) if person else "")
    count = session.call(session.operator.RebuildIndex, request).memory_count
    errors.print(f"{count} memories go into the index anew; `tacit status` shows how far it is")


def health(session: Session) -> None:
    """Ends with 0 if the server serves and with 1 if not; a probe, without any token."""
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    stub = HealthStub(session.channel)
    state = stub.Check(HealthCheckRequest(), timeout=session.timeout).status
    typer.echo(HealthCheckResponse.ServingStatus.Name(state).lower())
    if state != HealthCheckResponse.SERVING:
        raise typer.Exit(FAILED)


def status(session: Session, as_json: AsJson = False) -> None:
    """Shows health, counts, what waits and since when, what is due, and how old the keys are."""
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    from memory.v1.operator_service_pb2 import GetStatusRequest

    health = session.call(HealthStub(session.channel).Check, HealthCheckRequest())
    state = session.call(session.operator.GetStatus, GetStatusRequest())
    if as_json:
        print_json(state)
        return
    newest = max(state.key_epochs, key=lambda epoch: int(epoch.key_epoch))
    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")  # a key that is cut short cannot be used
    rows = {
        "health": HealthCheckResponse.ServingStatus.Name(health.status).lower(),
        "version": state.version,
        "since": moment(state.start_time),
        "people": state.person_count,
        "memories": state.memory_count,
        "not in the index yet": state.unindexed_count,
        "the oldest of these since": moment(state.oldest_unindexed_time) or "-",
        "erasures not finished": state.pending_erasure_count,
        "the oldest of them since": moment(state.oldest_pending_erasure_time) or "-",
        "erasures that wait": state.waiting_erasure_count,
        "expired, not erased yet": state.expired_count,
        "the first of them since": moment(state.oldest_expired_time) or "-",
        "data-subject requests open": state.open_request_count,
        "due within seven days": state.due_soon_request_count,
        "overdue": state.overdue_request_count,
        "the first of them due": moment(state.next_request_due_time) or "-",
        "key epoch": state.key_epoch,
        "in use since": moment(newest.create_time) or "-",
        "in use for": age(newest.create_time) or "-",
        "keys under older epochs": sum(e.key_count for e in state.key_epochs) - newest.key_count,
        "verifier key": state.verifier_key,
    }
    for name, value in rows.items():
        table.add_row(name, str(value))
    out.print(table)


def tenants(session: Session, as_json: AsJson = False) -> None:
    """Shows what each tenant has, which requests are due, and consents in force by purpose."""
    from memory.v1.operator_service_pb2 import ListTenantsRequest

    pages = session.pages(session.operator.ListTenants, ListTenantsRequest(page_size=100))
    found = [one for page in pages for one in page.tenants]
    if as_json:
        print_json(found)
        return
    table = Table("tenant", "people", "memories", "requests", "overdue", "first due", box=None)
    table.add_column("consents", overflow="fold")
    for one in found:
        consents = (
            f"{purpose.name.partition('/')[2]} {purpose.consent_count}"
            for purpose in one.purposes
            if purpose.consent_count
        )
        table.add_row(
            one.name.partition("/")[2],
            str(one.person_count),
            str(one.memory_count),
            str(one.open_request_count),
            str(one.overdue_request_count),
            moment(one.next_request_due_time) or "-",
            ", ".join(consents) or "-",
        )
    out.print(table)
