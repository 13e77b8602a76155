"""Requests for any rpc that the server tells of, filled with one person's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from server.policy import OPEN_SERVICES


@dataclass(frozen=True)
class Names:
    """A person's id, and the resource names of one memory and one consent of theirs."""

    id: str
    memory: str
    consent: str

    def fill(self, method: MethodDescriptor) -> Message:
        """A request in which every name is one of these."""
        request: Any = GetMessageClass(method.input_type)()
        self._fill(request, method.name)
        if method.name == "LiftRestriction":
            request.informed_time.GetCurrentTime()
        assert isinstance(request, Message)
        return request

    def _fill(self, message: Message, call: str) -> None:
        for field in message.DESCRIPTOR.fields:
            if field.is_repeated or field.message_type is not None:
                if field.name in ("access", "memory"):
                    self._fill(getattr(message, field.name), call)
            elif field.type == FieldDescriptor.TYPE_STRING:
                setattr(message, field.name, self._value(field.name, call))

    def _value(self, field: str, call: str) -> str:
        if field == "name":
            if "Certificate" in call:
                return "erasures/" + "0" * 32 + "/certificate"
            if "Consent" in call:
                return self.consent + ("/receipt" if "Receipt" in call else "")
            return self.memory if call.endswith("Memory") else f"people/{self.id}"
        known = {
            "parent": f"people/{self.id}",
            "purpose": "purposes/assistance",
            "query": "what is behind the mill",
            "text": "overwritten",
        }
        return known.get(field, "")


def all_rpcs(server: Any) -> list[MethodDescriptor]:
    """Every rpc that needs a token, as reflection tells."""
    database = ProtoReflectionDescriptorDatabase(server.channel)
    pool = DescriptorPool(database)
    services = set(database.get_services()) - OPEN_SERVICES
    return [m for name in sorted(services) for m in pool.FindServiceByName(name).methods]


def call(channel: grpc.Channel, method: MethodDescriptor, raw: bytes) -> bytes:
    """The response, or the responses together."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    if method.client_streaming:
        return bytes(channel.stream_unary(path)(iter([raw])))
    if method.server_streaming:
        return b"".join(channel.unary_stream(path)(raw))
    return bytes(channel.unary_unary(path)(raw))


def reason(error: grpc.RpcError) -> str:
    """The `ErrorReason` of a refusal."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None, error
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return str(info.reason)
