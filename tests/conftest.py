"""What every test may rely on.

Rules:
- `make test` runs each loop at its small count, `make stress` (TACIT_STRESS=1) at its full one.
- The settings of whoever runs the tests never reach them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.contract import key_servers

STRESS = bool(os.environ.get("TACIT_STRESS"))

# No deadline: two shared cores say nothing about one example's time; pytest-timeout guards.
_ALWAYS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", max_examples=30, **_ALWAYS)
settings.register_profile("stress", max_examples=1_000, **_ALWAYS)
settings.load_profile("stress" if STRESS else "dev")

for _name in [name for name in os.environ if name.startswith("TACIT_")]:
    del os.environ[_name]


@pytest.fixture(scope="session")
def stress() -> bool:
    """Whether loops run at their full count."""
    return STRESS


@pytest.fixture(scope="session")
def new_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Gives out the `kek` of an unused SoftHSM2 token; skips where SoftHSM2 is not installed."""
    try:
        with key_servers.softhsm(tmp_path_factory.mktemp("hsm")) as keks:
            yield iter(keks).__next__
    except key_servers.Unavailable as missing:
        pytest.skip(str(missing))
