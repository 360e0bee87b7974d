"""ecdsa-sd-2023, disclosure proofs only: a holder discloses some of the signed statements."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import MalformedInput, ProofError, UnusableKey
from sceau_credentials.keys import (
    Algorithm,
    VerificationKey,
    decode_multibase,
    encode_base64url,
    encode_multibase,
)
from sceau_credentials.values.json_text import JsonObject

CborValue: TypeAlias = "int | bytes | list[CborValue] | dict[int, CborValue]"

_ARGUMENT_BYTES: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_UNSIGNED, _BYTES, _ARRAY, _MAP = 0, 2, 4, 5
_MAX_ITEMS: Final = 4096
_MAX_DEPTH: Final = 4


def decode_cbor(data: bytes) -> CborValue:
    """The one item that `data` encodes; no tags (B-056), no indefinite lengths, no trailing bytes."""
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


_DISCLOSURE: Final = b"\xd9\x5d\x01"  # B-056; 0xd95d00 is a base proof, which only the holder can use
_MAX_PROOF_VALUE: Final = 256 * 1024
_MAX_SIGNATURES: Final = 512  # each costs a verification
_LABEL: Final = r"_:c14n(\d{1,6})"
_STATEMENT: Final = re.compile(
    r"(?P<subject>\S+) (?P<predicate>\S+) (?P<object>\".*\"\S*|\S+)(?P<graph> \S+)? \."
)
_BLANK: Final = re.compile(_LABEL)


@dataclass(frozen=True)
class _Disclosure:
    base_signature: bytes
    statement_key: VerificationKey
    signatures: list[bytes]
    labels: dict[str, str]
    mandatory: frozenset[int]


def prepare_disclosure(document: JsonObject, proof: JsonObject) -> Callable[[VerificationKey], bool]:
    """Read and hash everything now; the returned check needs only the issuer's key (ECDSA 3.6.7)."""
    disclosure = _read(proof.get("proofValue"))
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    context = document.get("@context")
    if options.get("@context", context) != context:
        raise ProofError("proof_malformed", "its @context is not the document's")
    configuration: JsonObject = {"@context": context} | options
    statements = sorted(_relabelled(canonical_nquads(document), disclosure.labels))
    mandatory = [text for index, text in enumerate(statements) if index in disclosure.mandatory]
    others = [text for index, text in enumerate(statements) if index not in disclosure.mandatory]
    if len(others) != len(disclosure.signatures) or len(mandatory) != len(disclosure.mandatory):
        raise ProofError("proof_malformed", "as many signatures as statements")
    key_bytes = decode_multibase(disclosure.statement_key.to_multikey())
    signed = b"".join((_sha256(canonical_nquads(configuration)), key_bytes, _sha256("".join(mandatory))))

    def holds(issuer_key: VerificationKey) -> bool:
        return issuer_key.verify(disclosure.base_signature, signed) and all(
            disclosure.statement_key.verify(signature, statement.encode())
            for signature, statement in zip(disclosure.signatures, others, strict=True)
        )

    return holds


def _read(proof_value: object) -> _Disclosure:
    try:
        if not isinstance(proof_value, str):
            raise MalformedInput("not_text")
        data = decode_multibase(proof_value, "u", max_length=_MAX_PROOF_VALUE)
        if not data.startswith(_DISCLOSURE):
            raise MalformedInput("not_a_disclosure")
        return _disclosure_of(decode_cbor(data[len(_DISCLOSURE) :]))
    except (MalformedInput, UnusableKey) as error:
        raise ProofError("proof_malformed", f"proofValue: {error.reason}") from None


def _disclosure_of(parts: CborValue) -> _Disclosure:
    match parts:
        case [bytes(base), bytes(key), list(signatures), dict(labels), list(mandatory)]:
            pass
        case _:
            raise MalformedInput("cbor")
    statement_signatures = [item for item in signatures if isinstance(item, bytes) and len(item) == 64]
    label_map = {
        f"_:c14n{number}": f"_:u{encode_base64url(label)}"
        for number, label in labels.items()
        if isinstance(label, bytes) and len(label) == 32
    }
    indexes = frozenset(item for item in mandatory if isinstance(item, int))
    whole = (len(statement_signatures), len(label_map), len(indexes)) == (
        len(signatures),
        len(labels),
        len(mandatory),
    )
    if (
        not whole
        or len(base) != 64
        or len(signatures) > _MAX_SIGNATURES
        or len(set(label_map.values())) != len(labels)
    ):
        raise MalformedInput("cbor")
    statement_key = VerificationKey.from_multikey(
        encode_multibase(key)
    )  # 35 bytes, contrary to 3.5.8 (B-056a)
    if statement_key.algorithm is not Algorithm.ES256:
        raise MalformedInput("cbor")
    return _Disclosure(base, statement_key, statement_signatures, label_map, indexes)


def _relabelled(nquads: str, labels: dict[str, str]) -> list[str]:
    """Each statement with the issuer's secret-keyed labels; text that merely resembles a label stays."""
    # Not splitlines(): it would also break at line separators inside a literal.
    return [_relabelled_statement(line, labels) + "\n" for line in nquads.split("\n") if line]


def _relabelled_statement(line: str, labels: dict[str, str]) -> str:
    match = _STATEMENT.fullmatch(line)
    if match is None:
        raise ProofError("proof_malformed", "a statement of another shape")
    parts = (match["subject"], match["predicate"], match["object"], (match["graph"] or "").strip())
    try:
        named = [labels[part] if _BLANK.fullmatch(part) else part for part in parts if part]
    except KeyError:
        raise ProofError("proof_malformed", "a node without label") from None
    return " ".join((*named, "."))


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
