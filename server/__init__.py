"""The wire: `memory.v1` over gRPC, and the command line.

How a call goes, from the socket to the domain:

    app         config ▶ listening server; drains and closes on a signal
    router      every rpc of the contract ▶ one endpoint; refuses to start when one has no policy
    pipeline    recover ▶ request id ▶ deadline ▶ metrics ▶ authenticate ▶ authorize ▶ validate
    services/   messages ▶ domain ▶ messages, one file a service
    workers     the threads in which the domain, which is synchronous, runs

What those lean on: `auth` (tokens in), `tokens` (tokens out), `policy` (who may call what),
`names` and `messages` (the wire's words for the domain's), `page_tokens`, `errors` (what a
refusal looks like), `logs` and `metrics` (what may be told), `listening`, `tls`. On the caller's
side stand `cli` and `moving` (what other products export).
"""

import os

# gRPC logs peers' addresses to stderr in a form of its own. It reads this when it is first
# imported, which no module of this package does before this line.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

# Our matrices are small and our calls many: BLAS threads only get in each other's way. Read when
# numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
