"""How a tenant's vectors are protected: veiled in the index, or sealed and never in it.

Rules:
- `veiled`: the index searches veiled vectors (`core.veil`), exact ones decide. `sealed`: nothing
  about the vectors leaves the process unencrypted; search is exact, over the opened matrix.
- What is not said is what the encoder's basis recommends.
- An unknown key is an error, because a typo must not become a leak.

    protection = "veiled"
    directions = 64        # kept of a vector: more find better and tell more
    width = 1024           # dimensions in the index: more hide better and cost more
    noise = 0.25           # on what is kept
    [tenants.clinic]
    protection = "sealed"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from memory.core.tenants import PerTenant, per_tenant
from memory.core.veil import Basis, Veil
from memory.errors import ConfigurationError

MAX_WIDTH: Final = 4096
MAX_NOISE: Final = 10.0
LEAST_DIRECTIONS: Final = 8


class Mode(StrEnum):
    """Where vectors are searched."""

    VEILED = "veiled"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Protection:
    """One tenant's choice; None is what the basis recommends."""

    mode: Mode = Mode.VEILED
    directions: int | None = None
    width: int | None = None
    noise: float | None = None

    def veil(self, basis: Basis) -> Veil:
        """The veil for vectors of this basis.

        Raises:
            ConfigurationError: the encoder has fewer directions, or the width does not hold them.
        """
        kept = self.directions or basis.keep
        if kept > len(basis.spread):
            raise ConfigurationError(
                f"directions: this encoder's basis has {len(basis.spread)}, not {kept}"
            )
        width = self.width or basis.width
        if width < kept:
            raise ConfigurationError(f"width: must be at least the {kept} directions kept")
        noise = basis.noise if self.noise is None else self.noise
        return Veil(basis.first(kept), width, noise)


def load_protections(table: Mapping[str, object], origin: str) -> PerTenant[Protection]:
    """The protections of a TOML table; `origin` names the file in errors.

    Raises:
        ConfigurationError: an unknown tenant name or key, or a value out of its range.
    """
    return per_tenant(table, origin, _load)


def _load(table: Mapping[str, object]) -> Protection:
    unknown = set(table) - {"protection", "directions", "width", "noise"}
    if unknown:
        raise ConfigurationError(f"unknown setting {min(unknown)!r}")
    mode = table.get("protection", Mode.VEILED.value)
    if mode not in set(Mode):
        raise ConfigurationError(f"protection: must be one of {', '.join(Mode)}")
    noise = _number(table, "noise", 0, MAX_NOISE, float)
    return Protection(
        mode=Mode(str(mode)),
        directions=_whole(_number(table, "directions", LEAST_DIRECTIONS, MAX_WIDTH, int)),
        width=_whole(_number(table, "width", LEAST_DIRECTIONS, MAX_WIDTH, int)),
        noise=noise,
    )


def _number(
    table: Mapping[str, object], key: str, low: float, high: float, kind: type[float]
) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    fits = isinstance(value, int) or (kind is float and isinstance(value, float))
    if isinstance(value, bool) or not isinstance(value, int | float) or not fits:
        raise ConfigurationError(f"{key}: must be a number from {low} to {high}")
    if not low <= value <= high:
        raise ConfigurationError(f"{key}: must be a number from {low} to {high}")
    return float(value)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
