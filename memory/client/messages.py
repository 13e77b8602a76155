"""Between values and the stubs' messages, field by field, by the proto's own description.

Rules:
- A dataclass names the fields it wants; a field that the proto lacks fails at once, in any test
  that uses it.
- An instant without a zone is refused: it would mean another moment on another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache, partial
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from memory.client.values import VALUES

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor
    from google.protobuf.message import Message

Value = TypeVar("Value")


def read(kind: type[Value], message: Message) -> Value:
    """The dataclass `kind` with what `message` says."""
    hashable: Any = kind
    plan = _plan(hashable, message.DESCRIPTOR)
    return kind(**{name: field(message) for name, field in plan})


def fill(message: Message, values: Mapping[str, object]) -> None:
    """Writes `values` into the fields of their names; None leaves a field absent.

    Raises:
        ValueError: an instant without a zone, or a word that the field does not know.
    """
    for name, value in values.items():
        if value is None:
            continue
        field = message.DESCRIPTOR.fields_by_name[name]
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError(f"{name}: give the instant a zone, such as datetime.UTC")
            getattr(message, name).FromDatetime(value)
        elif isinstance(value, Mapping):
            getattr(message, name).update(value)
        elif isinstance(value, str | bytes | int | float):
            setattr(message, name, _number(field, value) if field.enum_type else value)
        else:
            several: Any = value
            getattr(message, name).extend(
                _number(field, each) if field.enum_type else each for each in several
            )


@cache
def _plan(kind: type, description: Descriptor) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """How each field of `kind` is read, worked out once: an answer has hundreds of fields."""
    names = [each.name for each in fields(kind)]
    return tuple((name, _reader(name, description.fields_by_name[name])) for name in names)


def _reader(name: str, field: Any) -> Callable[[Any], Any]:
    value = attrgetter(name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        return lambda message: MappingProxyType(dict(value(message)))
    one = _converter(field)
    if field.is_repeated:
        if one is None:
            return lambda message: tuple(value(message))
        return lambda message: tuple(map(one, value(message)))
    if field.has_presence:
        given = one or (lambda as_it_is: as_it_is)
        return lambda message: given(value(message)) if message.HasField(name) else None
    return value if one is None else lambda message: one(value(message))


def _converter(field: Any) -> Callable[[Any], Any] | None:
    """What one value of the field becomes; None: it stays as it is."""
    if field.enum_type:
        prefix = _prefix(field.enum_type)
        words = {
            each.number: each.name.removeprefix(prefix).lower() for each in field.enum_type.values
        }
        return lambda number: words.get(number, "unknown")
    if not field.message_type:
        return None
    if field.message_type.full_name == "google.protobuf.Timestamp":
        return lambda instant: instant.ToDatetime(UTC)
    if field.message_type.full_name == "google.protobuf.Duration":
        return lambda length: length.ToTimedelta()
    return partial(read, VALUES[field.message_type.name])


def _number(field: Any, word: object) -> int:
    kind: EnumDescriptor = field.enum_type
    prefix = _prefix(kind)
    known = kind.values_by_name.get(f"{prefix}{word}".upper())
    if known is None:
        words = [each.name.removeprefix(prefix).lower() for each in kind.values[1:]]
        raise ValueError(f"{field.name}: one of {', '.join(words)}")
    return known.number


def _prefix(kind: EnumDescriptor) -> str:
    return kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
