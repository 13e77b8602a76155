"""Tacit: the private memory of AI assistants.

How a text becomes a memory, and how a person is forgotten, is the folder listing:

    store    app/remember   text ▶ detect ▶ pseudonymize ▶ embed ▶ seal + veil ▶ ONE SQL
                            transaction ▶ acknowledge ▶ index
    recall   app/recall     query ▶ consent gate ▶ same pseudonyms ▶ embed ▶ (veil ▶)
                            candidates ▶ open ▶ exact re-rank ▶ (reveal)
    forget   app/forget     fence + signed intent ▶ destroy key ▶ (app/erase) sweep every copy ▶
                            look again ▶ signed certificate ▶ key epoch

Imports only point down:

    bootstrap   config ▶ wired use cases; the only place that names adapters
    adapters    presidio, ONNX, key providers, SQL, Chroma
    app         one file a use case
    ports       the outside world on one page
    core        values, consent, keys, record format, pseudonyms, veil, ranking; no IO
    errors      one tree; each leaf is one gRPC status and one reason
    loopback    what is this machine, for whoever connects or listens

`v1` are the stubs; `client` is for whoever calls a server and knows the stubs and `loopback`
alone; `mcp` is such a caller, for assistants. Nothing else here uses them.
"""
