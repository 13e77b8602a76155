"""What Prometheus sees of a server that was used: figures by name, and nothing of anybody."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from memory.bootstrap import open_tacit
from memory.config import Config
from memory.errors import ConfigurationError, StorageUnavailableError
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.memory_service_pb2 import (
    BatchStoreMemoriesRequest,
    RecallMemoriesRequest,
    StoreMemoryRequest,
)
from memory.v1.subject_rights_service_pb2 import ForgetUserRequest
from server.instruments import Instruments, State
from server.metrics import Metrics
from server.observing import Exposition, observation
from server.workers import Workers
from tests.integration.planted import conversation

ASSISTANCE = AccessContext(purpose="purposes/assistance")
LABELS = {
    *("method", "code", "reason", "call", "step", "entity_type", "model", "cache", "state"),
    *("until", "le", "version"),
}
TENANT, ASSISTANT, PERSON = "tenant-of-a-kind", "a-client-of-its-own", "ottilie.unmistakable"
PLANTED = conversation(7)
DENIED = "Project Bluebird"
DASHBOARD = Path(__file__).parents[3] / "deploy" / "grafana" / "tacit.json"


@dataclass(frozen=True)
class Scraped:
    text: str
    values: dict[tuple[str, frozenset[tuple[str, str]]], float]

    def __call__(self, name: str, **labels: str) -> float:
        return self.values[name, frozenset(labels.items())]


def _scrape(address: str) -> Scraped:
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        text = answer.read().decode()
    values = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return Scraped(text, values)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory, serving: Any) -> Iterator[Scraped]:
    """Of a server that stored, recalled, refused and forgot."""
    folder = tmp_path_factory.mktemp("observed")
    detection = folder / "detection.toml"
    detection.write_text(f'[deny]\n"{DENIED}" = "SECRET_PROJECT"\n')
    config = Config(
        data=folder / "data",
        listen="127.0.0.1:0",
        metrics_listen="127.0.0.1:0",
        detection=detection,
        search_in_memory=0,
    )
    observed = observation(config)
    with (
        open_tacit(config, observer=observed.observer) as tacit,
        serving(config, tacit, observed=observed) as running,
    ):
        client = running.client(tenant=TENANT, assistant=ASSISTANT)
        _use(client)
        (started,) = running.lines("started")
        end = time.monotonic() + 30
        while tacit.status().unindexed or tacit.status().ledger.waiting:
            assert time.monotonic() < end
            time.sleep(0.05)
        yield _scrape(started["metrics"])


def _use(client: Any) -> None:
    client.grant(PERSON)
    turns = [*PLANTED.turns, f"I work on {DENIED} now"]
    stored = BatchStoreMemoriesRequest(
        parent=f"people/{PERSON}",
        access=ASSISTANCE,
        requests=[
            StoreMemoryRequest(parent=f"people/{PERSON}", access=ASSISTANCE, memory=Memory(text=t))
            for t in turns
        ],
    )
    client.memory.BatchStoreMemories(stored)
    for secret in PLANTED.secrets:
        asked = RecallMemoriesRequest(
            parent=f"people/{PERSON}", access=ASSISTANCE, query=f"what of {secret}?"
        )
        client.memory.RecallMemories(asked)
    asked.access.purpose = "purposes/care"
    with pytest.raises(grpc.RpcError):
        client.memory.RecallMemories(asked)
    client.grant(f"{PERSON}-too")
    client.rights.ForgetUser(ForgetUserRequest(name=f"people/{PERSON}-too"))


def test_nothing_of_anybody_is_shown(scraped: Scraped) -> None:
    shown = scraped.text.casefold()
    words = {word for secret in PLANTED.secrets for word in re.findall(r"\w{5,}", secret)}
    words -= {"Street"}  # a type of ours is STREET_ADDRESS
    for secret in (*PLANTED.secrets, *words, DENIED, "SECRET_PROJECT", TENANT, ASSISTANT, PERSON):
        assert secret.casefold() not in shown, secret
    assert "assistance" not in shown


def test_labels_are_those_of_closed_lists(scraped: Scraped) -> None:
    assert {label for _, labels in scraped.values for label, _ in labels} <= LABELS
    assert len(scraped.values) < 1_500


def test_calls_are_told_by_rpc_status_and_reason(scraped: Scraped) -> None:
    recall = "memory.v1.MemoryService/RecallMemories"
    recalls = len(PLANTED.secrets)
    assert scraped("tacit_calls_total", method=recall, code="OK") == recalls
    assert scraped("tacit_calls_total", method=recall, code="PERMISSION_DENIED") == 1
    assert scraped("tacit_refusals_total", method=recall, reason="CONSENT_MISSING") == 1
    assert scraped("tacit_call_seconds_count", method=recall) == recalls + 1
    assert scraped("tacit_call_seconds_bucket", method=recall, le="+Inf") == recalls + 1
    assert scraped("tacit_call_seconds_sum", method=recall) > 0
    assert scraped("tacit_calls_in_flight") == scraped("tacit_calls_waiting") == 0
    assert scraped("tacit_recall_processes") == 0


def test_every_step_of_a_recall_and_a_store_is_timed(scraped: Scraped) -> None:
    def count(call: str, step: str) -> float:
        return scraped("tacit_step_seconds_count", call=call, step=step)

    recalls = len(PLANTED.secrets)
    for step in ("encode", "candidates", "rank", "open", "record"):
        assert count("recall", step) == recalls, step
    assert count("recall", "understand") == recalls + 1
    for step in ("admit", "detect", "encode", "write", "seal", "commit"):
        assert count("store", step) == 1, step


def test_finds_are_counted_by_the_types_that_we_ship(scraped: Scraped) -> None:
    assert scraped("tacit_detected_total", entity_type="PERSON") > 0
    assert scraped("tacit_detected_total", entity_type="IBAN_CODE") > 0
    assert scraped("tacit_detected_total", entity_type="OTHER") == 1


def test_the_state_is_told(scraped: Scraped) -> None:
    assert scraped("tacit_store_up") == 1
    assert scraped("tacit_people") == 1
    assert scraped("tacit_memories") == len(PLANTED.turns) + 1
    assert scraped("tacit_index_lag_tasks") == scraped("tacit_index_lag_seconds") == 0
    assert scraped("tacit_erasures", state="done") == 1
    assert scraped("tacit_erasures", state="fenced") == 0
    assert scraped("tacit_erasure_seconds_count", until="key_destroyed") == 1
    assert scraped("tacit_erasure_seconds_count", until="certificate") == 1
    assert scraped("tacit_key_epoch") == 1
    assert 0 < scraped("tacit_key_epoch_age_seconds") < 600
    assert scraped("tacit_keys_old") == scraped("tacit_rotation_running") == 0
    assert scraped("tacit_ledger_size") > len(PLANTED.secrets)
    assert scraped("tacit_ledger_waiting") == 0
    assert 0 <= scraped("tacit_ledger_checkpoint_age_seconds") < 600
    assert scraped("tacit_cache_entries", cache="keys") == 1
    assert scraped("tacit_cache_entries", cache="opened") == len(PLANTED.turns) + 1
    assert scraped("tacit_cache_evictions_total", cache="opened") == 0
    assert scraped("tacit_cache_bytes", cache="matrices") == 0
    stored, asked = len(PLANTED.turns) + 1, len(PLANTED.secrets)
    for model, runs, texts in (("encoder", 1, stored), ("query_encoder", asked, asked)):
        assert scraped("tacit_model_batch_texts_count", model=model) == runs
        assert scraped("tacit_model_batch_texts_sum", model=model) == texts
    assert scraped("tacit_model_batch_texts_bucket", model="query_encoder", le="1.0") == asked
    assert scraped("process_open_fds") > 10
    assert scraped("process_resident_memory_bytes") > 10_000_000


def test_a_database_that_is_away_fails_no_scrape(scraped: Scraped, tacit: Any) -> None:
    def away() -> Any:
        raise StorageUnavailableError("SQL is away")

    state = State(replace(tacit, status=away), Metrics(), Workers(1, 1).waiting, lambda: 1)
    found = {metric.name: metric for metric in state.collect()}
    assert found["tacit_store_up"].samples[0].value == 0
    assert "tacit_memories" not in found
    assert "tacit_cache_entries" in found


def test_every_figure_of_the_dashboard_is_one_that_a_server_shows(scraped: Scraped) -> None:
    shown = {name for name, _ in scraped.values}
    board = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len(panels) >= 20
    queries = [one["query"]["query"] for one in board["templating"]["list"][1:]]
    queries += [target["expr"] for panel in panels for target in panel["targets"]]
    asked = set()
    for query in queries:
        names = set(re.findall(r"\b(?:tacit|process)_[a-z_]+", query))
        assert names, query
        assert names <= shown, query
        asked |= names
    told, ours = (
        {re.sub(r"_(bucket|sum|count)$", "", name) for name in names if name.startswith("tacit")}
        for names in (asked, shown)
    )
    assert ours - told == {"tacit_key_epoch"}  # a number that says nothing drawn over time


def test_an_address_in_use_refuses_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=r"metrics_listen .* in use"):
            Exposition(address, Instruments())


def test_nothing_is_loaded_or_shown_unless_it_is_configured(server: Any) -> None:
    assert [line["metrics"] for line in server.lines("started")] == [""]
    code = "import sys, server.app; print([m for m in sys.modules if 'prometheus' in m])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert loaded.stdout.strip() == b"[]"
