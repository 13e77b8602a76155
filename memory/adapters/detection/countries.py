"""National identifiers, by country: Presidio's recognizers, chosen by configuration.

Rules:
- Countries are ISO 3166 codes. Each brings what Presidio has for it; all listen to English
  context words as well as their own.
- One number in ten has the right check digit of some country by chance. So digits alone count
  only behind a context word, and a number with letters yields to any better find it overlaps.
- Left out are four that are slow on hostile text or match ordinary words: Presidio's US driving
  licence and Indian PAN (1 s for 10,000 characters; ours is `recognizers_ids`), bare US bank
  numbers, and US medical licences, which it finds inside longer words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from presidio_analyzer import EntityRecognizer, predefined_recognizers

from memory.adapters.detection.recognizer_base import Patterns
from memory.errors import ConfigurationError

_BY_COUNTRY: Final[Mapping[str, tuple[str, ...]]] = {
    "US": (
        "UsItinRecognizer", "UsPassportRecognizer", "UsMbiRecognizer", "UsNpiRecognizer",
        "AbaRoutingRecognizer",
    ),
    "GB": ("NhsRecognizer", "UkNinoRecognizer", "UkPassportRecognizer", "UkPostcodeRecognizer"),
    "AU": ("AuAbnRecognizer", "AuAcnRecognizer", "AuTfnRecognizer", "AuMedicareRecognizer"),
    "IN": ("InAadhaarRecognizer", "InGstinRecognizer", "InVoterRecognizer", "InPassportRecognizer"),
    "SG": ("SgFinRecognizer", "SgUenRecognizer"),
    "NG": ("NgNinRecognizer",),
    "ES": ("EsNifRecognizer", "EsNieRecognizer"),
    "IT": (
        "ItFiscalCodeRecognizer", "ItVatCodeRecognizer", "ItPassportRecognizer",
        "ItIdentityCardRecognizer", "ItDriverLicenseRecognizer",
    ),
    "PL": ("PlPeselRecognizer",),
    "FI": ("FiPersonalIdentityCodeRecognizer",),
    "KR": ("KrRrnRecognizer", "KrPassportRecognizer", "KrDriverLicenseRecognizer"),
    "TH": ("ThTninRecognizer",),
}  # fmt: skip

_WITH_LETTERS: Final = 0.55
_DIGITS_ALONE: Final = 0.38
"""Under the threshold (`engine`) until a context word lifts it."""

DEFAULT_COUNTRIES: Final = ("US", "GB", "AU", "IN", "SG", "ES", "IT", "PL", "FI")


class _National(Patterns):
    def _judge(self, surface: str, score: float) -> float:
        limit = _WITH_LETTERS if any(c.isalpha() for c in surface) else _DIGITS_ALONE
        return min(super()._judge(surface, score), limit)


def national_recognizers(countries: Iterable[str]) -> list[EntityRecognizer]:
    """The recognizers of these countries. Raises `ConfigurationError` on one without any."""
    found = []
    for country in dict.fromkeys(countries):
        if country not in _BY_COUNTRY:
            known = ", ".join(_BY_COUNTRY)
            raise ConfigurationError(f"detection.countries: {country!r} is none of {known}")
        for name in _BY_COUNTRY[country]:
            presidio: type = getattr(predefined_recognizers, name)
            # Presidio's patterns, context and checksums; ours are the loop and the scores.
            ours: Callable[..., EntityRecognizer] = type(name, (_National, presidio), {})
            found.append(ours(supported_language="en"))
    return found
