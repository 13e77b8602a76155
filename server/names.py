"""Resource names (AIP-122): the wire's words for ids.

    people/{person}  people/{person}/memories/{memory}  people/{person}/consents/{consent}
    people/{person}/accessEvents/{access_event}  purposes/{purpose}
    erasures/{erasure}  erasures/{erasure}/certificate  tenants/{tenant}

Rules:
- `people/me` is the person that the token names, and nobody without one.
- A token that names a person opens that person's resources and no other's.
- Errors name the request's field, never what stood in it.
"""

from __future__ import annotations

from typing import Final

from memory.core.values import Caller, PersonId, PurposeId, RecordId, TenantId
from memory.errors import InvalidArgumentError, PersonMismatchError

_ME: Final = "me"


def person_from(caller: Caller, name: str, field: str) -> PersonId:
    """The person of `people/{person}`, if this caller may name them.

    Raises:
        InvalidArgumentError: not of that form, or `people/me` with a token that names no one.
        PersonMismatchError: the token names another person.
    """
    (person,) = _ids(name, field, "people")
    return _named(caller, person, field)


def memory_from(caller: Caller, name: str, field: str) -> tuple[PersonId, RecordId]:
    """The person and the memory of `people/{person}/memories/{memory}`; errors as above."""
    person, record = _ids(name, field, "people", "memories")
    return _named(caller, person, field), _record(record, field)


def consent_from(
    caller: Caller, name: str, field: str, *, tail: str = ""
) -> tuple[PersonId, RecordId]:
    """The person and the consent of `people/{person}/consents/{consent}`, behind it `tail`."""
    if not name.endswith(tail):
        raise InvalidArgumentError(field, f"must end with {tail}")
    person, record = _ids(name.removesuffix(tail), field, "people", "consents")
    return _named(caller, person, field), _record(record, field)


def purpose_from(name: str, field: str) -> PurposeId:
    """The purpose of `purposes/{purpose}`."""
    (purpose,) = _ids(name, field, "purposes")
    try:
        return PurposeId(purpose)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(field, f"{{purpose}} {error.problem}") from None


def certificate_from(name: str, field: str) -> RecordId:
    """The erasure of `erasures/{erasure}/certificate`."""
    erasure, _, last = name.rpartition("/")
    if last != "certificate":
        raise InvalidArgumentError(field, "must be of the form erasures/{erasure}/certificate")
    (id_,) = _ids(erasure, field, "erasures")
    return _record(id_, field)


def tenant_name(tenant: TenantId) -> str:
    """`tenants/{tenant}`."""
    return f"tenants/{tenant.value}"


def person_name(person: PersonId) -> str:
    """`people/{person}`."""
    return f"people/{person.value}"


def memory_name(person: PersonId, record: RecordId) -> str:
    """`people/{person}/memories/{memory}`."""
    return f"{person_name(person)}/memories/{record}"


def consent_name(person: PersonId, consent: RecordId) -> str:
    """`people/{person}/consents/{consent}`."""
    return f"{person_name(person)}/consents/{consent}"


def access_event_name(person: PersonId, event: RecordId) -> str:
    """`people/{person}/accessEvents/{access_event}`."""
    return f"{person_name(person)}/accessEvents/{event}"


def purpose_name(purpose: PurposeId) -> str:
    """`purposes/{purpose}`."""
    return f"purposes/{purpose}"


def erasure_name(erasure: RecordId) -> str:
    """`erasures/{erasure}`."""
    return f"erasures/{erasure}"


def _ids(name: str, field: str, *collections: str) -> list[str]:
    parts = name.split("/")
    if len(parts) != 2 * len(collections) or tuple(parts[::2]) != collections or "" in parts:
        pattern = "/".join(f"{name}/{{{_singular(name)}}}" for name in collections)
        raise InvalidArgumentError(field, f"must be of the form {pattern}")
    return parts[1::2]


def _singular(collection: str) -> str:
    return {"people": "person", "memories": "memory"}.get(collection, collection.removesuffix("s"))


def _named(caller: Caller, person: str, field: str) -> PersonId:
    if person == _ME:
        if caller.person is None:
            raise InvalidArgumentError(field, "people/me needs a token that names a person")
        return caller.person
    try:
        named = PersonId(person)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(field, f"{{person}} {error.problem}") from None
    if caller.person is not None and caller.person != named:
        raise PersonMismatchError("the token belongs to another person than the request names")
    return named


def _record(record: str, field: str) -> RecordId:
    try:
        return RecordId.parse(record)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(field, error.problem) from None
