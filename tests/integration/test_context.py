"""BuildContext: what a recall finds as a text, with pseudonyms or, by right, with names."""

from __future__ import annotations

import pytest

from memory.bootstrap import Tacit
from memory.core.values import RawText
from memory.errors import ConsentError, InvalidArgumentError
from memory.ports import AccessAction, AccessFilter
from tests.integration.conftest import REVEAL, access, caller, draft, grant, store

SAID = "My brother Tobias plays the oboe."


def _oboe(tacit: Tacit, max_tokens: int = 100, **how: bool) -> str:
    return tacit.build_context(access(), RawText("who plays the oboe?"), max_tokens, **how).text


def test_names_stay_hidden_unless_the_person_consented_to_reveal_them(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, SAID, "I water the ferns on Mondays.", "The oboe needs a new reed.")
    hidden = _oboe(tacit)
    assert "Tobias" not in hidden
    assert "person_1 plays the oboe" in hidden
    with pytest.raises(ConsentError):
        _oboe(tacit, revealed=True)
    grant(tacit, purpose=REVEAL)
    assert SAID in _oboe(tacit, revealed=True)


def test_only_what_goes_into_the_text_is_revealed(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=REVEAL)
    store(tacit, SAID, *(f"Note {n} about the oboe and its many keys." for n in range(20)))
    context = tacit.build_context(access(), RawText("the oboe"), 60, revealed=True)
    assert 0 < context.tokens <= 60
    recall = tacit.recall
    ref = recall.keyring.ref(access().caller.tenant, access().person)
    with recall.store.read() as uow:
        person = uow.person(ref)
        assert person is not None
        revealed, read = uow.access_events(person.subject, AccessFilter(), 3)[:2]
    assert (revealed.action, read.action) == (AccessAction.REVEAL, AccessAction.READ)
    assert len(context.cited) == revealed.memories < 20


def test_names_longer_than_pseudonyms_do_not_break_the_budget(tacit: Tacit) -> None:
    grant(tacit)
    grant(tacit, purpose=REVEAL)
    name = "Bartholomew Featherstonehaugh"
    tacit.remember(access(), [draft(f"{name} has told me story {n}.") for n in range(12)])
    for budget in range(20, 120, 10):
        context = tacit.build_context(access(), RawText("which story?"), budget, revealed=True)
        assert context.tokens <= budget


@pytest.mark.parametrize("max_tokens", [0, 32_001])
def test_a_budget_out_of_bounds_is_refused(tacit: Tacit, max_tokens: int) -> None:
    grant(tacit)
    with pytest.raises(InvalidArgumentError):
        _oboe(tacit, max_tokens)


def test_without_consent_there_is_no_context(tacit: Tacit) -> None:
    grant(tacit)
    store(tacit, SAID)
    tacit.consents.withdraw(caller(), access().person, access().purpose, None)
    with pytest.raises(ConsentError):
        _oboe(tacit)
