"""How a person is asked, by elicitation: for a consent, and before they are forgotten.

Rules:
- A form has one question and no answer in it: a box that is ticked already is no consent (GDPR
  recital 32). Sent with a yes it is a yes; with a no, or declined, a no; dismissed, neither.
- Before a consent the person reads the purpose's notice: what for, what is kept, until when.
- A yes covers the assistant that asked, by its token, and no other.
- A no is recorded. From then on a call that meets it does not ask again; `ask_consent` does, for
  when the person brings it up.
- Where the client cannot ask, nobody answers in the person's place.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from mcp.server.fastmcp import Context
from mcp.server.fastmcp.exceptions import ToolError
from mcp.server.session import ServerSession
from mcp.shared.exceptions import McpError
from pydantic import BaseModel, Field

from memory.client import AsyncClient, AsyncPerson, ConsentMissing
from memory.client.values import Consent, Indication, Purpose
from memory.mcp.answers import last_part

Asking = Context[ServerSession, Any, Any]
Out = TypeVar("Out")

_REFUSED: Final = ("refused", "withdrawn")


class Answer(Enum):
    """What came of a question."""

    YES = "yes"
    NO = "no"
    NONE = "none"
    CANNOT_ASK = "cannot ask"


class Allow(BaseModel):
    """The form for a consent."""

    yes: bool = Field(
        strict=True, title="I allow this", description="Yes: you allow it. No: you do not."
    )


class Forget(BaseModel):
    """The form before everything goes."""

    yes: bool = Field(
        strict=True, title="Forget everything about me", description="This cannot be undone."
    )


async def put(context: Asking, question: str, form: type[Allow | Forget]) -> Answer:
    """Puts the question to the person, and waits for as long as they take."""
    client = context.session.client_params
    able = client.capabilities.elicitation if client else None
    if able is None or (able.url is not None and able.form is None):  # neither: forms alone
        return Answer.CANNOT_ASK
    try:
        told = await context.elicit(question, form)
    except ValueError:  # sent without an answer
        return Answer.NONE
    except McpError:
        return Answer.CANNOT_ASK
    if told.action == "accept":
        return Answer.YES if told.data.yes else Answer.NO
    return Answer.NO if told.action == "decline" else Answer.NONE


@dataclass(frozen=True, slots=True)
class Consents:
    """One person's consents, and the questions that lead to them."""

    client: AsyncClient
    person: AsyncPerson
    token: Callable[[], str]
    _questions: WeakKeyDictionary[ServerSession, asyncio.Lock] = field(
        default_factory=WeakKeyDictionary
    )

    async def covering(self, context: Asking, act: Callable[[], Awaitable[Out]]) -> Out:
        """What `act` comes to; for each consent that it lacks, the person is asked once.

        Raises:
            ToolError: they said no, now or before, or cannot be asked.
        """
        try:
            return await act()
        except ConsentMissing:
            pass
        # Calls come several at once; what the first one asks is an answer to all of them.
        async with self._questions.setdefault(context.session, asyncio.Lock()):
            return await self._asking_for(context, act)

    async def _asking_for(self, context: Asking, act: Callable[[], Awaitable[Out]]) -> Out:
        asked: set[str] = set()
        while True:
            try:
                return await act()
            except ConsentMissing as missing:
                purpose = missing.metadata["purpose"]
                if purpose in asked:  # a yes that does not cover: nobody is asked in circles
                    raise
            asked.add(purpose)
            if await self._said_no(purpose):
                raise ToolError(
                    f"The person said no to the purpose {purpose!r}, so nothing was kept or read. "
                    "Do not ask again; if they bring it up themselves, call ask_consent."
                )
            if (await self.ask(context, purpose)).state in _REFUSED:
                raise ToolError(
                    f"The person said no to the purpose {purpose!r} just now, which is recorded. "
                    "Nothing was kept or read. Go on without it, and do not ask again."
                )

    async def ask(self, context: Asking, purpose: str) -> Consent:
        """The person's decision, asked for now and recorded.

        Raises:
            ToolError: they did not decide, cannot be asked, or have nothing to decide.
        """
        notice = await self._notice(purpose)
        assistant = self._assistant()
        if notice.assistants and assistant not in notice.assistants:
            raise ToolError(
                f"the purpose {purpose!r} is for other assistants alone, so the person was not "
                "asked; whoever runs Tacit says in the registry for which"
            )
        answer = await put(context, _question(notice, assistant), Allow)
        how: Indication = {"method": "click", "explicit": notice.special_category}
        match answer:
            case Answer.YES:
                return await self.person.grant(purpose, assistant=assistant, indication=how)
            case Answer.NO:
                return await self.person.refuse(purpose, assistant=assistant, indication=how)
            case Answer.NONE:
                raise ToolError(
                    "The person was asked and did not decide, so nothing was kept or read. "
                    "Go on without it."
                )
            case Answer.CANNOT_ASK:
                raise ToolError(
                    f"The person has not allowed {notice.title!r} (purpose {purpose!r}), and this "
                    "client cannot ask them: it has no elicitation. They can allow it on their own "
                    "page (`tacit link` signs them in); or, once they said yes, whoever runs Tacit "
                    f"can: `tacit consent grant {purpose} --assistant {assistant} --person …`. "
                    "Nothing was kept or read. Never say yes in their place."
                )

    async def withdraw(self, purpose: str) -> list[Consent]:
        """What the person takes back from this assistant; empty where it had nothing."""
        ended = await self.person.withdraw(purpose, assistant=self._assistant())
        return list(ended.consents)

    async def _said_no(self, purpose: str) -> bool:
        """Whether the last that was said to this assistant, or to all, is a no."""
        concerned = ("", self._assistant())
        said = [
            consent
            async for consent in self.person.consents(purpose=purpose)
            if consent.assistant in concerned and consent.update_time
        ]
        last = max(said, key=lambda consent: consent.update_time or 0, default=None)
        return last is not None and last.state in _REFUSED

    async def _notice(self, purpose: str) -> Purpose:
        known = [one async for one in self.client.purposes()]
        for one in known:
            if last_part(one.name) == purpose:
                return one
        names = ", ".join(last_part(one.name) for one in known)
        raise ToolError(f"there is no such purpose; there are: {names}")

    def _assistant(self) -> str:
        """The token's `client_id`: whom to ask for. The server is who checks the token."""
        try:
            claims = json.loads(base64.urlsafe_b64decode(self.token().split(".")[1] + "=="))
            return str(claims["client_id"])
        except (ValueError, LookupError, TypeError):
            raise ToolError("the token is none of Tacit's; `tacit token` makes one") from None


def _question(purpose: Purpose, assistant: str) -> str:
    """What the person reads before they decide."""
    kept = f"for {purpose.retention.days} days" if purpose.retention else "until you delete it"
    lines = [purpose.title, purpose.description]
    if purpose.notice:
        lines.append(purpose.notice)
    if purpose.data_categories:
        data = ", ".join(each.rpartition("#")[2] for each in purpose.data_categories)
        lines.append(f"What it uses: {data}.")
    if purpose.special_category:
        lines.append("This touches specially protected data, such as health or belief.")
    lines.append(f"What is kept for it is kept {kept}, encrypted, names replaced by stand-ins.")
    lines.append(
        f"Your yes is for the assistant {assistant!r} alone. You can take it back any time."
    )
    return "\n\n".join(lines)
