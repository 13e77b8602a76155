"""The use cases, one file each: what assistants, people and operators can do.

No entry point goes around them: consent is checked here, inside the transaction that reads or
writes, and every use case is complete in itself, whoever calls it.
"""
