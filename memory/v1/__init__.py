"""Stubs of `proto/memory/v1`, made by `python -m tools.generate_stubs`."""
