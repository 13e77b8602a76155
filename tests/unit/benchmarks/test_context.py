"""What counts as evidence inside a context."""

from benchmarks.context import Built, summary


def test_part_of_the_evidence_is_told_from_all_of_it():
    built = [Built(1.0, 100), Built(0.5, 80), Built(0.0, 60), Built(1.0, 40)]
    assert summary(built) == {"all": 0.5, "all_or_part": 0.75, "tokens": 70}
