"""The topics put together: what `memory.ports.UnitOfWork` asks for."""

from __future__ import annotations

from memory.adapters.sql.access_log import AccessLog
from memory.adapters.sql.consents import Consents
from memory.adapters.sql.erasures import Erasures
from memory.adapters.sql.feedback import Feedback
from memory.adapters.sql.ledger import Ledger
from memory.adapters.sql.memories import Memories
from memory.adapters.sql.outbox import Outbox
from memory.adapters.sql.requests import Requests
from memory.adapters.sql.retention import Retention
from memory.adapters.sql.rotations import Rotations
from memory.adapters.sql.segments import Segments
from memory.adapters.sql.tally import Tally
from memory.adapters.sql.vault import Vault
from memory.adapters.sql.versions import Versions


class SqlUnitOfWork(
    Outbox,
    Rotations,
    Erasures,
    Retention,
    Memories,
    Versions,
    Segments,
    Vault,
    Consents,
    Feedback,
    AccessLog,
    Ledger,
    Requests,
    Tally,
):
    """One transaction over all tables."""
