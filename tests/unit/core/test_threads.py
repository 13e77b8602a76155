"""What is open: questions that nobody answered, tasks that nobody told as done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.threads import Lack, Message, threads
from memory.core.values import RecordId

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def _said(*lines: str) -> list[Message]:
    """`speaker: text`, one a minute; a line of `---` begins the next day and another session."""
    made: list[Message] = []
    session = 0
    for seq, line in enumerate(lines):
        if line == "---":
            session += 1
            continue
        speaker, _, text = line.partition(": ")
        time = START + timedelta(days=session, minutes=seq)
        made.append(Message(RecordId(seq.to_bytes(16)), text, speaker, str(session), time, seq))
    return made


def _open(*lines: str) -> list[tuple[int, Lack]]:
    return [(int.from_bytes(record.value), lack) for record, lack in threads(_said(*lines))]


ASKED, TO_DO = Lack.ANSWER, Lack.DEED


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["user: When does the warranty end?"], [(0, ASKED)]),
        (["user: When does the warranty end?", "assistant: In May 2027."], []),
        (["user: When is it over?", "bot: Which contract do you mean?"], [(1, ASKED), (0, ASKED)]),
        (["user: When does the warranty end?", "user: I lost the papers."], [(0, ASKED)]),
        (["user: When does the warranty end?", "---", "assistant: The warranty ends in May."], []),
        (["user: When does the warranty end?", "---", "assistant: Hello there."], [(0, ASKED)]),
        (["user: How are you?"], []),
        (["user: What about you?"], []),
        ([": Is the shop open on Sundays?", ": Until noon."], []),
        (["user: Is the shop open?", "---", "user: Is the shop open?"], [(2, ASKED)]),
        (["assistant: What is your order number?"], [(0, ASKED)]),
    ],
)  # fmt: skip
def test_a_question_is_open_until_somebody_else_states_something(
    lines: list[str], expected: list[tuple[int, Lack]]
) -> None:
    assert _open(*lines) == expected


@pytest.mark.parametrize(
    "line",
    [
        "assistant: I'll send you the contract tomorrow.",
        "assistant: We will refund the second payment.",
        "user: I'm going to call the landlord about the heating.",
        "user: I need to renew my passport before June.",
        "user: I still have to pay the deposit.",
        "assistant: You need to sign the form on page 3.",
        "user: Remind me to water the ferns on Monday.",
        "user: Please cancel my subscription.",
        "user: Can you send me the invoice again?",
        "user: Don't forget the keys for the cellar.",
        "assistant: Let me check if the part is in stock.",
        "assistant: Sorry about that. I’ll escalate the ticket to the workshop.",
        "user: I must return the library books.",
    ],
)
def test_what_somebody_will_do_or_is_asked_to_is_to_do(line: str) -> None:
    assert _open(line) == [(0, TO_DO)]


@pytest.mark.parametrize(
    "line",
    [
        "assistant: I won't send the contract.",
        "assistant: I'll be happy to help.",
        "user: If it breaks again, I'll call you.",
        "assistant: I'll call you if it breaks.",
        "user: You don't have to send the form.",
        "user: I have to say, the cake was good.",
        "user: I have to go, bye.",
        "user: Maybe I'll order the blue one.",
        "user: I sent the contract yesterday.",
        "user: They will deliver it.",
        "user: I love the garden.",
    ],
)
def test_what_is_denied_conditional_or_past_is_not(line: str) -> None:
    assert _open(line) == []


@pytest.mark.parametrize(
    ("task", "later", "done"),
    [
        ("I'll send you the contract tomorrow.", "The contract is sent.", True),
        ("I'll send you the contract tomorrow.", "Thanks, I received the contract.", True),
        ("I'll send you the contract tomorrow.", "Done!", True),
        ("I'll send you the contract tomorrow.", "All sorted.", True),
        ("I'll send you the contract tomorrow.", "Never mind the contract.", True),
        ("I need to renew my passport.", "My passport is renewed.", True),
        ("I'm going to call the landlord about the heating.", "The heating is fixed.", True),
        ("I'll send you the contract tomorrow.", "The contract will be sent.", False),
        ("I'll send you the contract tomorrow.", "The contract hasn't arrived.", False),
        ("I'll send you the contract tomorrow.", "Nobody sent the contract.", False),
        ("I'll send you the contract tomorrow.", "Is the contract sent?", False),
        ("I'll send you the contract tomorrow.", "The parcel arrived.", False),
        ("I'll send you the contract tomorrow.", "Okay, great.", False),
        ("Can you send me the invoice again?", "Sure, on its way.", False),
    ],
)
def test_a_task_is_open_until_it_is_told_as_done(task: str, later: str, done: bool) -> None:
    assert (0 not in dict(_open(f"user: {task}", f"assistant: {later}"))) is done
    at_least_named = done and later not in {"Done!", "All sorted."}
    assert (0 not in dict(_open(f"user: {task}", "---", f"user: {later}"))) is at_least_named


def test_a_mere_done_is_of_the_last_task_of_its_session() -> None:
    first, second = "user: I'll book the train.", "user: I'll order the cake."
    assert _open(first, second, "user: Done!") == [(0, TO_DO)]


def test_the_latest_comes_first_and_of_one_message_what_it_lacks_first() -> None:
    found = _open(
        "user: Which size do I need? I'll measure and order it.",
        "---",
        "user: Please call the plumber.",
    )
    assert found == [(2, TO_DO), (0, ASKED)]


LINES = st.lists(
    st.sampled_from([
        "user: I'll send the form.", "assistant: The form is sent.", "user: When is it due?",
        "assistant: On Monday.", "user: Done.", "---", "assistant: Please sign the form.",
        "user: Could you call the bank?", ": I must pay the rent.", ": paid the rent",
    ]) | st.text(max_size=40).filter(lambda text: text.strip() not in {"", "---"}),
    max_size=14,
)  # fmt: skip


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_in_which_messages_lie_changes_nothing(lines: list[str], dice: object) -> None:
    messages = _said(*lines)
    found = threads(messages)
    dice.shuffle(messages)  # type: ignore[attr-defined]
    assert threads(messages) == found
    assert len(dict(found)) == len(found) <= len(messages)


def test_hostile_texts_are_read_in_bounded_time() -> None:
    for text in ("I'll " * 2_000, "please " * 1_400, "?" * 10_000, "done. " * 1_600, "to " * 3_000):
        assert len(threads(_said(*[f"user: {text}"] * 3))) <= 3
