"""What happens in the demo, step by step, over gRPC against a real server.

Rules:
- Every line that the reader sees comes from an answer of the server or from a byte on the disk.
- Each step checks what it shows; a demo that shows something else than it says fails.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import grpc

from memory.errors import TacitError
from memory.v1 import consent_service_pb2 as consents
from memory.v1 import memory_service_pb2 as memories
from memory.v1 import subject_rights_service_pb2 as rights
from memory.v1.core_pb2 import AccessContext
from server.cli.ingest import batches
from server.cli.output import explain
from server.cli.session import Options, Session, mint_local, open_channel
from server.demo import conversation
from server.demo.disk import look
from server.demo.process import ServerProcess
from server.demo.stage import Stage

TENANT: Final = "acme"
PERSON: Final = "amara@acme"
PURPOSE: Final = "assistance"
QUESTIONS: Final = (
    "what is she allergic to?",
    "what did the doctor prescribe?",
    "what instrument did she use to play?",
    "when is the children's birthday?",
)
SHOWN: Final = (0, 4, 7, 8, 20)
"""Turns that are shown beside what is kept of them."""


class DemoError(TacitError):
    """What the demo claims did not happen."""


@dataclass
class Story:
    """The actors and the stage. `play()` runs all of it."""

    server: ServerProcess
    stage: Stage
    _closing: ExitStack = field(default_factory=ExitStack)

    def play(self) -> None:
        """Runs every step; raises `DemoError` when one does not hold."""
        with self._closing:
            self._start()
            assistant = self._actor("companion", "memory.write", "memory.read", "consent.manage")
            self._refused_without_consent(assistant)
            self._consents()
            self._stores(assistant)
            self._recalls(assistant)
            self._reveals()
            self._others_get_nothing()
            self._on_the_disk()
            self._withdraws(assistant)
            self._exports()
            self._forgets(assistant)

    def _start(self) -> None:
        self.stage.step("A server starts", "tacit serve --data … --listen 127.0.0.1:0")
        seconds = self.server.start()
        self._closing.callback(self.server.stop)
        self.stage.fact(f"listens on {self.server.address} after {seconds:.1f} s")

    def _refused_without_consent(self, assistant: Session) -> None:
        self.stage.step("Without consent, nothing is stored", "companion ▸ StoreMemory")
        request = next(self._batches(1))
        self.stage.refusal(self._refusal(assistant, assistant.memory.BatchStoreMemories, request))

    def _consents(self) -> None:
        self.stage.step("The person says yes", "amara ▸ GrantConsent")
        granted = self._grant(PURPOSE)
        self.stage.fact(f"{granted.purpose}, for the assistant {granted.assistant!r} and no other")

    def _grant(self, purpose: str) -> consents.Consent:
        person = self._actor("companion", "consent.manage", person=PERSON)
        request = consents.GrantConsentRequest(
            parent="people/me", purpose=f"purposes/{purpose}", assistant="companion"
        )
        return person.call(person.consent.GrantConsent, request)

    def _stores(self, assistant: Session) -> None:
        self.stage.step("The assistant stores a conversation", "companion ▸ BatchStoreMemories")
        said = conversation.load().turns
        began = time.perf_counter()
        stored = [
            answer.memory
            for request in self._batches(16)
            for answer in assistant.call(assistant.memory.BatchStoreMemories, request).responses
        ]
        seconds = time.perf_counter() - began
        _claim(len(stored) == len(said), "every turn is stored")
        self.stage.fact(f"{len(stored)} turns acknowledged in {seconds:.2f} s; some of them:")
        for place in SHOWN:
            self.stage.pair(said[place].text, stored[place].text)

    def _recalls(self, assistant: Session) -> None:
        self.stage.step("It recalls by meaning", "companion ▸ RecallMemories")
        for question in QUESTIONS:
            began = time.perf_counter()
            hits = assistant.call(assistant.memory.RecallMemories, _recall(question)).hits
            _claim(bool(hits), "something is recalled")
            milliseconds = (time.perf_counter() - began) * 1000
            best = [(hit.score, hit.memory.text) for hit in hits[:2]]
            self.stage.answers(f"{question}   {milliseconds:.0f} ms", best)

    def _reveals(self) -> None:
        self.stage.step("Real names need a consent of their own", "RecallMemories(reveal=True)")
        assistant = self._actor("companion", "memory.read", "memory.reveal")
        request = _recall(QUESTIONS[-1], reveal=True)
        self.stage.refusal(self._refusal(assistant, assistant.memory.RecallMemories, request))
        self._grant("reveal")
        hits = assistant.call(assistant.memory.RecallMemories, request).hits
        _claim("Tobias" in hits[0].memory.text, "the real name is back")
        self.stage.fact("after amara ▸ GrantConsent(purposes/reveal):")
        self.stage.answers(QUESTIONS[-1], [(hits[0].score, hits[0].memory.text)])

    def _others_get_nothing(self) -> None:
        self.stage.step("Others get nothing", "RecallMemories with other good tokens")
        shop = self._actor("shop", "memory.read")
        stranger = self._actor("companion", "memory.read", tenant="globex")
        other_person = self._actor("companion", "memory.read", person="ben@acme")
        for who, session in (
            ("another assistant of the same tenant", shop),
            ("another tenant", stranger),
            ("another person", other_person),
        ):
            refusal = self._refusal(session, session.memory.RecallMemories, _recall("anything"))
            self.stage.refusal(refusal, who)

    def _on_the_disk(self) -> None:
        self.stage.step("What the disk holds", f"every file below {self.server.data}")
        disk = look(self.server.data.resolve() / "tacit.db")
        _claim(disk.rows["memories"] > 0, "the memories are in the database")
        self.stage.fact(f"{disk.rows['memories']} memories; the first one, as SQL keeps it:")
        self.stage.bytes(disk.sealed_memory)
        self.stage.fact("its person, as SQL knows her (a keyed hash):")
        self.stage.bytes(disk.person)
        self._search()

    def _withdraws(self, assistant: Session) -> None:
        self.stage.step("She takes her consent back", "amara ▸ WithdrawConsent")
        person = self._actor("companion", "consent.manage", person=PERSON)
        request = consents.WithdrawConsentRequest(parent="people/me", purpose=f"purposes/{PURPOSE}")
        person.call(person.consent.WithdrawConsent, request)
        refusal = self._refusal(assistant, assistant.memory.RecallMemories, _recall(QUESTIONS[0]))
        self.stage.refusal(refusal, "the very next recall")

    def _exports(self) -> None:
        self.stage.step("She takes everything with her", "amara ▸ ExportData")
        person = self._actor("companion", "data.export", "memory.reveal", person=PERSON)
        records = self._archive(person, reveal=True)
        kinds = Counter(record["type"] for record in records)
        self.stage.fact("an archive: " + ", ".join(f"{n} × {kind}" for kind, n in kinds.items()))
        first = next(record for record in records if record["type"] == "memory")
        _claim(first["text"] == conversation.load().turns[0].text, "her own words come back")
        self.stage.fact(f"in her own words: {first['text']}")

    def _forgets(self, assistant: Session) -> None:
        self.stage.step("She is forgotten", "amara ▸ ForgetUser")
        person = self._actor("companion", "data.erase", "data.export", person=PERSON)
        erasure = person.call(person.rights.ForgetUser, rights.ForgetUserRequest(name="people/me"))
        _claim(erasure.state == rights.Erasure.STATE_DONE, "the erasure is done")
        counts = erasure.counts
        self.stage.fact(
            f"erased: {counts.memory_count} memories, {counts.pseudonym_count} pseudonyms, "
            f"{counts.consent_count} consents, and the key that opened them"
        )
        refusal = self._refusal(assistant, assistant.memory.RecallMemories, _recall(QUESTIONS[0]))
        self.stage.refusal(refusal, "recall, once more")
        _claim(not any(r["type"] == "memory" for r in self._archive(person)), "nothing is left")
        disk = look(self.server.data.resolve() / "tacit.db")
        _claim(disk.rows["memories"] == disk.rows["persons"] == 0, "the database is empty of her")
        self.stage.fact("rows of hers in the database: 0")
        self._search()

    def _search(self) -> None:
        """Looks for the conversation in every byte that the server wrote, its log included."""
        from memory.adapters.residue_scan import Place, scan
        from memory.core.residue import Needles, StoreName

        needles = Needles()
        needles.add_texts([*conversation.secrets(), PERSON])
        report = scan([Place(StoreName.OTHER, self.server.data.parent)], needles)
        self.stage.fact(
            f"searched {report.files} files ({report.size / 1e6:.1f} MB) for "
            f"{sum(report.looked_for.values())} names, sentences and phrases in UTF-8, UTF-16, hex "
            f"and base64: {report.residues} found"
        )
        _claim(not report.residues, "nothing readable lies on the disk")

    def _actor(
        self, client: str, *scopes: str, tenant: str = TENANT, person: str | None = None
    ) -> Session:
        """Someone with a token of their own, minted from the server's key as `tacit token` does."""
        from memory.config import Config

        config = Config(data=self.server.data)
        token = mint_local(config, tenant=tenant, client=client, scopes=scopes, person=person)
        channel = open_channel(Options(address=self.server.address), config)
        self._closing.enter_context(channel)
        return Session(channel, token, timeout=30.0)

    def _batches(self, size: int) -> Iterator[memories.BatchStoreMemoriesRequest]:
        return batches(conversation.load(), PERSON, PURPOSE, size)

    def _archive(self, person: Session, *, reveal: bool = False) -> list[dict[str, str]]:
        request = rights.ExportDataRequest(name="people/me", reveal=reveal)
        data = b"".join(p.data for p in person.call(person.rights.ExportData, request))
        return [json.loads(line) for line in data.splitlines()]

    def _refusal(self, session: Session, method: object, request: object) -> str:
        try:
            session.call(method, request)  # type: ignore[arg-type]
        except grpc.RpcError as error:
            return explain(error)[0]
        raise DemoError("the call was let through, and must be refused")


def _recall(query: str, *, reveal: bool = False) -> memories.RecallMemoriesRequest:
    return memories.RecallMemoriesRequest(
        parent=f"people/{PERSON}",
        access=AccessContext(purpose=f"purposes/{PURPOSE}"),
        query=query,
        limit=3,
        reveal=reveal,
    )


def _claim(holds: bool, claim: str) -> None:
    if not holds:
        raise DemoError(f"this did not hold: {claim}")
