"""Which recognizers run, on what part of a text.

Rules:
- Names come from the model, when one is given; without one, from cues ("my sister Anna"), which
  finds far less.
- Countries add national identifiers, regions telephone plans; both are configuration.
- Plug-ins (`plugins`) see the whole text, as models do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from presidio_analyzer import EntityRecognizer
from presidio_analyzer.predefined_recognizers import CryptoRecognizer, MacAddressRecognizer

from memory.adapters.detection.countries import DEFAULT_COUNTRIES, national_recognizers
from memory.adapters.detection.ner_recognizer import NameModel, NerRecognizer
from memory.adapters.detection.recognizers_contact import (
    DEFAULT_REGIONS,
    EmailRecognizer,
    PhoneRecognizer,
    UrlRecognizer,
)
from memory.adapters.detection.recognizers_dates import DateOfBirthRecognizer, DateRecognizer
from memory.adapters.detection.recognizers_groups import GroupRecognizer
from memory.adapters.detection.recognizers_handles import UsernameRecognizer
from memory.adapters.detection.recognizers_ids import IdNumberRecognizer, MedicalRecordRecognizer
from memory.adapters.detection.recognizers_names import CuedNameRecognizer
from memory.adapters.detection.recognizers_numbers import (
    CreditCardRecognizer,
    EthereumRecognizer,
    IbanRecognizer,
    IpRecognizer,
    SsnRecognizer,
)
from memory.adapters.detection.recognizers_places import StreetAddressRecognizer
from memory.adapters.detection.recognizers_scripts import ForeignScriptRecognizer
from memory.adapters.detection.recognizers_secrets import CredentialRecognizer
from memory.adapters.detection.recognizers_spelled import SpelledNumberRecognizer


class Catalogue:
    """Recognizers, loaded. Shared by all detectors of a process."""

    def __init__(
        self,
        model: NameModel | None = None,
        *,
        thresholds: Mapping[str, float] | None = None,
        countries: Sequence[str] = DEFAULT_COUNTRIES,
        regions: Sequence[str] = DEFAULT_REGIONS,
        plugins: Sequence[EntityRecognizer] = (),
    ) -> None:
        names = [NerRecognizer(model, thresholds)] if model is not None else []
        self.whole_text: list[EntityRecognizer] = [*names, *plugins]
        self.foreign = bool(plugins)
        """Whether recognizers run that may want Presidio's artifacts; ours do not."""
        self.any_piece: list[EntityRecognizer] = [
            CuedNameRecognizer(introductions=not names),
            ForeignScriptRecognizer(),
            EmailRecognizer(),
            UrlRecognizer(),
            UsernameRecognizer(),
            CredentialRecognizer(),
            SpelledNumberRecognizer(),
            IpRecognizer(),
            MacAddressRecognizer(),
            GroupRecognizer(),
        ]
        self.pieces_with_digits: list[EntityRecognizer] = [
            PhoneRecognizer(regions),
            CreditCardRecognizer(),
            IbanRecognizer(),
            SsnRecognizer(),
            CryptoRecognizer(),
            EthereumRecognizer(),
            MedicalRecordRecognizer(),
            IdNumberRecognizer(),
            StreetAddressRecognizer(),
            DateOfBirthRecognizer(),
            DateRecognizer(),
            *national_recognizers(countries),
        ]
