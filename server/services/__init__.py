"""Messages ▶ domain ▶ messages: one file a service, one function an rpc.

Each file gives its rpcs by name in `answers()`. The functions are synchronous and run in worker
threads; who calls is known and allowed to when they begin.
"""
