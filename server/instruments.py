"""Every instrument that Prometheus sees of a server, by its name.

    events    counted as they happen, by the `Observer` of the use cases
    state     read when somebody asks, and from SQL at most every `FRESH_SECONDS`

Rules:
- Labels come from closed lists: rpcs, statuses, reasons, steps, states, entity types that we ship.
  No tenant, person, assistant, purpose, session or text is ever one.
- What SQL does not tell is left out, and `tacit_store_up` is 0: a scrape never fails.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from memory.app.status import Counts
from memory.bootstrap import Tacit
from memory.errors import TacitError
from memory.ports import CacheUse, ErasureState, ModelUse, Step
from server.metrics import BOUNDS_MS, Metrics
from server.traces import Traces

FRESH_SECONDS: Final = 5.0

ENTITY_TYPES: Final = frozenset(
    "ABA_ROUTING_NUMBER AU_ABN AU_ACN AU_MEDICARE AU_TFN CREDENTIAL CREDIT_CARD CRYPTO "
    "DATE_OF_BIRTH DATE_TIME EMAIL_ADDRESS ES_NIE ES_NIF FI_PERSONAL_IDENTITY_CODE IBAN_CODE "
    "ID_NUMBER IN_AADHAAR IN_GSTIN IN_PASSPORT IN_VOTER IP_ADDRESS IT_DRIVER_LICENSE "
    "IT_FISCAL_CODE IT_IDENTITY_CARD IT_PASSPORT IT_VAT_CODE LOCATION MAC_ADDRESS "
    "MEDICAL_RECORD_NUMBER NRP ORGANIZATION PERSON PHONE_NUMBER PL_PESEL SG_NRIC_FIN SG_UEN "
    "STREET_ADDRESS UK_NHS UK_NINO UK_PASSPORT UK_POSTCODE URL USERNAME US_ITIN US_MBI US_NPI "
    "US_PASSPORT US_SSN".split()
)
"""What the shipped recognizers find. Types of plug-ins and deny-lists are told as `OTHER`: a name
that a deployment chose may say something.
"""

_STEP_SECONDS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01),
    *(0.025, 0.05, 0.1, 0.25, 1, 5),
)
_ERASURE_SECONDS: Final = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 600, 3_600, 86_400)
_BATCH_TEXTS: Final = (1, 2, 4, 8, 16, 32, 64, 256)


class Instruments:
    """The `Observer` that counts, and tells traces of steps if there are any."""

    def __init__(self, traces: Traces | None = None) -> None:
        # A series more for each, that nobody reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.traces = traces
        ProcessCollector(registry=self.registry)
        steps = Histogram(
            "tacit_step_seconds",
            "Time of a step of a recall or a store; `write` holds `seal` and `commit`.",
            ("call", "step"),
            buckets=_STEP_SECONDS,
            registry=self.registry,
        )
        detected = Counter(
            "tacit_detected",
            "Finds of personal data in what was stored.",
            ("entity_type",),
            registry=self.registry,
        )
        erasures = Histogram(
            "tacit_erasure_seconds",
            "From an erasure's request until its key was destroyed, or its certificate signed.",
            ("until",),
            buckets=_ERASURE_SECONDS,
            registry=self.registry,
        )
        self._steps = {step: steps.labels(*step.value) for step in Step}
        self._detected = {kind: detected.labels(kind) for kind in (*ENTITY_TYPES, "OTHER")}
        self._to_key = erasures.labels("key_destroyed")
        self._to_certificate = erasures.labels("certificate")

    def step(self, step: Step) -> AbstractContextManager[None]:
        return _Timed(step, self)

    def took(self, step: Step, nanoseconds: int) -> None:
        self._steps[step].observe(nanoseconds / 1e9)
        if self.traces is not None:
            self.traces.step(step, nanoseconds)

    def found(self, entity_types: Iterable[str]) -> None:
        for kind, count in Tally(entity_types).items():
            self._detected[kind if kind in ENTITY_TYPES else "OTHER"].inc(count)

    def erased(self, to_key: timedelta | None, to_certificate: timedelta) -> None:
        if to_key is not None:
            self._to_key.observe(to_key.total_seconds())
        self._to_certificate.observe(to_certificate.total_seconds())

    def watch(
        self,
        tacit: Tacit,
        metrics: Metrics,
        waiting: Callable[[], int],
        beside: Callable[[], int],
    ) -> None:
        """Shows this server's state, too; `waiting` tells the calls that wait for a thread,
        `beside` the processes that recall beside it.
        """
        self.registry.register(State(tacit, metrics, waiting, beside))


class _Timed(AbstractContextManager[None]):
    __slots__ = ("_began", "_instruments", "_step")

    def __init__(self, step: Step, instruments: Instruments) -> None:
        self._step = step
        self._instruments = instruments

    def __enter__(self) -> None:
        self._began = time.perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        self._instruments.took(self._step, time.perf_counter_ns() - self._began)


@dataclass(eq=False)
class State(Collector):
    """What can be read at any time. Safe to use from several threads."""

    tacit: Tacit
    metrics: Metrics
    waiting: Callable[[], int]
    beside: Callable[[], int]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _read_at: float = -math.inf
    _counts: Counts | None = None

    def collect(self) -> Iterator[Metric]:
        yield _gauges("tacit_build_info", "1, with the version.", "version", _VERSION)
        yield from self._calls()
        yield from _models(self.tacit.models())
        yield from _caches(self.tacit.caches.use())
        counts = self._fresh()
        yield _gauge("tacit_store_up", "Whether SQL answers.", counts is not None)
        if counts is not None:
            now = datetime.now(UTC)
            yield from _amounts(counts, now)
            yield from _erasures(counts, now)
            yield from _requests(counts)
            yield from _keys(counts, now)
            yield from _ledger(counts, now)

    def _fresh(self) -> Counts | None:
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_SECONDS:
                try:
                    self._counts = self.tacit.status()
                except TacitError:
                    self._counts = None
                self._read_at = time.monotonic()
            return self._counts

    def _calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "tacit_calls", "Ended calls by rpc and gRPC status.", labels=("method", "code")
        )
        for method, statuses in self.metrics.calls().items():
            for code, count in statuses.items():
                calls.add_metric((method, code), count)
        yield calls
        refusals = CounterMetricFamily(
            "tacit_refusals",
            "Refused calls by rpc and ErrorReason: CONSENT_MISSING, TOO_BUSY and so on.",
            labels=("method", "reason"),
        )
        for (method, reason), count in self.metrics.refusals().items():
            refusals.add_metric((method, reason), count)
        yield refusals
        latency = HistogramMetricFamily(
            "tacit_call_seconds", "Time of a call, from accepted to ended.", labels=("method",)
        )
        for method, took in self.metrics.latencies().items():
            bounds = [bound / 1000 for bound in BOUNDS_MS]
            latency.add_metric((method,), _buckets(bounds, took.buckets), took.ms / 1000)
        yield latency
        yield _gauge("tacit_calls_in_flight", "Calls in hand.", self.metrics.in_flight)
        yield _gauge("tacit_calls_waiting", "Calls that wait for a thread.", self.waiting())
        yield _gauge("tacit_recall_processes", "Processes that recall beside it.", self.beside())


_VERSION: Final = {version("tacit-memory"): 1.0}


def _models(models: Mapping[str, ModelUse]) -> Iterator[Metric]:
    batches = HistogramMetricFamily(
        "tacit_model_batch_texts", "Texts in one run of a model.", labels=("model",)
    )
    for model, use in models.items():
        fits = [sum(n for size, n in use.runs.items() if size <= most) for most in _BATCH_TEXTS]
        steps = [after - before for before, after in zip([0, *fits], fits, strict=False)]
        rest = sum(use.runs.values()) - fits[-1]
        texts = sum(size * n for size, n in use.runs.items())
        batches.add_metric((model,), _buckets(_BATCH_TEXTS, [*steps, rest]), texts)
    yield batches
    waiting = {model: float(use.waiting) for model, use in models.items()}
    yield _gauges("tacit_model_waiting", "Callers that wait for a model.", "model", waiting)


def _caches(caches: Mapping[str, CacheUse]) -> Iterator[Metric]:
    entries = {name: float(use.entries) for name, use in caches.items()}
    sizes = {name: float(use.size) for name, use in caches.items() if use.size is not None}
    yield _gauges("tacit_cache_entries", "What a cache holds, counted.", "cache", entries)
    yield _gauges("tacit_cache_bytes", "What a cache holds, where that is known.", "cache", sizes)
    evicted = CounterMetricFamily(
        "tacit_cache_evictions", "Entries dropped for want of room or use.", labels=("cache",)
    )
    for name, use in caches.items():
        evicted.add_metric((name,), use.evicted)
    yield evicted


def _amounts(counts: Counts, now: datetime) -> Iterator[Metric]:
    yield _gauge("tacit_people", "People known, of all tenants.", counts.people)
    yield _gauge("tacit_memories", "Memories stored, of all tenants.", counts.memories)
    yield _gauge("tacit_expired_memories", "Expired and not erased yet.", counts.expired)
    yield _gauge("tacit_expired_oldest_seconds", "Since when.", _age(counts.oldest_expired, now))
    yield _gauge("tacit_index_lag_tasks", "Changes the index is owed.", counts.unindexed)
    yield _gauge(
        "tacit_index_lag_seconds",
        "How long the oldest of them waits.",
        _age(counts.oldest_unindexed, now),
    )


def _erasures(counts: Counts, now: datetime) -> Iterator[Metric]:
    states = {state.value: float(counts.erasures.get(state, 0)) for state in ErasureState}
    yield _gauges(
        "tacit_erasures",
        "Erasures that are not settled; `done` are certified, and their key epoch is due to go.",
        "state",
        states,
    )
    yield _gauge(
        "tacit_erasures_waiting",
        "Those not certified that wait for something that does not answer.",
        counts.waiting_erasures,
    )
    yield _gauge(
        "tacit_erasure_oldest_seconds",
        "Since the oldest that is not certified was accepted.",
        _age(counts.oldest_pending_erasure, now),
    )


def _requests(counts: Counts) -> Iterator[Metric]:
    requests = counts.requests
    yield _gauge("tacit_requests_open", "Data-subject requests without an outcome.", requests.count)
    yield _gauge(
        "tacit_requests_due_soon", "Those of them due within seven days.", requests.due_soon
    )
    yield _gauge("tacit_requests_overdue", "Those of them that are overdue.", requests.overdue)


def _keys(counts: Counts, now: datetime) -> Iterator[Metric]:
    newest = next((e for e in counts.epochs if e.number == counts.key_epoch), None)
    since = None if newest is None else newest.created_at
    yield _gauge("tacit_key_epoch", "The key epoch in use.", counts.key_epoch)
    yield _gauge("tacit_key_epoch_age_seconds", "How long it is in use.", _age(since, now))
    yield _gauge("tacit_keys_old", "Keys that lie under older epochs.", counts.keys_left)
    yield _gauge(
        "tacit_rotation_running", "Whether keys are being rotated.", counts.rotation is not None
    )


def _ledger(counts: Counts, now: datetime) -> Iterator[Metric]:
    yield _gauge("tacit_ledger_size", "Events in the signed tree.", counts.ledger.size)
    yield _gauge("tacit_ledger_waiting", "Events not in it yet.", counts.ledger.waiting)
    yield _gauge(
        "tacit_ledger_checkpoint_age_seconds",
        "Since it was signed; only matters while events wait.",
        _age(counts.ledger.signed_at, now),
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, float(value))


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _buckets(bounds: Iterable[float], counts: Iterable[int]) -> list[tuple[str, float]]:
    """As the exposition wants them: cumulative, the last one without a bound."""
    ends = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(ends, map(float, accumulate(counts)), strict=True))


def _age(since: datetime | None, now: datetime) -> float:
    """In seconds; 0 for nothing."""
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
