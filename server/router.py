"""The contract, wired: every rpc of `memory.v1` gets its policy, its answer and the pipeline.

Refuses to be built when an rpc lacks a policy or an answer, so that nothing can be called that
nobody decided about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from memory.errors import ConfigurationError
from memory.v1 import (
    consent_service_pb2,
    ledger_service_pb2,
    memory_service_pb2,
    operator_service_pb2,
    subject_rights_service_pb2,
)
from server import pipeline
from server.call import Answer, Endpoint, StreamAnswer, TakingAnswer
from server.pipeline import Wire
from server.policy import POLICIES, Policy, require_all

SERVICES: Final[Sequence[ServiceDescriptor]] = tuple(
    service
    for file in (
        memory_service_pb2,
        consent_service_pb2,
        subject_rights_service_pb2,
        ledger_service_pb2,
        operator_service_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
)
"""The services of the contract."""

Answers = Mapping[str, Mapping[str, Answer | StreamAnswer | TakingAnswer]]
"""By service ("MemoryService"), then by rpc ("StoreMemory")."""


def rpcs(services: Sequence[ServiceDescriptor] = SERVICES) -> dict[str, MethodDescriptor]:
    """Every rpc by its full name, "memory.v1.MemoryService/StoreMemory"."""
    return {
        f"{service.full_name}/{method.name}": method
        for service in services
        for method in service.methods
    }


def handlers(
    wire: Wire, answers: Answers, policies: Mapping[str, Policy] = POLICIES
) -> list[grpc.GenericRpcHandler[Any, Any]]:
    """One handler for each service.

    Raises:
        ConfigurationError: an rpc without a policy or an answer.
    """
    require_all(rpcs(), policies)
    made = []
    for service in SERVICES:
        answered = answers.get(service.name, {})
        missing = sorted({method.name for method in service.methods} - answered.keys())
        if missing:
            raise ConfigurationError(f"nothing answers {service.full_name}: {', '.join(missing)}")
        made.append(
            grpc.method_handlers_generic_handler(
                service.full_name,
                {
                    method.name: _handler(
                        wire, method, _endpoint(method, answered[method.name], policies)
                    )
                    for method in service.methods
                },
            )
        )
    return made


def _endpoint(
    method: MethodDescriptor,
    answer: Answer | StreamAnswer | TakingAnswer,
    policies: Mapping[str, Policy],
) -> Endpoint:
    name = f"{method.containing_service.full_name}/{method.name}"
    return Endpoint(name, policies[name], GetMessageClass(method.input_type), answer)


def _handler(
    wire: Wire, method: MethodDescriptor, endpoint: Endpoint
) -> grpc.RpcMethodHandler[Any, Any]:
    # Without (de)serializers of its own, gRPC passes bytes: a request is parsed by the pipeline,
    # behind authentication, and a damaged one is refused in the contract's words.
    kinds: dict[tuple[bool, bool], tuple[Callable[..., Any], Callable[..., Any]]] = {
        (False, False): (grpc.unary_unary_rpc_method_handler, pipeline.unary),
        (False, True): (grpc.unary_stream_rpc_method_handler, pipeline.stream),
        (True, False): (grpc.stream_unary_rpc_method_handler, pipeline.client_stream),
    }
    wrap, behave = kinds[method.client_streaming, method.server_streaming]
    handler: grpc.RpcMethodHandler[Any, Any] = wrap(behave(wire, endpoint))
    return handler
