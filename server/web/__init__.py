"""The person's page: what is remembered about them, in a browser, and what they may do about it.

How a visit goes, from the link to the domain:

    links       a right-bearing call ▶ a one-time secret ▶ the person it signs in
    openid      or an account at a provider ▶ the person it names
    sessions    the secret ▶ a session of some minutes, known by a cookie
    csrf        every form proves that this page made it
    headers     what a browser must never do with any answer
    desk        authorize by the rpc's own row ▶ count ▶ run in the domain's threads ▶ one log line
    pages       memories, inferences, consents, reads, data (export, pause, forget), documents

What those lean on: `words` (English and German), `views` (templates), `forms` (bounded input),
`plot` (a picture drawn on the server), `one_time` (secrets that are good once), `app` (all of it
put together), `serving` (its thread).

Rules:
- There is no second path to the data: a page calls the use case behind an rpc, as the person, and
  names that rpc; the gate, the ledger and the refusals are its.
- What the page reads it reads by the person's own right (`memory.core.purposes.OWN_RIGHTS`).
- Everything but finding things faster works without JavaScript.
- No page, log line or address holds a secret or content; answers are never kept by a cache.
"""
