"""`python -m server.cli`: the command without the entry point."""

from server.cli import main

main()
