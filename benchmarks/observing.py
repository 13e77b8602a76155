"""What it costs a recall to be observed, in processor time.

    python -m benchmarks.observing --json FILE

One person has 1,000 memories, stored through Tacit in this process with everything on, in SQLite.
The same recalls run unobserved, unobserved once more (what differs between these two is noise),
counted by metrics, and counted and traced. They take turns in short blocks, so that what else the
machine does meets all alike. Spans are encoded for the wire and then dropped: the collector is not
part of it.

    results.<side>.cpu_ms    the median block, milliseconds of processor time a recall, all threads
    results.<side>.ratio     the median of each block's ratio to the unobserved one of its turn
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from benchmarks.frame import Figure, parser, publish, table
from benchmarks.made_texts import TextSource
from benchmarks.sealed import ACCESS, store
from memory.app.recall import Recall
from memory.bootstrap import open_tacit
from memory.config import Config
from memory.core.values import RawText
from memory.ports import NOBODY
from server.instruments import Instruments
from server.traces import Traces

MEMORIES: Final = 1_000
BLOCK: Final = 20
OFF: Final = "off"

Side = Callable[[RawText], object]


class Dropped(SpanExporter):
    """Encodes, and sends nowhere."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        encode_spans(spans).SerializeToString()
        return SpanExportResult.SUCCESS


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--turns", type=int, default=100, help="default %(default)s")
    options = options_parser.parse_args(arguments)
    texts = TextSource(options.seed)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Dropped()))
    traces = Traces(provider)
    with TemporaryDirectory() as folder, open_tacit(Config(data=Path(folder) / "data")) as tacit:
        store(tacit, texts, MEMORIES)
        asked = [RawText(text) for text in texts.asked(BLOCK)]
        sides = {
            OFF: recalls(replace(tacit.recall, observer=NOBODY)),
            "off again": recalls(replace(tacit.recall, observer=NOBODY)),
            "metrics": recalls(replace(tacit.recall, observer=Instruments())),
            "metrics and traces": traced(
                recalls(replace(tacit.recall, observer=Instruments(traces))), traces
            ),
        }
        taken = measure(sides, asked, options.turns)
    traces.close()
    results = {
        name: {
            "cpu_ms": median(blocks),
            "ratio": median(b / off for b, off in zip(blocks, taken[OFF], strict=True)),
        }
        for name, blocks in taken.items()
    }
    rows: list[list[Figure]] = [[name, r["cpu_ms"], r["ratio"]] for name, r in results.items()]
    title = f"A recall of {MEMORIES} memories, observed"
    columns = ["", "processor time, ms", "ratio"]
    publish("observing", options, results, [table(title, columns, rows)])


def recalls(recall: Recall) -> Side:
    return lambda query: recall(ACCESS, query)


def traced(side: Side, traces: Traces) -> Side:
    """With a span around it, as the wire makes one."""

    def run(query: RawText) -> None:
        call = traces.begin("memory.v1.MemoryService/RecallMemories", None)
        side(query)
        traces.end(call, 0, "")

    return run


def measure(
    sides: dict[str, Side], queries: Sequence[RawText], turns: int
) -> dict[str, list[float]]:
    """Milliseconds of processor time a recall, by side and block; the first turn warms up."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    order = list(sides)
    for turn in range(turns + 1):
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            start = time.process_time()
            for query in queries:
                sides[name](query)
            spent = 1000 * (time.process_time() - start) / len(queries)
            if turn:
                taken[name].append(spent)
    return taken


if __name__ == "__main__":
    main()
