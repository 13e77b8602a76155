"""Credentials: keys, tokens and passwords that people paste into a chat.

Rules:
- Known prefixes and formats are found anywhere. Anything else needs a cue ("password: ...").
- Behind a strong cue any word counts that is not one of the usual ones ("is wrong"); behind a weak
  one ("token") it must look made: a digit, or letters of both cases.
- A PEM block is found over the whole text (`find_pem`), as it is longer than a piece of it.
"""

from __future__ import annotations

import re
from typing import Final

from presidio_analyzer import Pattern

from memory.adapters.detection.recognizer_base import Patterns
from memory.core.values import RawText, Span

CREDENTIAL: Final = "CREDENTIAL"
MAX_PEM: Final = 20_000

_PREFIXES: Final = (
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
    r"gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[\w\-]{16,64}",
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,250}",
    r"(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,250}|whsec_[A-Za-z0-9]{16,64}",
    r"sk-(?:ant-|proj-|or-)?[A-Za-z0-9_\-]{16,250}",
    r"AIza[\w\-]{30,40}|ya29\.[\w\-]{20,250}",
    r"hf_[A-Za-z0-9]{20,64}|npm_[A-Za-z0-9]{30,40}|pypi-[\w\-]{30,250}|dop_v1_[a-f0-9]{40,64}",
    r"SG\.[\w\-]{16,32}\.[\w\-]{30,64}|(?:SK|AC)[a-f0-9]{32}",
    r"[0-9]{8,10}:AA[\w\-]{32,36}",
    r"eyJ[\w\-]{8,2000}\.[\w\-]{4,4000}(?:\.[\w\-]{0,2000})?",
)
_USER_INFO: Final = r"[a-z][a-z0-9+.\-]{1,15}://[^\s/:@]{1,64}:[^\s/@]{1,128}@[^\s<>\"']{1,255}"

_OF: Final = r"(?: (?:for|to|of|on)(?: (?:the|my|our|his|her|a))?(?: [\w\-]{1,20}){1,2})?"
_LINK: Final = (
    rf"{_OF}(?:(?:,? (?:is|was|changed to|set to|to)|['’]s)[ \t]{{0,2}}[:=]?|[ \t]{{0,2}}[:=])"
    r"[ \t]{0,2}[\"'`‘“(<]?"
)
_IS: Final = (
    rf"{_OF}(?:,? (?:is|was|changed to|set to|to)|['’]s)?[ \t]{{0,2}}[:=]?[ \t]{{0,2}}[\"'`‘“(<]?"
)
_STRONG: Final = (
    r"pass ?words?|passwd|passcode|pass ?phrase|pwd|pw|wi-?fi (?:key|password|code)|"
    r"(?:alarm|door|gate|safe|lock|security|access|entry) code"
)
_WEAK: Final = (
    r"api[ _\-]?key|(?:access|auth|secret|private|client|session|refresh|bearer|api|account)"
    r"[ _\-]?(?:key|token|secret|id)|secret|token|bearer|key|session|login|credentials?|"
    r"passkey|pass"
)
_PIN: Final = (
    r"pin(?: ?(?:code|number))?|otp|one[ \-]time (?:code|password)|cvv2?|cvc|verification code"
)
_ORDINARY: Final = (
    "not|wrong|incorrect|expired|the|a|an|my|your|his|her|their|our|too|very|always|never|still|"
    "on|in|at|to|of|for|from|with|same|different|being|been|required|needed|what|which|working|"
    "lost|stolen|reset|changed|saved|secure|weak|strong|really|so|and|or|but|that|this|it|is|was|"
    "are|be|again|just|only|also|manager|managers|protected|field|here|there|where|when|how|why|"
    "because|if|please|somewhere|something|hard|easy|long|short|on file|incorrectly|policy|change|"
    "about|before|after|every|everything|hint|hints|no|yes|right|invalid|empty|missing|written|"
    "forgotten|known|stored|leaked|compromised|probably|maybe|important|case|sensitive"
)


class CredentialRecognizer(Patterns):
    """CREDENTIAL: API keys, tokens, passwords, PINs, web addresses that carry a password."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity=CREDENTIAL,
            name="TacitCredentialRecognizer",
            global_regex_flags=0,
            patterns=[
                *(
                    Pattern(f"format {n}", rf"(?<![A-Za-z0-9_\-])(?:{prefix})(?![A-Za-z0-9])", 1.0)
                    for n, prefix in enumerate(_PREFIXES)
                ),
                Pattern("user info", rf"(?i)(?<!\w){_USER_INFO}", 1.0),
                Pattern(
                    "strong cue",
                    rf"(?i)(?<!\w)(?:{_STRONG}){_LINK}(?<=[ :=\"'`‘“(<])\K"
                    rf"(?!(?:{_ORDINARY})(?!\w)|https?:)[^\s\"'`’”)>,]{{4,128}}(?<![.,;!?])",
                    0.9,
                ),
                Pattern(
                    "strong cue, no verb",
                    rf"(?i)(?<!\w)(?:{_STRONG}) \K(?!https?:)"
                    r"(?=[^\s]{0,127}[0-9!#$%^&*~])[^\s\"'`’”)>,]{6,128}(?<![.,;!?])",
                    0.85,
                ),
                Pattern(
                    "weak cue",
                    rf"(?i)(?<!\w)(?:{_WEAK}){_IS}\K(?<=[ :=\"'`‘“(<])"
                    r"(?-i:(?=[^\s]{0,127}[0-9])[A-Za-z0-9_\-+/=.!@#$%^&*~]{8,128})(?<![.,;!?])",
                    0.85,
                ),
                Pattern(
                    "pin", rf"(?i)(?<!\w)(?:{_PIN}){_IS}\K(?<=[ :=\"'`‘“(<])[0-9]{{3,8}}(?!\w)", 0.9
                ),
            ],
        )


_PEM_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----")
_PEM_END: Final = re.compile(r"-----END [A-Z0-9 ]{1,40}-----")
_BASE64_LINES: Final = re.compile(r"[A-Za-z0-9+/=\s:,\-]{0,20000}")


def find_pem(text: RawText) -> list[Span]:
    """PEM blocks; one without an end reaches as far as its base64 does."""
    found, position = [], 0
    while begin := _PEM_BEGIN.search(text.value, position):
        end = _PEM_END.search(text.value, begin.end(), begin.end() + MAX_PEM)
        body = None if end else _BASE64_LINES.match(text.value, begin.end())
        position = end.end() if end else body.end() if body else begin.end()
        found.append(Span(begin.start(), position, CREDENTIAL, 1.0))
    return found
