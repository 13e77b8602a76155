"""Whether names of every origin, gender and spelling are found alike.

    python -m benchmarks.fairness [--json FILE] [--plot FILE]

The same sentences carry names of each group, as given name alone and in full; then the whole text
in lower case and in capitals. Results: `by_origin`, `by_gender`, `by_case` (recall of PERSON, as
in `benchmarks.span_scores`), `by_form`, and `spread`: best origin minus worst, over all origins
and cases. `spread_latin` is the same over groups in Latin script.
"""

from __future__ import annotations

import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import frame
from benchmarks.fairness_names import GROUPS, Group
from benchmarks.fairness_plot import svg
from benchmarks.span_scores import FOUND
from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.shipped import shipped_model
from memory.core.values import RawText

SENTENCES: Final = (
    "I had dinner with {} last night and it went on for hours",
    "Can you remind me to send {} the photos from the trip?",
    "{} says the meeting was moved to the afternoon",
    "we should ask {} whether the flat is still free",
    "My neighbour {} keeps bees on the roof",
    "I haven't told {} about the job yet",
    "It was {} who recommended that dentist to me",
    "The present for {} still has to be wrapped",
    "Yesterday {} and I finally finished the puzzle",
    "do you know if {} likes spicy food",
    "Honestly, {} was the only one who listened",
    "Booked a table for {} and two others, at eight",
)
NAMES_PER_GENDER: Final = 8
SENTENCES_PER_NAME: Final = 6
CASES: Final[dict[str, Callable[[str], str]]] = {
    "as written": str,
    "lower": str.lower,
    "upper": str.upper,
}


@dataclass(frozen=True)
class Probe:
    """A text with one name in it, characters [start, end)."""

    text: str
    start: int
    end: int
    origin: str
    gender: str
    form: str
    case: str


def probes(seed: int) -> Iterator[Probe]:
    """Every name of every group, in sentences drawn with the seed, in each case."""
    chance = random.Random(seed)
    for group in GROUPS:
        for gender, given_names in (("women", group.women), ("men", group.men)):
            for given in given_names[:NAMES_PER_GENDER]:
                full = _full(group, given, chance.choice(group.family))
                for form, name in (("given", given), ("full", full)):
                    for sentence in chance.sample(SENTENCES, SENTENCES_PER_NAME):
                        yield from _cased(sentence, name, group.name, gender, form)


def _full(group: Group, given: str, family: str) -> str:
    if any("\u4e00" <= c <= "\u9fff" for c in given):
        return family + given
    return f"{family} {given}" if group.family_first else f"{given} {family}"


def _cased(sentence: str, name: str, origin: str, gender: str, form: str) -> Iterator[Probe]:
    before, after = sentence.split("{}")
    for case, change in CASES.items():
        head, middle = change(before), change(name)
        text = f"{head}{middle}{change(after)}"
        yield Probe(text, len(head), len(head) + len(middle), origin, gender, form, case)


def found(detector: PresidioDetector, probe: Probe) -> bool:
    """Whether enough of the name is masked as PERSON."""
    hidden = {
        place
        for span in detector.detect(RawText(probe.text))
        if span.entity_type == "PERSON"
        for place in range(span.start, span.end)
    }
    places = range(probe.start, probe.end)
    return sum(place in hidden for place in places) >= FOUND * len(places)


def latin(origin: str) -> bool:
    """Whether a group's names are in Latin letters."""
    first = next(group.women[0][0] for group in GROUPS if group.name == origin)
    return unicodedata.name(first).startswith("LATIN")


def main(argv: Sequence[str] | None = None) -> None:
    parser = frame.parser(__doc__)
    parser.add_argument("--plot", type=Path, help="write the plot to this file")
    options = parser.parse_args(argv)
    detector = PresidioDetector(Catalogue(shipped_model()))
    tallies: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for probe in probes(options.seed):
        hit = found(detector, probe)
        for by in ("origin", "gender", "form", "case"):
            tallies[by][getattr(probe, by)].append(hit)
        tallies["origin_and_case"][f"{probe.origin}, {probe.case}"].append(hit)
    recall = {
        by: {name: sum(hits) / len(hits) for name, hits in groups.items()}
        for by, groups in tallies.items()
    }
    origins = recall["origin"]
    in_latin = [value for name, value in origins.items() if latin(name)]
    spread = max(origins.values()) - min(origins.values())
    spread_latin = max(in_latin) - min(in_latin)
    results: frame.Results = {
        **{f"by_{by}": groups for by, groups in recall.items()},
        "spread": spread,
        "spread_latin": spread_latin,
        "groups": len(origins),
        "texts": sum(map(len, tallies["origin"].values())),
    }
    if options.plot is not None:
        options.plot.write_text(svg(origins), encoding="utf-8")
    rows = sorted(origins.items(), key=lambda item: item[1])
    tables = [
        frame.table("PERSON recall by origin", ["origin", "recall"], rows),
        *(
            frame.table(f"by {by}", [by, "recall"], list(recall[by].items()))
            for by in ("gender", "case", "form")
        ),
        frame.table(
            "Spread, best minus worst",
            ["over", "spread"],
            [["all origins", spread], ["in Latin script", spread_latin]],
        ),
    ]
    frame.publish("fairness", options, results, tables)


if __name__ == "__main__":
    main()
