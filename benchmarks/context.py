"""How much of the evidence a context of so many tokens holds.

    python -m benchmarks.context --data FOLDER --json FILE

Stores every conversation in FOLDER through gRPC in a server of its own, as shipped, and asks for a
context for every question at 500, 1,000 and 2,000 tokens (`BuildContext`). A question counts as
answered in all when all of its evidence is cited, and in part when some of it is.

    results.N.all          share of questions with all of their evidence inside
    results.N.all_or_part  share with some or all of it
    results.N.tokens       tokens of a context, averaged
    results.history        tokens of a whole conversation ("speaker: text" a line), averaged over
                           questions: what a prompt without Tacit would have to hold
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from rich.table import Table

from benchmarks.conversations import Conversation, read_folder
from benchmarks.frame import Figure, parser, progress, publish, table
from benchmarks.retrieval import store
from benchmarks.server import tacit_server
from memory.adapters.onnx_encoder import OnnxEncoder
from memory.bootstrap import SHIPPED_ENCODER

BUDGETS: Final = (500, 1000, 2000)


@dataclass(frozen=True, slots=True)
class Built:
    """One context: the share of the evidence inside, and its tokens."""

    share: float
    tokens: int


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser(__doc__, data="folder of conversation files (*.json)").parse_args(arguments)
    conversations = read_folder(options.data)
    built = build_all(conversations)
    whole = history(conversations)
    figures: dict[str, object] = {str(budget): summary(given) for budget, given in built.items()}
    figures |= {"history": whole, "questions": len(built[BUDGETS[0]])}
    publish("context", options, figures, [_table(built, whole)])


def build_all(conversations: Sequence[Conversation]) -> dict[int, list[Built]]:
    """Every question at every budget, over gRPC."""
    built: dict[int, list[Built]] = {budget: [] for budget in BUDGETS}
    with tacit_server() as server:
        client = server.client()
        for place, conversation in enumerate(conversations):
            person = f"person-of-conversation-{place}"
            ids = store(client, person, conversation)
            client.wait_until_indexed()
            asked = conversation.end
            for question in conversation.questions:
                for budget in BUDGETS:
                    context = client.context(person, question.text, budget, asked)
                    if context.token_count > budget:
                        raise SystemExit(f"{context.token_count} tokens, {budget} were allowed")
                    inside = {ids[citation.memory] for citation in context.citations}
                    share = len(inside & question.evidence) / len(question.evidence)
                    built[budget].append(Built(share, context.token_count))
            progress(f"{conversation.name}: {len(conversation.questions)} questions")
        client.close()
    return built


def summary(built: Sequence[Built]) -> dict[str, float]:
    """The shares over questions."""
    return {
        "all": fmean(one.share == 1 for one in built),
        "all_or_part": fmean(one.share > 0 for one in built),
        "tokens": fmean(one.tokens for one in built),
    }


def history(conversations: Iterable[Conversation]) -> float:
    """Tokens of the whole conversation that a question is about, averaged over questions."""
    encoder = OnnxEncoder(SHIPPED_ENCODER)
    sizes = [
        (encoder.count_tokens("\n".join(f"{t.speaker}: {t.text}" for t in one.turns)), one)
        for one in conversations
    ]
    encoder.close()
    return fmean(size for size, one in sizes for _ in one.questions)


def _table(built: dict[int, list[Built]], whole: float) -> Table:
    rows: list[list[Figure]] = [
        [f"{budget:,}", found["all"], found["all_or_part"], round(found["tokens"])]
        for budget, given in built.items()
        for found in (summary(given),)
    ]
    return table(
        "Evidence inside a context",
        ["budget", "all", "all or part", "tokens"],
        [*rows, ["whole history", 1.0, 1.0, round(whole)]],
    )


if __name__ == "__main__":
    main()
