"""A process that stores until it is killed: `python writer.py URL REF`.

Each transaction is a batch of three memories, a request for the first and its outbox rows. The
number of a batch is printed once it is acknowledged.
"""

from __future__ import annotations

import sys

from memory.adapters.sql.store import open_store
from memory.core.values import PersonRef
from tests.contract.rows import a_memory


def main() -> None:
    store = open_store(sys.argv[1])
    with store.read() as unit:
        person = unit.person(PersonRef(bytes.fromhex(sys.argv[2])))
        assert person is not None
    while True:
        with store.write() as unit:
            first = unit.next_seq(person.subject, 3)
            rows = [a_memory(person.subject, first + i) for i in range(3)]
            for row in rows:
                unit.add_memories([row])
            unit.add_requests(person.subject, {first.to_bytes(8, "big"): rows[0].id})
            unit.commit()
        print(first, flush=True)


if __name__ == "__main__":
    main()
