"""The rules of `core.facts`: what a claim looks like, what ends one, and what says that something
changed. `docs/facts.md` explains them by example.

Rules:
- No pattern repeats a repetition: reading a clause takes time in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from memory.core.facts_words import pattern, rows


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern that claims `value`, or what stands before it, for a slot, or for one of `noun`'s
    own ("my:dentist").

    `denies` where the words themselves say that it does not hold; `own` where it tells of the
    speaker, whoever the clause's subject is.
    """

    slot: str
    pattern: re.Pattern[str]
    denies: bool
    own: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """A pattern that ends claims of `slots`, of any where empty.

    Which of them: those whose value or noun stands in `value`, or where the pattern has none in the
    clause, or `every` one. Only what holds, or what was
    `denied` too.
    """

    pattern: re.Pattern[str]
    slots: frozenset[str]
    every: bool
    denied: bool


ONE_VALUE: Final = frozenset(
    "home address work job study favourite prefers diet status my when at drives ambition age "
    "count supports weight name".split()
)
"""Slots of which a person has one value at a time."""

PREFERENCES: Final = frozenset("favourite likes prefers diet supports".split())
"""Slots that tell what someone likes; the others are facts."""

_RULES: Final = r"""
home: \b(?:live|lives|living|based|settled|reside|residing) (?:\w+ )?(?:in|at|near) {value}
home own: \bhome(?: is|:) {value}
home: (?<!been )(?<!was )(?<!is )(?<!be )\b(?:moved|relocated|moving|emigrated)
    (?: back| over)? (?:in)?to {value}
home: (?:'m|\b(?:am|are)) (?:back |now )?in (?P<value>{name}) (?:now|for good)
home: \b(?:bought|rented|found|rent|renting) an? (?:\w+ )?
    (?:house|flat|apartment|place|room) in {named}
housemate: \b(?:live|lives|living|moved in|moving in) with {value}
address own: \baddress(?: is|:) (?:now )?{value}
work: \b(?:work|works|working|started|employed) (?:\w+ )?(?:at|for) {value}
work: \b(?:i|we) (?:still |now )?work (?:in|as) {value}
work: \b(?:job|position) (?:at|with|in) {value}
work: \b(?:joined|hired by|working with) {named}
job: \b(?:promoted to|hired as|started as) {value}
job: \b(?:i'm|i am|is|became|become|work as|working as|job as|started as) (?:now )?(?:an? )?
    (?:[\w-]+ )?(?P<value>{job})\b
study: (?:\bi study|(?:'m|\b(?:am|is|now)) (?:now )?studying|
    \b(?:major in|majoring in|degree in|enrolled in)) (?!abroad){value}
favourite own: \b(?:my|our) (?:new |absolute |all-time )?favou?rite (?P<noun>\w+(?: \w+)?)
    (?: is| are| used to be| has to be) (?:now )?{value}
favourite own: \b(?:is|isn't|are|aren't|became) (?:now |no longer )?
    my (?:new )?favou?rite(?: (?P<noun>(?!any|now|these)\w+))?
likes: \b(?:love|loves|enjoy|enjoys|adore|adores|fan of|keen on|fond of|crazy about|obsessed with|
    hooked on|passionate about|can't get enough of) {value}
likes: \b(?:i|we|don't|do|really|still|also|longer|used to|only|she|he) (?:really )?like
    (?! to be) {value}
likes: (?:'m|'re|am|are|is|got|been) (?:\w+ )?into {value}
likes: \bprefers? (?P<value>[\w' -]{1,40}) (?:to|over)\b
likes denies: \b(?:hate|hates|dislike|dislikes|detest|loathe|can't stand|cannot stand|can't bear|
    sick of|fed up with|tired of|gone off|went off) {value}
prefers: \bprefers? (?P<noun>\w+) (?P<value>(?:in|on|at|by|with) [^,]{1,60})
supports: \b(?:support|supports|supported|rooting for) {named}
diet: (?:'m|'re|'s|\b(?:am|are|is|been|went|gone|going|turned|became|stay|on|eat))
    (?: \w+){0,2}? (?P<value>{diet})\b
diet: \b(?:eat|eats|eating|ate) (?P<value>meat|fish|dairy|gluten|pork|beef|eggs)\b
diet: \b(?:on|follow|following) an? {value} diet\b
allergic: \b(?:allergic|allergy|allergies|intolerant) to {value}
takes: \b(?:put me on|prescribed me|prescribed) {value}
takes: \b(?:take|taking|takes) (?P<value>\w+)
    (?= (?:now|for (?:my|the)|every|daily|twice|once|in the))
condition: \b(?:suffer from|suffering from|diagnosed with|struggle with) {value}
drinks: \bdrink(?:ing|s)? {value}
weight: \bweigh (?:about |around )?{value}
name: \b(?:call me|go by|goes by) (?P<value>{name})
habit: (?<!a )\b(?P<value>smoke|smoked|smoking|vape|vaping|gamble|gambling)\b
state: (?:'m|\b(?:am|is|are|not|got|been)) (?:\w+ )?
    (?P<value>pregnant|unemployed|homeless|sober|injured|ill)\b
uses: \b(?:wear|wears|wearing|use|uses|using) {value}
status: (?:'m|'re|\b(?:am|is|are|been|got|getting|still|happily|be))
    (?: \w+){0,2}? (?P<value>(?:{status})\b[^,]{0,30})
partner own: \bmy (?:new )?(?:girlfriend|boyfriend|partner|wife|husband|fiancée?)
    (?: is|'s name is| called|,)? (?:called )?(?P<value>{name})
count: \b(?:have|has|had|got) (?P<value>{number}) (?:\w+ )?(?P<noun>\w+s|children)\b
owns: \b(?:own|owns|have|has|got|adopted|bought) (?:an?|{number}) {value}
drives: \b(?:drive|drives|driving) (?:an?|my) {value}
age: (?:'m|\b(?:am|is|turned|turning|turns)) (?P<value>{number})
    (?= (?:years?|today|yesterday|now|last|this|and|next|in|on)\b|\s*$)
plays: \b(?:play|plays|playing) (?:the )?{value}
learns: \b(?:learn|learning|learns) (?:how to |to )?(?:play |speak )?(?P<value>{name})
does: \bi (?:still |usually |always |also |now |don't |no longer )?
    (?P<value>(?:{doing})\b[^,]{0,60})
at: (?:'m|\b(?:am|go|goes|going|get|come))(?: only| usually| always| still| just)? (?:to|in|at) the
    (?: (?P<noun>\w+)) (?P<value>(?:on|every|each|only|once|twice|{number})\b[^,]{1,60})
plan: \b(?:going|fly|flying|travell?ing|heading) to {named}
plan: \b(?:tickets?|pass) (?:for|to) {value}
plan: \b(?:going|plan|planning|hoping|signed up|registered|training) (?:to|for)
    (?-i:(?= [a-z])) {value}
ambition: \b(?:want|wants|hope|hoping|dream|dreaming)
    (?: to become| to be| of becoming| of being) {value}
when own: \b(?:the|our|my) {thing}(?:(?:with|of|at) [\w ]{1,30}? )?(?:now )?
    (?:is|are|starts|begins|meets|opens|closes|leaves|takes place|will be) (?:now )?
    (?P<value>(?:on|at|in|every|next|{number}) [^,]{1,60})
when own: \b(?:the|our|my) {thing}(?:has |have |was |got |is |been ){1,2}
    (?:moved|shifted|pushed|changed|rescheduled|switched)(?: back| forward)?
    (?: from [\w ]{1,30})? to {value}
my own: \b(?:my|our) (?:new |old |current )?(?P<noun>{others})
    (?: is| is called| is named|'s name is) (?:now )?{named}
my own: \b(?:my|our) (?:new |old )?{thing}
    (?:is|are) (?:now |actually |currently |completely |still |not )*
    (?P<value>(?:(?:on|in|at|called|named|every|an?|{number}) |{name}|(?:{health})\b)[^,]{0,60})
my own: \b(?:my|our) (?:usual|current|new|regular) {thing}(?:is|are) {value}
my own: \bmy (?P<noun>\w+) (?P<value>hurts?|aches?)\b
"""

RULES: Final = tuple(
    Rule(head.split()[0], found, "denies" in head.split(), "own" in head.split())
    for head, found in rows(_RULES)
)

_ENDINGS: Final = r"""
no-longer: \bno longer\b|(?:\bnot|n't)\b.*\bany ?more\b
after-all: (?:\bnot|n't)\b.*\bafter all\b
changed denied: \b(?:(?:replaced|exchanged|traded in) (?=my|our|the)|
    (?:changed|switched|swapped) (?=(?:my|our) (?!views?|life|perspective|outlook))|
    (?:changed|switched|swapped|went|upgraded) from |changed my mind about |
    i(?:'ve| have)? (?:changed|switched) (?=\w+s\b)){value}
corrected denied: \b(?:meant|is|are|was|it's) [^,]{1,40}, (?:and )?not {value}
stopped work job study habit likes plays learns diet takes supports uses does drinks:
    \b(?:stopped|quit|quitting|gave up|given up|dropped|ditched|done with|gone off|went off|left my|
    retired from) {value}
taken-off takes diet: \b(?:took me|taken|came|come|got|went) off {value}
out-of-work every work job: \b(?:unemployed|out of work|between jobs|laid off|lost my job|let me go|
    fired|i(?:'m|'ve| have)? (?:just |now )?retired)\b
moved-out home housemate address: \b(?:moved (?:out of|away from)|left (?={name})) ?{value}
parted every partner status: \b(?:broke up|split up|separated|divorced|no longer together)\b
died: \b(?:died|passed away|was put down|ran away)\b
left my partner: \b(?:retired|resigned)\b
lost owns drives my count uses: \b(?:sold|lost|gave away|got rid of|crashed|scrapped|rehomed)
    (?= my| our| the) {value}
gone owns drives my count uses: \b(?:was|were|got|been|is)
    (?: stolen| totalled| wrecked| broken| sold)\b
cancelled plan when my ambition owns at uses does: \b(?:cancell?ed|called off|postponed|rescheduled|
    pulled out of|backed out of|skipping|decided against|decided not to|won't make it to|
    can't make it to) {value}
is-off plan when my ambition owns at uses does: \b(?:fell through|isn't happening|won't happen)\b|
    (?:'s|\b(?:is|was|been|got))(?: off| cancell?ed| called off| postponed| rescheduled| on hold)\b
"""


def _ending(head: list[str], found: re.Pattern[str]) -> Ending:
    flags = {"every", "denied"}
    return Ending(found, frozenset(head[1:]) - flags, "every" in head, "denied" in head)


ENDINGS: Final[Mapping[str, Ending]] = {
    head.split()[0]: _ending(head.split(), found) for head, found in rows(_ENDINGS)
}
"""What says that something is over, by name."""

CHANGE: Final = pattern(
    r"\b(?:no longer|no more|from now on|these days|nowadays|instead(?! of)|correction|"
    r"decided against|change of plans?|called off|renamed|taken up|took up|gave up|given up|"
    r"(?:i|we|i've|we've) (?:just )?(?:swapped|switched|changed|replaced|stopped|quit|dropped|sold|"
    r"cancelled|moved)|(?:'ve|have|has|been|was|got) (?:swapped|switched|changed|replaced|left|"
    r"cancell?ed|postponed|moved|pushed back)|postponed|cancell?ed|pushed (?:my|our|the)|"
    r"i was wrong|i meant|only (?:have|has|got)\b.*\bleft)\b"
    r"|(?:\bnot|n't|\bnever)\b.*\bany ?more\b|\bafter all\b(?=\W*$|,)"
)
"""A sentence that says that something changed, whatever it is."""

HINT: Final = pattern(
    r"(?<!right )(?<!for )(?<!while )(?<!just )(?<!by )(?<!years )\bnow(?=\W*$|,)"
    r"|\bfinally (?:had|got|did)\b|\bonly\b"
)
"""A sentence that may say so: it has to share more with what it changes."""
