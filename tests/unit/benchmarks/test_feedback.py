"""Who rates is asked other questions than those they rated, and learns what they rate."""

from benchmarks.feedback import halves, learn, rate, results, times
from benchmarks.ranking import Trial
from memory.core.ranking import WEIGHTS
from tests.unit.benchmarks.test_ranking import ranking


def test_what_is_rated_is_not_asked_and_each_half_is_both():
    misled = ranking("a", misled=True)
    questions = [*misled.asked] * 5
    divided = list(halves(questions, [7, 8]))
    assert [(len(rated), len(asked)) for rated, asked in divided] == [(2, 3), (3, 2)] * 2


def test_a_part_that_misleads_loses_weight():
    misled = ranking("a", misled=True)
    feedback = rate(misled, misled.asked, WEIGHTS)
    assert len(feedback.ratings) == 2
    assert feedback.factors["speaker"] < 1
    assert feedback.factors["lexical"] == 1


def test_what_is_learnt_is_used_beside_what_everybody_has():
    misled = ranking("a", misled=True)
    both = Trial([type(misled)(misled.name, misled.corpus, misled.ids, [*misled.asked] * 2)])
    outcome = learn(both, times({"speaker": 2.0}), [7])
    assert outcome.ratings == 2
    assert outcome.factors["speaker"] < 1
    figures = results({"a": outcome})["a"]
    assert figures["without"]["mrr"] == 0.5
