"""Changes to a sample: bytes anywhere and, where the sample is JSON, values anywhere in it."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

_BYTES = [
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"[" * 40,
    b"<",
    b"&",
    b"]]>",
    b"=",
    b".",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"9" * 400,
]
_VALUES: list[Any] = [
    None, True, False, 0, -1, 2**53, 2**64, 10**400, 0.5, -0.0, 1e300, "", " ", "x" * 5000, "\ud800", "\0", "é", "\U0001f600", "_:b0", "@id",
    "https://a.example/", "https://[", "did:web:a.example", "did:web:%", "data:,x", "2026-02-30T25:61:61Z", "z6Mk", "u", "-1", "1e3",
    [], {}, [[]], [None], {"": ""}, {"@value": "a"}, {"id": "https://a.example/"}, {"type": []}, ["a"] * 300,
]  # fmt: skip
_MAX = 1 << 20


def mutated(random: Random, sample: bytes, others: list[bytes]) -> bytes:
    """A changed copy of the sample, now and then crossed with another."""
    if sample[:1] in (b"{", b"[") and random.random() < 0.7:
        try:
            value = json.loads(sample)
        except (ValueError, RecursionError):
            pass
        else:
            for _ in range(random.choice([1, 1, 1, 2, 4])):
                value = _changed_value(random, value)
            return json.dumps(value).encode()
    for _ in range(random.choice([1, 1, 2, 3, 8])):
        sample = _changed_bytes(random, sample, others)
    return sample[:_MAX]


def _changed_bytes(random: Random, sample: bytes, others: list[bytes]) -> bytes:
    start = random.randrange(len(sample) + 1)
    end = min(len(sample), start + random.choice([0, 1, 1, 2, 4, 16, 200]))
    match random.randrange(7):
        case 0:
            return sample[:start] + sample[end:]
        case 1:
            return sample[:start] + random.choice(_BYTES) + sample[start:]
        case 2:
            return sample[:start] + random.randbytes(end - start) + sample[end:]
        case 3:
            return sample[:start] + sample[start:end] * random.choice([2, 3, 50]) + sample[end:]
        case 4 if start < len(sample):
            return sample[:start] + bytes([sample[start] ^ 1 << random.randrange(8)]) + sample[start + 1 :]
        case 5:
            other = random.choice(others)
            return sample[:start] + other[random.randrange(len(other) + 1) :]
        case _:
            return sample[:start]


def _changed_value(random: Random, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or random.random() < 0.05:
        return copy.deepcopy(random.choice(_VALUES))
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = random.choice(keys)
    match random.randrange(8):
        case 0:
            del value[key]
        case 1:
            value[key] = copy.deepcopy(random.choice(_VALUES))
        case 2:
            value[key] = [value[key]]
        case 3 if isinstance(value, dict):
            value[random.choice(["@context", "@graph", "id", "type", "proof", "", "x" * 300])] = (
                copy.deepcopy(random.choice(_VALUES))
            )
        case 4 if isinstance(value[key], str):
            text = value[key]
            place = random.randrange(len(text) + 1)
            value[key] = (
                text[:place] + random.choice(["", "\0", " ", "é", "/", ":", "9", text]) + text[place + 1 :]
            )
        case _:
            value[key] = _changed_value(random, value[key])
    return value
