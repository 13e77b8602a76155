"""Tacit from Python: store, recall, and everything that a person may ask for.

    from memory.client import Client

    with Client("127.0.0.1:50051", token=token) as tacit:
        amara = tacit.person("amara")
        amara.store("I'm allergic to peanuts.", speaker="Amara")
        for hit in amara.recall("which food is dangerous?"):
            print(hit.score, hit.memory.text)

`AsyncClient` is the same with `await`, and `async for` over what comes in pages. docs/client.md
has the rest.

Rules:
- Needs the stubs, gRPC and protobuf, and nothing else of Tacit (import-linter says so): importing
  it loads no model, no database and no index.
- A call is repeated only where that is safe, and never past its `timeout`.
- What is refused is a `ClientError` named for its reason. Neither it nor a result shows content
  when it is printed.
- A token leaves this machine over TLS only, unless `tls=False` says that something else protects
  the way.
"""

from memory.client.aio import AsyncClient, AsyncPerson
from memory.client.blocking import Client, Person
from memory.client.connection import Tls
from memory.client.errors import (
    ArchiveInvalid,
    CallerNotAllowed,
    ClientError,
    ConsentMissing,
    DeadlinePassed,
    ErasureInProgress,
    Internal,
    InvalidArgument,
    LegalHold,
    NotBuilt,
    NotFound,
    Objection,
    PageTokenInvalid,
    PersonMismatch,
    ProcessingRestricted,
    PurposeUnknown,
    QuotaExceeded,
    RateLimited,
    RecordDamaged,
    RequestIdReused,
    ScopeMissing,
    StorageFull,
    TextTooLong,
    TokenInvalid,
    TooBusy,
    Unavailable,
    VersionConflict,
)
from memory.client.values import (
    AccessEvent,
    Affect,
    Brief,
    Consent,
    Context,
    ContextCitation,
    Erasure,
    ErasureCertificate,
    ErasureCounts,
    Indication,
    Memory,
    ProfileEntry,
    Purpose,
    Recalled,
    RecallHit,
    Restriction,
    ScorePart,
    SignInLink,
    Stored,
    TakenIn,
    Withdrawn,
)

__all__ = [
    "Client",
    "AsyncClient",
    "Person",
    "AsyncPerson",
    "Tls",
    "Memory",
    "Affect",
    "Stored",
    "Recalled",
    "RecallHit",
    "ScorePart",
    "Context",
    "ContextCitation",
    "ProfileEntry",
    "Brief",
    "Purpose",
    "Consent",
    "Indication",
    "Withdrawn",
    "TakenIn",
    "Erasure",
    "ErasureCounts",
    "ErasureCertificate",
    "AccessEvent",
    "Restriction",
    "SignInLink",
    "ClientError",
    "ArchiveInvalid",
    "CallerNotAllowed",
    "ConsentMissing",
    "DeadlinePassed",
    "ErasureInProgress",
    "Internal",
    "InvalidArgument",
    "LegalHold",
    "NotBuilt",
    "NotFound",
    "Objection",
    "PageTokenInvalid",
    "PersonMismatch",
    "ProcessingRestricted",
    "PurposeUnknown",
    "QuotaExceeded",
    "RateLimited",
    "RecordDamaged",
    "RequestIdReused",
    "ScopeMissing",
    "StorageFull",
    "TextTooLong",
    "TokenInvalid",
    "TooBusy",
    "Unavailable",
    "VersionConflict",
]
