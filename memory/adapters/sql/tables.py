"""The tables as SQLAlchemy Core sees them; `migrations/` makes them, a test compares the two.

Rules:
- Ids and hashes are bytes, times are whole microseconds since 1970 in UTC.
- Nothing here reads as content: text lies in sealed bytes, people behind keyed hashes. In the
  clear stands only what rules and retention need (purpose, assistant, kind, state, times, counts).
- What hangs on a person has a foreign key to them that cascades: deleting the row deletes all of
  it. Erasures and the ledger's tree have none, for they outlive the person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.types import UserDefinedType

from memory.core.micros import from_micros, to_micros

metadata: Final = MetaData()


class Bytes(UserDefinedType[bytes]):
    """Binary as both drivers take and give it; the generic type would wrap every value."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "BLOB"


def micros_or_none(moment: datetime | None) -> int | None:
    """`to_micros`, and NULL for none."""
    return None if moment is None else to_micros(moment)


def time_or_none(micros: int | None) -> datetime | None:
    """`from_micros`, and none for NULL."""
    return None if micros is None else from_micros(micros)


deployment: Final = Table(
    "deployment",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger),
    Column("wrapped_key", Bytes),
)

persons: Final = Table(
    "persons",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("tenant", Text),
    Column("ref", Bytes),
    Column("state", Text),
    Column("key_version", BigInteger),
    Column("epoch", BigInteger),
    Column("wrapped_key", Bytes),
    Column("collection", Text),
    Column("created_at", BigInteger),
    Column("next_seq", BigInteger),
    Column("revision", BigInteger),
    Column("restricted_at", BigInteger),
    Column("held_until", BigInteger),
    Column("hold_reference", Text),
    Column("rearranged", BigInteger),
)
NEXT_REVISION: Final = {"revision": persons.c.revision + 1}
REARRANGED: Final = NEXT_REVISION | {"rearranged": persons.c.revision + 1}
"""What every change of a person's memories sets: the first where some were only added."""

memories: Final = Table(
    "memories",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("id", Bytes, primary_key=True),
    Column("seq", BigInteger),
    Column("purpose", Text),
    Column("assistant", Text),
    Column("kind", Text),
    Column("session_tag", Bytes),
    Column("stored_at", BigInteger),
    Column("updated_at", BigInteger),
    Column("version", BigInteger),
    Column("key_version", BigInteger),
    Column("body", Bytes),
    Column("features", Bytes),
    Column("originals", Bytes),
    Column("expires_at", BigInteger),
    Column("content_tag", Bytes),
    Column("sightings", BigInteger),
    Column("last_seen_at", BigInteger),
)

memory_sources: Final = Table(
    "memory_sources",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("source", Bytes, primary_key=True),
    Column("derived", Bytes, primary_key=True),
)

memory_versions: Final = Table(
    "memory_versions",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Bytes),
    Column("kind", Text),
    Column("updated_at", BigInteger),
    Column("key_version", BigInteger),
    Column("body", Bytes),
    Column("originals", Bytes),
)

vector_segments: Final = Table(
    "vector_segments",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("id", Bytes, primary_key=True),
    Column("vectors", BigInteger),
    Column("sealed", Bytes),
)

feedback: Final = Table(
    "feedback",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("sealed", Bytes),
)

vault_entities: Final = Table(
    "vault_entities",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("entity_type", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Bytes),
)

vault_aliases: Final = Table(
    "vault_aliases",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("hash", Bytes, primary_key=True),
    Column("entity_type", Text),
    Column("number", BigInteger),
)

requests: Final = Table(
    "requests",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("key", Bytes, primary_key=True),
    Column("record", Bytes),
)

consents: Final = Table(
    "consents",
    metadata,
    Column("id", Bytes, primary_key=True),
    Column("subject", Bytes),
    Column("purpose", Text),
    Column("assistant", Text),
    Column("given_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("withdrawn_at", BigInteger),
    Column("invalidated_at", BigInteger),
    Column("decision", Text),
    Column("notice_version", Text),
    Column("method", Text),
    Column("explicit", BigInteger),
    Column("language", Text),
    Column("relation", Text),
    Column("delegate", Bytes),
)

access_events: Final = Table(
    "access_events",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Bytes, primary_key=True),
    Column("assistant", Text),
    Column("purpose", Text),
    Column("action", Text),
    Column("memories", BigInteger),
    Column("denied", BigInteger),
)

operator_events: Final = Table(
    "operator_events",
    metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Bytes, primary_key=True),
    Column("tenant", Text),
    Column("assistant", Text),
    Column("action", Text),
    Column("amount", BigInteger),
)

ledger_waiting: Final = Table(
    "ledger_waiting",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("leaf", Bytes),
)

ledger_head: Final = Table(
    "ledger_head",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text),
)

ledger_tiles: Final = Table(
    "ledger_tiles",
    metadata,
    Column("level", BigInteger, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", Bytes),
)

ledger_places: Final = Table(
    "ledger_places",
    metadata,
    Column("prefix", BigInteger, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
)

rights_requests: Final = Table(
    "rights_requests",
    metadata,
    Column("id", Bytes, primary_key=True),
    Column("tenant", Text),
    Column("subject", Bytes),
    Column("exercised", Text),
    Column("received_at", BigInteger),
    Column("due_at", BigInteger),
    Column("extended_for", Text),
    Column("outcome", Text),
    Column("finished_at", BigInteger),
)

erasures: Final = Table(
    "erasures",
    metadata,
    Column("id", Bytes, primary_key=True),
    Column("tenant", Text),
    Column("state", Text),
    Column("subject", Bytes),
    Column("collection", Text),
    Column("memories", BigInteger),
    Column("consents", BigInteger),
    Column("vault_entries", BigInteger),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("call", Text),
    Column("scope", Text),
    Column("at_once", BigInteger),
    Column("pseudonym", Bytes),
    Column("key_version", BigInteger),
    Column("epoch", BigInteger),
    Column("key_destroyed_at", BigInteger),
    Column("swept_at", BigInteger),
    Column("epoch_destroyed_at", BigInteger),
    Column("counts_before", Text),
    Column("counts_after", Text),
    Column("scan", Text),
    Column("intent", Bytes),
    Column("certificate", Bytes),
    Column("waits_for", Text),
    Column("claimed_by", Bytes),
    Column("claimed_until", BigInteger),
)

index_outbox: Final = Table(
    "index_outbox",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("subject", Bytes),
    Column("record", Bytes),
    Column("op", Text),
    Column("claimed_until", BigInteger),
)

key_epochs: Final = Table(
    "key_epochs",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("created_at", BigInteger),
    Column("destroyed_at", BigInteger),
)

rotations: Final = Table(
    "rotations",
    metadata,
    Column("id", Bytes, primary_key=True),
    Column("state", Text),
    Column("epoch", BigInteger),
    Column("keys", BigInteger),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("claimed_by", Bytes),
    Column("claimed_until", BigInteger),
)

retired_collections: Final = Table(
    "retired_collections",
    metadata,
    Column("collection", Text, primary_key=True),
    Column("retired_at", BigInteger),
)
