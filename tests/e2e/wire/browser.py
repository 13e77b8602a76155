"""A browser without JavaScript: follows redirects, keeps cookies, sends the forms it was shown."""

from __future__ import annotations

import html
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from memory.v1.consent_service_pb2 import GrantConsentRequest
from memory.v1.core_pb2 import AccessContext, Memory
from memory.v1.memory_service_pb2 import (
    BatchStoreMemoriesRequest,
    ListMemoriesRequest,
    StoreMemoryRequest,
)
from memory.v1.subject_rights_service_pb2 import IssueSignInLinkRequest

TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
SAID = re.compile(r'<p class="said">(.*?)</p>', re.DOTALL)
MEMORY = re.compile(r'href="/memories/([0-9a-f]{32})"')


@dataclass
class Browser:
    """One browser before the page at `url`."""

    url: str
    language: str = "en"
    http: httpx.Client = field(init=False)
    shown: httpx.Response = field(init=False)

    def __post_init__(self) -> None:
        headers = {"accept-language": self.language, "sec-fetch-site": "same-origin"}
        self.http = httpx.Client(
            base_url=self.url, headers=headers, follow_redirects=True, timeout=60, verify=False
        )

    def open(self, path: str) -> str:
        """The page at an address."""
        self.shown = self.http.get(path)
        return self.shown.text

    def send(self, path: str, files: Any = None, **fields: Any) -> str:
        """What follows a form of the page that is shown."""
        token = TOKEN.search(self.shown.text)
        assert token is not None, "no form is shown"
        self.shown = self.http.post(path, data={"form_token": token[1]} | fields, files=files)
        return self.shown.text

    def sign_in(self, link: str) -> None:
        """By a one-time link, its code typed into the form."""
        page, _, code = link.partition("#")
        self.open(page.removeprefix(self.url))
        self.send("/sign-in", code=code)

    def said(self) -> list[str]:
        """The memories that are shown."""
        return [html.unescape(one) for one in SAID.findall(self.shown.text)]

    def memories(self) -> list[str]:
        """Their ids."""
        return MEMORY.findall(self.shown.text)


@dataclass
class Page:
    """A server that serves the page, and people who use it."""

    running: Any

    @property
    def url(self) -> str:
        return str(self.running.lines("started")[0]["page"])

    def someone(self, *texts: str) -> str:
        """Someone new, who consented to the assistant "helper" alone, and told it these."""
        person = f"jane-{uuid.uuid4().hex[:8]}"
        helper = self.running.client()
        helper.consent.GrantConsent(
            GrantConsentRequest(
                parent=f"people/{person}", purpose="purposes/assistance", assistant="helper"
            )
        )
        if texts:
            self.store(person, *texts)
        return person

    def store(self, person: str, *texts: str) -> None:
        """The assistant "helper" keeps what they say."""
        said = [
            StoreMemoryRequest(memory=Memory(text=text, speaker="user"), extract=True)
            for text in texts
        ]
        self.running.client().memory.BatchStoreMemories(
            BatchStoreMemoriesRequest(
                parent=f"people/{person}",
                access=AccessContext(purpose="purposes/assistance"),
                requests=said,
            )
        )

    def link(self, person: str) -> str:
        """A one-time link for them."""
        request = IssueSignInLinkRequest(name=f"people/{person}")
        return str(self.running.client().rights.IssueSignInLink(request).uri)

    def texts(self, person: str) -> list[str]:
        """What the assistant sees of them."""
        request = ListMemoriesRequest(
            parent=f"people/{person}", access=AccessContext(purpose="purposes/assistance")
        )
        return [one.text for one in self.running.client().memory.ListMemories(request).memories]
