"""Where the time of one Recall goes, in this process, over a data folder that a server left.

gate and names    consent twice, and the query's words in the person's vault
embedding         the model, one query
what to rank      the memories: laid open already, or by the index and with their neighbours
ranking           all parts of `core.ranking`, over all of them
opening the hits  their rows out of SQL, unsealed
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.server import PURPOSE, TENANT
from memory.app.gate import admit
from memory.app.narrow import Narrow
from memory.app.recall import Recall
from memory.app.sealing import open_memory
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.ranking import rank
from memory.core.values import (
    Access,
    AssistantId,
    Caller,
    PersonId,
    PseudonymizedText,
    PurposeId,
    RawText,
    TenantId,
)

HITS: Final = 10

Times = dict[str, float]
"""Milliseconds by part."""


def recall_parts(folder: Path, person: str, queries: Sequence[str]) -> Times:
    """The median of each part; the first two queries warm up."""
    caller = Caller(TenantId(TENANT), AssistantId("benchmark"), frozenset())
    access = Access(caller, PersonId(person), PurposeId(PURPOSE.removeprefix("purposes/")))
    with open_tacit(Config(data=folder)) as tacit:
        measured = [_one(tacit.recall, access, query) for query in queries][2:]
    return {part: median(times[part] for times in measured) for part in measured[0]}


def _one(recall: Recall, access: Access, query: str) -> Times:
    marks = [time.perf_counter()]
    recall.encoder.encode_query(PseudonymizedText(query))
    marks.append(time.perf_counter())
    wanted = recall.wanted(access, RawText(query))
    ref = recall.keyring.ref(access.caller.tenant, access.person)
    purposes = recall.registry.of(access.caller.tenant)
    with recall.store.read() as uow:
        admission = admit(uow, ref, purposes, access, recall.clock())
        keys = recall.keyring.keys(admission.person)
        narrow = Narrow()
        filter_ = narrow.to_filter(keys, admission)
        marks.append(time.perf_counter())
        person, candidates = admission.person, recall.candidates
        found = (
            candidates.whole(uow, keys, person, narrow, filter_)
            if person.numbered <= candidates.few
            else candidates.near(uow, keys, person, wanted.vector, narrow, filter_, HITS)
        )
        marks.append(time.perf_counter())
        ranked = rank(wanted, found.corpus, HITS, among=found.among)
        marks.append(time.perf_counter())
        for one in ranked:
            open_memory(keys, found.opened[one.index].row)
        marks.append(time.perf_counter())
    embedding, understood, searching, ranking, opening = (
        (after - before) * 1000 for before, after in pairwise(marks)
    )
    return {
        "gate and names": max(understood - embedding, 0.0),
        "embedding": embedding,
        "what to rank": searching,
        "ranking": ranking,
        "opening the hits": opening,
    }
