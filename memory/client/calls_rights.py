"""The calls by which people decide, see, take away and are forgotten; rules as in `calls`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Unpack

from memory.client import values
from memory.client.calls import Call, Pages, Whose, as_it_is, call, pages, purpose_name
from memory.client.messages import fill, read
from memory.v1 import consent_service_pb2 as consent_pb
from memory.v1 import ledger_service_pb2 as ledger_pb
from memory.v1 import subject_rights_service_pb2 as pb


def purposes(*, language_code: str = "") -> Pages[values.Purpose]:
    """What a person can be asked to consent to, in the nearest language there is."""
    return pages(
        lambda on: on.consent.ListPurposes,
        consent_pb.ListPurposesRequest(page_size=100, language_code=language_code),
        lambda page: (read(values.Purpose, each) for each in page.purposes),
    )


def grant(
    person: Whose,
    purpose: str,
    *,
    assistant: str = "",
    expire_time: datetime | None = None,
    indication: values.Indication | None = None,
) -> Call[values.Consent]:
    """Records a yes; `assistant` narrows it to one, by the `client_id` of its tokens.

    Raises:
        Objection: the person objected, and must say yes with their own token.
    """
    request = consent_pb.GrantConsentRequest(
        parent=person.parent, purpose=purpose_name(purpose), assistant=assistant
    )
    fill(request, {"expire_time": expire_time})
    fill(request.indication, indication or {})
    return call(lambda on: on.consent.GrantConsent, request, partial(read, values.Consent))


def refuse(
    person: Whose,
    purpose: str,
    *,
    assistant: str = "",
    objection: bool = False,
    indication: values.Indication | None = None,
) -> Call[values.Consent]:
    """Records a no, or an objection (GDPR Art. 21)."""
    request = consent_pb.RefuseConsentRequest(
        parent=person.parent,
        purpose=purpose_name(purpose),
        assistant=assistant,
        objection=objection,
    )
    fill(request.indication, indication or {})
    return call(lambda on: on.consent.RefuseConsent, request, partial(read, values.Consent))


def withdraw(
    person: Whose, purpose: str, *, assistant: str = "", erase: bool = False
) -> Call[values.Withdrawn]:
    """Takes a yes back; `erase` also erases what was stored for it."""
    request = consent_pb.WithdrawConsentRequest(
        parent=person.parent, purpose=purpose_name(purpose), assistant=assistant, erase=erase
    )
    # After a lost answer, the second one counts zero; that the withdrawal arrives matters more.
    return call(lambda on: on.consent.WithdrawConsent, request, partial(read, values.Withdrawn))


def consents(
    person: Whose, *, purpose: str = "", state: values.ConsentState | None = None
) -> Pages[values.Consent]:
    """A person's decisions in the order they were made, those that ended too."""
    request = consent_pb.ListConsentsRequest(
        parent=person.parent, page_size=100, purpose=purpose_name(purpose) if purpose else ""
    )
    fill(request, {"state": state})
    return pages(
        lambda on: on.consent.ListConsents,
        request,
        lambda page: (read(values.Consent, each) for each in page.consents),
    )


def receipt(_person: Whose, consent: str | values.Consent) -> Call[str]:
    """The signed receipt of a decision, a compact JWS: what the person keeps."""
    name = consent.name if isinstance(consent, values.Consent) else consent
    request = consent_pb.GetConsentReceiptRequest(name=f"{name}/receipt")
    return call(lambda on: on.consent.GetConsentReceipt, request, lambda answer: answer.jws)


def forget(person: Whose, *, at_once: bool) -> Call[values.Erasure]:
    """Forgets a person."""
    request = pb.ForgetUserRequest(name=person.parent, at_once=at_once)
    return call(lambda on: on.rights.ForgetUser, request, partial(read, values.Erasure))


def erase(
    person: Whose,
    *,
    purposes: Sequence[str] = (),
    assistant: str = "",
    at_once: bool = False,
    **only: Unpack[values.Filter],
) -> Call[values.Erasure]:
    """Erases the memories that fit every part that is given; one at least is needed.

    `assistant` names who stored them. Gone from every answer at once; as `forget` for the rest.
    """
    request = pb.EraseMemoriesRequest(
        parent=person.parent,
        purposes=map(purpose_name, purposes),
        source=assistant,
        at_once=at_once,
    )
    fill(request.filter, only)
    # Done twice, the second one's certificate would say that nothing was there.
    return call(
        lambda on: on.rights.EraseMemories,
        request,
        partial(read, values.Erasure),
        repeatable=False,
    )


def certificate(erasure: str | values.Erasure) -> Call[values.ErasureCertificate]:
    """How far an erasure is, and its certificate."""
    name = erasure.name if isinstance(erasure, values.Erasure) else erasure
    return call(
        lambda on: on.rights.GetErasureCertificate,
        pb.GetErasureCertificateRequest(name=f"{name}/certificate"),
        partial(read, values.ErasureCertificate),
    )


def access_events(
    person: Whose,
    *,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    assistant: str = "",
    actions: Sequence[values.Action] = (),
) -> Pages[values.AccessEvent]:
    """Who read or wrote a person's data, when and why, newest first."""
    request = pb.ListAccessEventsRequest(parent=person.parent, page_size=100, assistant=assistant)
    fill(request, {"start_time": start_time, "end_time": end_time, "actions": actions})
    return pages(
        lambda on: on.rights.ListAccessEvents,
        request,
        lambda page: (read(values.AccessEvent, each) for each in page.access_events),
    )


def restrict(person: Whose) -> Call[values.Restriction]:
    """Keeps a person's data and uses it no more (GDPR Art. 18), until `lift`."""
    request = pb.RestrictProcessingRequest(name=person.parent)
    return call(lambda on: on.rights.RestrictProcessing, request, partial(read, values.Restriction))


def lift(person: Whose, *, informed_time: datetime | None = None) -> Call[values.Restriction]:
    """Lifts a restriction; an operator says when the person was told that it would be."""
    request = pb.LiftRestrictionRequest(name=person.parent)
    fill(request, {"informed_time": informed_time})
    return call(lambda on: on.rights.LiftRestriction, request, partial(read, values.Restriction))


def sign_in_link(person: Whose) -> Call[values.SignInLink]:
    """A link to the person's page, for them alone; it works once. Needs scope `page.link`."""
    request = pb.IssueSignInLinkRequest(name=person.parent)
    return call(lambda on: on.rights.IssueSignInLink, request, partial(read, values.SignInLink))


def checkpoint() -> Call[ledger_pb.Checkpoint]:
    """The newest signed checkpoint of the ledger."""
    request = ledger_pb.GetCheckpointRequest()
    return call(lambda on: on.ledger.GetCheckpoint, request, as_it_is)


def inclusion_proof(leaf_hash: bytes, *, tree_size: int = 0) -> Call[ledger_pb.InclusionProof]:
    """Proof that an event is in the ledger; by default in the newest checkpoint's."""
    request = ledger_pb.GetInclusionProofRequest(leaf_hash=leaf_hash, tree_size=tree_size)
    return call(lambda on: on.ledger.GetInclusionProof, request, as_it_is)


def consistency_proof(
    first_tree_size: int, *, second_tree_size: int = 0
) -> Call[ledger_pb.ConsistencyProof]:
    """Proof that the ledger only grew between two sizes."""
    request = ledger_pb.GetConsistencyProofRequest(
        first_tree_size=first_tree_size, second_tree_size=second_tree_size
    )
    return call(lambda on: on.ledger.GetConsistencyProof, request, as_it_is)
