"""Tacit for assistants that speak the Model Context Protocol: what `tacit mcp` runs.

    answers   what the tools give back, typed
    asking    how a person is asked: for a consent, and before they are forgotten
    tools     the tools and resources
    serving   over stdio, and over streamable HTTP

Rules:
- It is a client of a Tacit server like any other (`memory.client`) and keeps nothing: consent,
  tokens and the ledger are decided and written there.
- One caller is one person. Which one, the operator says or the token; no tool takes a person, so
  that nothing a model is told to write reaches somebody else.
- Only the person says yes. Their answer comes by elicitation; no argument of a tool stands for it.
- Who said no is not asked again, unless they bring it up.
- What a model writes and what is recalled is in no log.

Needs the extra `mcp`; importing this package alone does not.
"""

from typing import Final

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
"""Where HTTP may be served plainly: what other machines send would be read on the way."""
