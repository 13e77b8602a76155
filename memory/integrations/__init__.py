"""Tacit as the memory of agent frameworks: one module each, on `memory.client` alone.

    langgraph       TacitStore                a `BaseStore`
    langchain       TacitRetriever            a `BaseRetriever`
                    TacitChatMessageHistory   a `BaseChatMessageHistory`
    llamaindex      TacitMemory               a `BaseMemory`
                    TacitMemoryBlock          a `BaseMemoryBlock`
    openai_agents   TacitSession              a `Session`

    items           a JSON value as memories, and back; what they share
    conversation    the values of one session, in order

Rules:
- Importing this package imports no framework, and no module imports another framework than its
  own. Each comes with an extra of its name (`tacit-memory[langgraph]`).
- What a framework puts, it gets back equal when it reads with `reveal`; without, real names are
  pseudonyms, as everywhere. What cannot be kept is refused and never shortened.
- What a framework deletes is erased.
- Nothing is repeated, cached or decided here: consent, retention and errors are the server's.

docs/frameworks.md has a program for each.
"""
