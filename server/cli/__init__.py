"""The command `tacit`: the server, and a client that speaks to it over gRPC.

    serve, token, demo                    run a server, mint credentials, see it all at once
    consent, store, ingest, recall, list  what an assistant backend does
    export, import, forget, erase, ledger what a person may do at any time
    erasures, certificate                 how far erasures are, and their proof
    mcp                                   serves an assistant's MCP client
    verify                                checks what Tacit signed, offline
    status, requests, report              what an operator sees: figures, never content

Rules:
- What goes wrong is told in one line on stderr, with an exit code: 1 refused or failed, 2 wrong
  usage or settings, 130 interrupted.
- A command imports what it needs when it runs: `tacit --help` answers at once. Where only the
  client was installed, it says what to install.
- Memories go to stdout, everything else to stderr.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and ends the process."""
    try:
        from server.cli.app import run
    except ModuleNotFoundError as error:
        sys.stderr.write(f"error: {not_installed(error)}\n")
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))


def not_installed(error: ModuleNotFoundError) -> str:
    """What to install, where only the client was."""
    return f"there is no {error.name} here; run: pip install 'tacit-memory[server]'"
