"""`TacitRetriever` in LangChain's own standard tests, against a real server.

They have none for message histories; `test_frameworks.py` asks those what their base class says.
"""

from __future__ import annotations

from typing import Any

import pytest
from langchain_tests.integration_tests import RetrieversIntegrationTests

from memory.client import Person
from memory.integrations.langchain import TacitRetriever


@pytest.mark.anyio
class TestTacitRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def told(self, amara: Person) -> None:
        how = ("few", "many", "no", "brown", "old")
        amara.store_many([{"text": f"My sister keeps {each} bees."} for each in how])
        self.person = amara

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @property
    def retriever_constructor(self) -> type[TacitRetriever]:
        return TacitRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"person": self.person, "k": 2}

    @property
    def retriever_query_example(self) -> str:
        return "who has bees?"
