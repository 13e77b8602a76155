"""Keys are derived per use and bound to what they protect."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.keys import DeploymentKeys, PersonKeys, bind, derive, root_aad
from memory.core.values import PersonId, PersonRef, Secret, SubjectId, TenantId

ROOT = Secret(b"\x01" * 32)
ACME = TenantId("acme")
SUBJECT = SubjectId(b"s" * 16)


@given(a=st.lists(st.binary(max_size=8)), b=st.lists(st.binary(max_size=8)))
def test_no_two_lists_of_fields_bind_alike(a: list[bytes], b: list[bytes]) -> None:
    assert (bind(*a) == bind(*b)) == (a == b)


def test_each_use_has_its_own_key() -> None:
    keys = PersonKeys(ACME, SUBJECT, 1, ROOT)
    derived = {k.reveal() for k in (keys.record, keys.vault, keys.blind_index, keys.veil)}
    assert len(derived) == 4
    assert derive(ROOT, "record").reveal() in derived


def test_a_person_is_looked_up_under_the_tenant_only() -> None:
    keys = DeploymentKeys(ROOT)
    person = PersonId("alice")
    assert keys.person_ref(ACME, person) == keys.person_ref(ACME, PersonId("alice"))
    assert keys.person_ref(ACME, person) != keys.person_ref(TenantId("other"), person)
    assert keys.person_ref(ACME, person) != keys.person_ref(ACME, PersonId("Alice"))
    assert b"alice" not in keys.person_ref(ACME, person)


def test_tags_of_two_people_have_nothing_in_common() -> None:
    one = PersonKeys(ACME, SUBJECT, 1, ROOT)
    other = PersonKeys(ACME, SUBJECT, 1, Secret(b"\x02" * 32))
    assert one.tag("session", "s1") == one.tag("session", "s1")
    assert one.tag("session", "s1") != other.tag("session", "s1")
    assert one.tag("session", "s1") != one.tag("request", "s1")


def test_a_wrapped_root_is_bound_to_tenant_person_stay_and_version() -> None:
    base = (ACME, PersonRef(b"r" * 32), SUBJECT, 1)
    others = [
        (TenantId("b"), *base[1:]),
        (ACME, PersonRef(b"q" * 32), SUBJECT, 1),
        (*base[:2], SubjectId(b"t" * 16), 1),
        (*base[:3], 2),
    ]
    assert len({root_aad(*fields) for fields in [base, *others]}) == 5


def test_secrets_hide_themselves() -> None:
    secret = Secret(b"very secret bytes")
    assert "very" not in f"{secret!r} {secret}"
    assert "root" not in repr(ROOT)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
