"""Just enough CBOR (RFC 8949) for a disclosure proof: integers, bytes, arrays and maps, nothing else."""

from __future__ import annotations

from typing import Final, TypeAlias

from sceau_credentials.errors import MalformedInput

CborValue: TypeAlias = "int | bytes | list[CborValue] | dict[int, CborValue]"

_ARGUMENT_BYTES: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_UNSIGNED, _BYTES, _ARRAY, _MAP = 0, 2, 4, 5
_MAX_ITEMS: Final = 4096
_MAX_DEPTH: Final = 4


def decode_cbor(data: bytes) -> CborValue:
    """The one item that `data` is; no tags (B-056), no indefinite lengths, nothing after it."""
    value, position = _item(data, 0, 0)
    if position != len(data):
        raise MalformedInput("cbor")
    return value


def _item(data: bytes, position: int, depth: int) -> tuple[CborValue, int]:
    kind, argument, position = _head(data, position)
    if kind == _UNSIGNED:
        return argument, position
    if kind == _BYTES and position + argument <= len(data):
        return data[position : position + argument], position + argument
    if kind not in (_ARRAY, _MAP) or argument > _MAX_ITEMS or depth >= _MAX_DEPTH:
        raise MalformedInput("cbor")
    items: list[CborValue] = []
    for _ in range(argument * (2 if kind == _MAP else 1)):
        item, position = _item(data, position, depth + 1)
        items.append(item)
    if kind == _ARRAY:
        return items, position
    keys = [key for key in items[::2] if isinstance(key, int)]
    if len(set(keys)) != argument:
        raise MalformedInput("cbor")
    return dict(zip(keys, items[1::2], strict=True)), position


def _head(data: bytes, position: int) -> tuple[int, int, int]:
    if position >= len(data):
        raise MalformedInput("cbor")
    kind, argument = data[position] >> 5, data[position] & 31
    if argument < 24:
        return kind, argument, position + 1
    size = _ARGUMENT_BYTES.get(argument, 0)
    end = position + 1 + size
    if not size or end > len(data):
        raise MalformedInput("cbor")
    return kind, int.from_bytes(data[position + 1 : end], "big"), end
