"""`memory.client` against a real server: the whole path, with both clients."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from memory.client import (
    ArchiveInvalid,
    AsyncClient,
    Client,
    ConsentMissing,
    NotFound,
    Objection,
    ProcessingRestricted,
    PurposeUnknown,
    TokenInvalid,
    VersionConflict,
)
from memory.core.merkle import verify_inclusion


@pytest.fixture
def person() -> str:
    return f"amara-{uuid.uuid4().hex[:8]}"


def test_a_person_is_remembered_corrected_and_listed(client: Client, person: str) -> None:
    amara = client.person(person)
    said = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    with pytest.raises(ConsentMissing) as caught:
        amara.store("I like figs.")
    assert caught.value.metadata["purpose"] == "assistance"
    assert caught.value.request_id
    amara.grant("assistance", indication={"method": "click", "explicit": True})
    stored = amara.store(
        "My sister Priya keeps bees.", speaker="Amara", event_time=said, labels={"of": "home"}
    )
    assert "Priya" not in stored.memory.text
    assert (stored.memory.kind, stored.memory.event_time) == ("message", said)
    many = amara.store_many(
        [{"text": f"Note {n} on the {place}."} for n, place in enumerate(["lake", "hill"] * 60)]
    )
    assert len(many) == 120
    found = amara.recall("who has bees?", limit=3)
    assert found.hits[0].memory.name == stored.memory.name
    assert {part.name for part in found.hits[0].parts} >= {"dense"}
    assert len(list(found)) == len(found) == 3
    assert "bees" in str(amara.build_context("bees", max_tokens=200))
    assert [hit.memory for hit in amara.recall("bees", event_end_time=said)] == []
    assert len(list(amara.memories())) == 121  # more than one page
    assert [each.name for each in amara.memories(event_end_time=said + timedelta(1))] == [
        stored.memory.name
    ]
    changed = amara.update(stored.memory, text="My sister keeps goats.", kind="fact")
    assert (changed.version, changed.kind, changed.labels) == (2, "fact", {"of": "home"})
    with pytest.raises(VersionConflict):
        amara.delete(stored.memory)
    assert amara.get(changed).text == "My sister keeps goats."
    assert amara.delete(changed) == 1
    with pytest.raises(NotFound):
        amara.get(changed)


def test_consents_profile_brief_and_ratings(client: Client, person: str) -> None:
    amara = client.person(person)
    for purpose in ("assistance", "profile", "handover", "tuning"):
        assert amara.grant(purpose).state == "given"
    amara.store("I live in Leeds. I don't eat meat.", speaker="Amara", extract=True)
    assert {entry.kind for entry in amara.profile()} >= {"fact"}
    assert amara.handover(max_tokens=300).token_count > 0
    found = amara.recall("where does she live?")
    assert amara.rate(found.hits[0].memory, "useful", recall_token=found.recall_token)
    assert amara.personalization().useful_count == 1
    assert amara.reset_personalization() == 1
    assert amara.withdraw("tuning").consents[0].state == "withdrawn"
    assert [each.purpose for each in amara.consents(state="withdrawn")] == ["purposes/tuning"]
    assert amara.receipt(next(amara.consents())).count(".") == 2
    assert "purposes/assistance" in {each.name for each in client.purposes()}
    amara.refuse("handover", objection=True)
    with pytest.raises(Objection):
        amara.grant("handover")
    with pytest.raises(PurposeUnknown):
        amara.grant("no-such-purpose")


def test_who_read_it_is_told_and_proven(client: Client, person: str) -> None:
    amara = client.person(person)
    amara.grant("assistance")
    amara.store("I like figs.")
    amara.recall("figs")
    events = list(amara.access_events(actions=["read"]))
    assert [(event.action, event.assistant, event.denied) for event in events] == [
        ("read", "helper", False)
    ]
    leaf = events[0].leaf_hash
    assert client.inclusion_proof(leaf).tree_size > 0  # a checkpoint has it from here on
    checkpoint = client.checkpoint()
    proof = client.inclusion_proof(leaf, tree_size=checkpoint.tree_size)
    verify_inclusion(
        leaf, proof.leaf_index, proof.tree_size, list(proof.hashes), checkpoint.root_hash
    )
    assert client.consistency_proof(1).second_tree_size >= checkpoint.tree_size


def test_a_restriction_holds_until_it_is_lifted(server: Any, client: Client, person: str) -> None:
    amara = client.person(person)
    amara.grant("assistance")
    assert amara.restrict().restricted
    with pytest.raises(ProcessingRestricted):
        amara.recall("figs")
    with Client(server.address, token=server.client(person=person).token) as own:
        assert not own.person("me").lift().restricted
    assert len(amara.recall("figs")) == 0


def test_an_archive_goes_out_to_a_file_and_in_again(
    client: Client, person: str, tmp_path: Path
) -> None:
    amara = client.person(person)
    amara.grant("assistance")
    amara.grant("reveal")
    amara.store_many([{"text": f"Note {n}."} for n in range(5)])
    told: list[int] = []
    size = amara.export(tmp_path / "a.jsonl", reveal=True, progress=told.append)
    assert size == told[-1] == (tmp_path / "a.jsonl").stat().st_size
    taken = amara.import_(tmp_path / "a.jsonl", progress=told.append)
    assert (taken.memory_count, taken.duplicate_count) == (0, 5)
    assert told[-1] == size
    (tmp_path / "b.jsonl").write_bytes((tmp_path / "a.jsonl").read_bytes()[:-9])
    with pytest.raises(ArchiveInvalid):
        amara.import_(tmp_path / "b.jsonl")


def test_a_person_is_forgotten_with_a_certificate(client: Client, person: str) -> None:
    amara = client.person(person)
    amara.grant("assistance")
    amara.store("I like figs.")
    erasure = amara.forget(wait_seconds=60)
    assert erasure.done
    assert erasure.counts is not None
    assert erasure.counts.memory_count == 1
    envelope = json.loads(client.certificate(erasure).dsse_envelope)
    assert json.loads(base64.b64decode(envelope["payload"]))["erasure"] == erasure.name
    with pytest.raises(ConsentMissing):
        amara.recall("figs")


def test_what_a_choice_names_is_erased_and_the_rest_stays(client: Client, person: str) -> None:
    amara = client.person(person)
    amara.grant("assistance")
    amara.store("I like figs.", session="one")
    kept = amara.store("I like plums.", session="two")
    assert amara.erase(purposes=["assistance"], sessions=["one"]).counts is not None
    assert [each.name for each in amara.memories()] == [kept.memory.name]


def test_a_token_that_is_none_is_told(server: Any) -> None:
    with (
        Client(server.address, token="none") as client,
        pytest.raises(TokenInvalid, match="TOKEN_INVALID"),
    ):
        client.checkpoint()


def test_the_same_with_await(server: Any, person: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncClient(server.address, token=server.client().token, timeout=60) as client:
            amara = client.person(person)
            with pytest.raises(ConsentMissing):
                await amara.store("I like figs.")
            await amara.grant("assistance")
            await amara.grant("reveal")
            stored, *_ = await asyncio.gather(
                *(amara.store(f"Note {n} on figs.") for n in range(5))
            )
            assert stored.memory.name in [each.name async for each in amara.memories()]
            assert len(await amara.recall("figs")) == 5
            assert "purposes/assistance" in [each.name async for each in client.purposes()]
            events = [each async for each in amara.access_events()]
            assert len(events) > 5
            proof = await client.inclusion_proof(events[0].leaf_hash)
            checkpoint = await client.checkpoint()
            assert checkpoint.tree_size >= proof.tree_size
            grown = await client.consistency_proof(1, second_tree_size=checkpoint.tree_size)
            assert grown.second_tree_size == checkpoint.tree_size
            size = await amara.export(tmp_path / "a.jsonl", reveal=True)
            assert size == (tmp_path / "a.jsonl").stat().st_size
            assert (await amara.import_(tmp_path / "a.jsonl")).duplicate_count == 5
            erasure = await amara.forget(wait_seconds=60)
            assert (await client.certificate(erasure)).erasure.done

    asyncio.run(main())
