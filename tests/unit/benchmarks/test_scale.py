"""How growth is told and drawn, and how a soak is summed up."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks.scale import exponent, fit
from benchmarks.scale_plot import svg
from benchmarks.soak import course


def test_what_doubles_with_the_amount_grows_in_step_and_what_stays_does_not():
    assert exponent({10: 1.0, 100: 10.0, 1_000: 100.0}) == pytest.approx(1.0)
    assert exponent({10: 3.0, 1_000: 3.0}) == pytest.approx(0.0)
    assert exponent({10: 3.0}) == 0.0


def test_bytes_are_told_by_memory_and_by_person():
    sizes = [(m, p, 1_000_000 + 2_000 * m + 30_000 * p) for m, p in ((100, 1), (9_000, 1), (90, 9))]
    told = fit([*sizes, (10_000, 1_000, 51_000_000)])
    assert told["fixed"] == pytest.approx(1_000_000)
    assert told["each_memory"] == pytest.approx(2_000)
    assert told["each_person"] == pytest.approx(30_000)
    assert told["worst"] == pytest.approx(0.0, abs=1e-9)


def test_every_curve_is_drawn_inside_the_plot():
    drawn = ET.fromstring(svg({"recall": {10: 0.4, 50_000: 90.0}, "store": {10: 12.0}}))
    circles = list(drawn.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(circles) == 3
    for circle in circles:
        assert 0 <= float(circle.attrib["cx"]) <= float(drawn.attrib["width"])
        assert 0 <= float(circle.attrib["cy"]) <= float(drawn.attrib["height"])


def test_a_slope_is_told_by_the_hour():
    at = np.arange(0.0, 1_000.0)
    told = course(at, 200 + at / 36)
    assert told["slope_per_hour"] == pytest.approx(100.0)
    assert told["after_warm_up"] < told["end"]
