"""Nationality, religion and political group (NRP): what GDPR Art. 9 calls special categories.

Rules:
- A closed list of words, in any case, with or without a plural s. Those that are also ordinary
  words ("polish") count only with a capital letter.
- A set is asked word by word: a regular expression of some 300 branches would cost ten times that.
- "Speaks French" and "Mexican food" say nothing of a person.
- Only profile `strict` hides them.
"""

from __future__ import annotations

import re
from typing import Any, Final

from presidio_analyzer import LocalRecognizer, RecognizerResult

from memory.adapters.detection.recognizer_base import bounded

_NATIONS: Final = (
    "afghan albanian algerian american andorran angolan antiguan argentine argentinian "
    "armenian australian austrian azerbaijani bahamian bahraini bangladeshi barbadian basque "
    "belarusian belgian belizean beninese bhutanese bolivian bosnian botswanan brazilian "
    "british briton bruneian bulgarian burmese burundian cambodian cameroonian canadian "
    "catalan chadian chilean chinese colombian comorian congolese croat croatian cuban "
    "cypriot czech danish djiboutian dominican dutch ecuadorian ecuadorean egyptian emirati "
    "english eritrean estonian ethiopian fijian filipino filipina finnish french gabonese "
    "gambian georgian german ghanaian greek grenadian guatemalan guinean guyanese haitian "
    "honduran hungarian icelandic indian indonesian iranian iraqi irish israeli italian "
    "ivorian jamaican japanese jordanian kazakh kazakhstani kenyan korean kosovar kurd "
    "kurdish kuwaiti kyrgyz lao laotian latvian lebanese liberian libyan lithuanian "
    "luxembourgish macedonian malagasy malawian malaysian maldivian malian maltese maori "
    "mauritanian mauritian mexican moldovan monegasque mongolian montenegrin moroccan "
    "mozambican namibian nauruan nepali nepalese nicaraguan nigerian nigerien norwegian omani "
    "pakistani palauan palestinian panamanian papuan paraguayan persian peruvian portuguese "
    "qatari romanian russian rwandan salvadoran salvadorean salvadorian samoan saudi scottish "
    "senegalese serb serbian seychellois singaporean slovak slovakian slovene slovenian "
    "somali spanish spaniard sudanese surinamese swazi swedish swiss syrian taiwanese tajik "
    "tanzanian thai tibetan timorese togolese tongan trinidadian tunisian turkish turkmen "
    "tuvaluan ugandan ukrainian uruguayan uyghur uzbek venezuelan vietnamese welsh yemeni "
    "zambian zimbabwean latino latina latinx hispanic romani aboriginal european african "
    "asian arab "
)
_BELIEFS: Final = (
    "christian catholic protestant jewish jew muslim islamic hindu buddhist sikh jain mormon "
    "atheist agnostic evangelical lutheran baptist methodist presbyterian anglican "
    "pentecostal quaker sunni shia shiite taoist zoroastrian bahai rastafari rastafarian "
    "wiccan republican communist socialist libertarian marxist "
)
_LISTED: Final = frozenset((_NATIONS + _BELIEFS).split())
_WITH_CAPITAL: Final = frozenset(
    "Polish Pole Dane Finn Turk Swede Scot Democrat Labour Tory Conservative Liberal".split()
)
_SEVERAL: Final = re.compile(
    r"(?<!\w)(?:costa rican|new zealander|puerto rican|sierra leonean|south african|sri lankan|"
    r"african[ -]american|asian[ -]american|native american|jehovah['\u2019]s witness(?:es)?|"
    r"seventh[ -]day adventist|burkinab[eé]|afro-\w{4,12}|baha['\u2019]i|shi['\u2019]?[ai]|"
    r"saudi arabian|(?:north|south|central|latin)[ -](?:korean|american|african|asian)|"
    r"(?:roman|greek|russian|eastern|ultra)[ -](?:catholic|orthodox)|orthodox christian)s?(?!\w)",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_]{3,16}")
_SCORE: Final = 0.45  # below a name that holds the word: "American Airlines"
_TONGUE: Final = re.compile(r"(?i)\b(?:speaks?|speaking|spoke|fluent|learn(?:ing|ed)?|translate)$")
_THING: Final = re.compile(
    r"(?i)[ -](?:food|restaurants?|cuisine|fries|toast|dressing|dollars?|pounds?|movies?|films?|"
    r"songs?|music|recipes?|dish(?:es)?|takeaways?|lessons?|class(?:es)?|grammar|bread|press|open)\b"
)


class GroupRecognizer(LocalRecognizer):
    """NRP: words for where someone is from or what they believe."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["NRP"], name="TacitGroupRecognizer")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        found = [m for m in _WORD.finditer(text) if is_group(m.group()) and _of_people(text, m)]
        found += _SEVERAL.finditer(text)
        return bounded([RecognizerResult("NRP", m.start(), m.end(), _SCORE) for m in found])


def _of_people(text: str, match: re.Match[str]) -> bool:
    """Not a language spoken, nor a kitchen or currency."""
    before = text[max(0, match.start() - 12) : match.start()].rstrip()
    return not _TONGUE.search(before) and not _THING.match(text, match.end())


def is_group(word: str) -> bool:
    """Whether a word is one of the listed ones."""
    lower = word.lower()
    if lower in _LISTED or lower.removesuffix("s") in _LISTED:
        return True
    return word in _WITH_CAPITAL or word.removesuffix("s") in _WITH_CAPITAL
