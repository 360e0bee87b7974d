"""ecdsa-sd-2023: an issuer signs each statement, a holder discloses some of them, anyone verifies those."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.canonical.expansion import node_pointers, quads_of
from sceau_credentials.canonical.rdfc import Quad, canonical_labels, nquad
from sceau_credentials.errors import MalformedInput, ProofError, UnsafeDocument, UnusableKey
from sceau_credentials.keys import (
    Algorithm,
    LocalSigningKey,
    Signer,
    SigningKey,
    VerificationKey,
    decode_multibase,
    encode_base64url,
    encode_multibase,
)
from sceau_credentials.values import JsonObject, JsonValue, format_timestamp, pointer_to

CRYPTOSUITE: Final = "ecdsa-sd-2023"

CborValue: TypeAlias = "int | bytes | str | list[CborValue] | dict[int, CborValue]"

_ARGUMENT_BYTES: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_UNSIGNED, _BYTES, _TEXT, _ARRAY, _MAP = 0, 2, 3, 4, 5
_MAX_ITEMS: Final = 4096
_MAX_DEPTH: Final = 4


def decode_cbor(data: bytes, *, text: bool = False) -> CborValue:
    """The one item that `data` encodes; no tags (B-056), no indefinite lengths, no trailing bytes.

    Only base proofs contain `text`.
    """
    value, position = _item(data, 0, 0)
    if position != len(data) or (not text and _has_text(value)):
        raise MalformedInput("cbor")
    return value


def _has_text(value: CborValue) -> bool:
    if isinstance(value, list):
        return any(map(_has_text, value))
    return any(map(_has_text, value.values())) if isinstance(value, dict) else isinstance(value, str)


def encode_cbor(value: CborValue) -> bytes:
    """Deterministic CBOR (RFC 8949, 4.2.1) of what `decode_cbor` reads."""
    match value:
        case int():
            return _encoded_head(_UNSIGNED, value)
        case bytes():
            return _encoded_head(_BYTES, len(value)) + value
        case str():
            data = value.encode()
            return _encoded_head(_TEXT, len(data)) + data
        case list():
            return _encoded_head(_ARRAY, len(value)) + b"".join(map(encode_cbor, value))
        case dict():
            members = [encode_cbor(key) + encode_cbor(item) for key, item in sorted(value.items())]
            return _encoded_head(_MAP, len(members)) + b"".join(members)


def _encoded_head(kind: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([kind << 5 | argument])
    code, size = next((code, size) for code, size in _ARGUMENT_BYTES.items() if argument < 1 << 8 * size)
    return bytes([kind << 5 | code]) + argument.to_bytes(size, "big")


def _item(data: bytes, position: int, depth: int) -> tuple[CborValue, int]:
    kind, argument, position = _head(data, position)
    if kind == _UNSIGNED:
        return argument, position
    if kind in (_BYTES, _TEXT) and position + argument <= len(data):
        found = data[position : position + argument]
        try:
            return found if kind == _BYTES else found.decode(), position + argument
        except UnicodeDecodeError:
            raise MalformedInput("cbor") from None
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


_BASE: Final = b"\xd9\x5d\x00"  # which only the holder can use
_DISCLOSURE: Final = b"\xd9\x5d\x01"  # B-056
_MAX_PROOF_VALUE: Final = 256 * 1024
_MAX_SIGNATURES: Final = 512  # each costs a verification
_LABEL: Final = r"_:c14n(\d{1,6})"
_STATEMENT: Final = re.compile(
    r"(?P<subject>\S+) (?P<predicate>\S+) (?P<object>\"(?:[^\"\\]|\\.)*\"\S*|[^\s\"]\S*)(?P<graph> \S+)? \."
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


# --- the issuer's side, and the holder's


def add_base_proof(
    document: JsonObject,
    mandatory: Sequence[str],
    *,
    signer: Signer,
    created: datetime,
    statement_key: SigningKey | None = None,
    label_key: bytes | None = None,
) -> JsonObject:
    """`document` with a base proof (ECDSA 3.6.1): for its holder alone, who derives what others read.

    `mandatory`: JSON pointers of what every derived proof discloses. The key of the statements and that of the
    labels are new for each proof, and stored nowhere else; only tests give them. MalformedInput `pointer` for a
    pointer that leads nowhere, UnsafeDocument where statements would escape the signatures.
    """
    if signer.key.public.algorithm is not Algorithm.ES256:
        raise UnusableKey("key_algorithm_mismatch", "ecdsa-sd-2023 takes a P-256 key")
    statement_key = statement_key or LocalSigningKey.generate(Algorithm.ES256)
    label_key = label_key or secrets.token_bytes(32)
    unsecured: JsonObject = {name: value for name, value in document.items() if name != "proof"}
    options: JsonObject = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": format_timestamp(created),
        "verificationMethod": signer.verification_method,
        "proofPurpose": "assertionMethod",
    }
    labelled = _Labelled(unsecured, label_key)
    always = labelled.matching(mandatory)
    others = [text for index, text in enumerate(labelled.statements) if index not in always]
    public = decode_multibase(statement_key.public.to_multikey())
    configuration: JsonObject = {"@context": document.get("@context")} | options
    signed = b"".join(
        (
            _sha256(canonical_nquads(configuration)),
            public,
            _sha256("".join(labelled.statements[index] for index in sorted(always))),
        )
    )
    signatures: list[CborValue] = [statement_key.sign(text.encode()) for text in others]
    parts: list[CborValue] = [signer.key.sign(signed), public, label_key, signatures, [*mandatory]]
    return unsecured | {"proof": options | {"proofValue": _proof_value(_BASE, parts)}}


def derive_proof(document: JsonObject, selective: Sequence[str]) -> JsonObject:
    """What a holder discloses of a document with a base proof (ECDSA 3.6.6), with a proof that anyone verifies.

    `selective`: JSON pointers of what is disclosed beyond the mandatory. ProofError for another proof,
    MalformedInput `pointer` for a pointer that leads nowhere.
    """
    proof = document.get("proof")
    if not isinstance(proof, dict) or proof.get("cryptosuite") != CRYPTOSUITE:
        raise ProofError("proof_malformed", "no base proof")
    base = _read_base(proof.get("proofValue"))
    unsecured: JsonObject = {name: value for name, value in document.items() if name != "proof"}
    labelled = _Labelled(unsecured, base.label_key)
    combined = [*base.mandatory, *selective]
    always, shown = labelled.matching(base.mandatory), labelled.matching(combined)
    others = [index for index in range(len(labelled.statements)) if index not in always]
    if len(others) != len(base.signatures):
        raise ProofError("proof_malformed", "as many signatures as statements")
    parts: list[CborValue] = [
        base.base_signature,
        base.statement_key,
        [each for index, each in zip(others, base.signatures, strict=True) if index in shown],
        labelled.label_map(combined),
        [place for place, index in enumerate(sorted(shown)) if index in always],
    ]
    options: JsonObject = {name: value for name, value in proof.items() if name != "proofValue"}
    revealed = select_members(unsecured, combined)
    return revealed | {"proof": options | {"proofValue": _proof_value(_DISCLOSURE, parts)}}


def mandatory_pointers(document: JsonObject) -> tuple[str, ...]:
    """What the base proof of this document makes every derived proof disclose."""
    proof = document.get("proof")
    return _read_base(proof.get("proofValue") if isinstance(proof, dict) else None).mandatory


def select_members(document: JsonObject, pointers: Iterable[str]) -> JsonObject:
    """The members at these JSON pointers, inside objects that keep their `id` and `type` (ECDSA 3.4.13)."""
    wanted: _Wanted = {}
    for pointer in pointers:
        _note_wanted(wanted, document, pointer)
    selected = _selected(document, wanted)
    assert isinstance(selected, dict)
    return {"@context": document["@context"]} | selected if "@context" in document else selected


_Wanted: TypeAlias = "dict[str, _Wanted | None]"
"""Members to select, by token of a pointer; None: with all that they contain."""


def _note_wanted(wanted: _Wanted, document: JsonObject, pointer: str) -> None:
    tokens = pointer.split("/")
    if tokens.pop(0) or not tokens:
        raise MalformedInput("pointer", pointer)
    value: JsonValue = document
    inside: _Wanted | None = wanted
    for place, token in enumerate(tokens, 1):
        if isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value, name = value[int(token)], str(int(token))
        else:
            name = token.replace("~1", "/").replace("~0", "~")
            if not isinstance(value, dict) or name not in value:
                raise MalformedInput("pointer", pointer)
            value = value[name]
        if inside is None:
            continue  # selected as a whole already
        if place == len(tokens):
            inside[name] = None
        else:
            inside = inside.setdefault(name, {})


def _selected(value: JsonValue, wanted: _Wanted | None) -> JsonValue:
    if wanted is None:
        return value
    if isinstance(value, list):
        return [_selected(each, wanted[str(n)]) for n, each in enumerate(value) if str(n) in wanted]
    assert isinstance(value, dict), "pointers were followed before"
    return {
        name: _selected(each, wanted.get(name))
        for name, each in value.items()
        if name in wanted or name in ("id", "type")
    }


@dataclass(frozen=True)
class _BaseProof:
    base_signature: bytes
    statement_key: bytes
    label_key: bytes
    signatures: list[bytes]
    mandatory: tuple[str, ...]


def _read_base(proof_value: object) -> _BaseProof:
    try:
        if not isinstance(proof_value, str):
            raise MalformedInput("not_text")
        data = decode_multibase(proof_value, "u", max_length=_MAX_PROOF_VALUE)
        if not data.startswith(_BASE):
            raise MalformedInput("not_a_base_proof")
        match decode_cbor(data[len(_BASE) :], text=True):
            case [bytes(base), bytes(key), bytes(label_key), list(signatures), list(pointers)]:
                texts = tuple(each for each in pointers if isinstance(each, str))
                whole = [each for each in signatures if isinstance(each, bytes) and len(each) == 64]
                if len(base) == 64 and (len(texts), len(whole)) == (len(pointers), len(signatures)):
                    return _BaseProof(base, key, label_key, whole, texts)
        raise MalformedInput("cbor")
    except MalformedInput as error:
        raise ProofError("proof_malformed", f"proofValue: {error.reason}") from None


def _proof_value(header: bytes, parts: list[CborValue]) -> str:
    return encode_multibase(header + encode_cbor(parts), "u")


_NODE: Final = "urn:bnid:"
"""Names that nameless nodes have while parts of their document are compared (ECDSA 3.4.6)."""


class _Labelled:
    """The statements of a document, its nameless nodes labelled with the secret `label_key` (ECDSA 3.4.3)."""

    def __init__(self, document: JsonObject, label_key: bytes) -> None:
        self._named, names = _with_named_nodes(document)
        quads = _with_blank_nodes(quads_of(self._named), names)
        self._names = names
        self._digests = {
            node: hmac.digest(label_key, label.removeprefix("_:").encode(), "sha256")
            for node, label in canonical_labels(quads).items()
        }
        self._labels = {node: f"_:u{encode_base64url(digest)}" for node, digest in self._digests.items()}
        self.statements = sorted(self._lines(quads))

    def matching(self, pointers: Collection[str]) -> frozenset[int]:
        """The indexes of the statements that the members at these pointers make."""
        if not pointers:
            return frozenset()
        made = self._lines(self._selected_quads(pointers))
        return frozenset(index for index, text in enumerate(self.statements) if text in made)

    def label_map(self, pointers: Collection[str]) -> dict[int, CborValue]:
        """The secret label of each node that a verifier will number in these members."""
        numbered = canonical_labels(self._selected_quads(pointers)) if pointers else {}
        return {
            int(label.removeprefix("_:c14n")): self._digests[node]
            for node, label in sorted(numbered.items(), key=lambda each: each[1])
        }

    def _selected_quads(self, pointers: Collection[str]) -> list[Quad]:
        return _with_blank_nodes(quads_of(select_members(self._named, pointers)), self._names)

    def _lines(self, quads: Iterable[Quad]) -> frozenset[str]:
        label = self._labels.get
        return frozenset(
            nquad(label(subject, subject), predicate, label(object_, object_), graph)
            for subject, predicate, object_, graph in quads
        )


def _with_named_nodes(document: JsonObject) -> tuple[JsonObject, Mapping[str, str]]:
    """The document with a name for each nameless node; which blank node each name stands for."""
    nodes = node_pointers(document)
    names: dict[str, str] = {}

    def named(value: JsonValue, at: str) -> JsonValue:
        if isinstance(value, list):
            return [named(each, f"{at}/{index}") for index, each in enumerate(value)]
        if isinstance(value, str) and value.startswith(_NODE):
            raise UnsafeDocument("reserved_name", at)
        if not isinstance(value, dict):
            return value
        members: JsonObject = {name: named(each, at + pointer_to(name)) for name, each in value.items()}
        if at not in nodes or "id" in members:
            return members
        name = f"{_NODE}{len(names)}"
        names[f"<{name}>"] = f"_:n{len(names)}"
        return {"id": name} | members

    whole = named(document, "")
    assert isinstance(whole, dict)
    return whole, names


def _with_blank_nodes(quads: Iterable[Quad], names: Mapping[str, str]) -> list[Quad]:
    blank = names.get
    found = [(blank(s, s), predicate, blank(o, o), graph) for s, predicate, o, graph in quads]
    known = frozenset(names.values())
    if any(graph or any(_is_unknown(term, known) for term in (s, o)) for s, _, o, graph in found):
        # Graphs and lists have nodes that no member of the JSON names.
        raise UnsafeDocument("not_selectively_disclosable")
    return found


def _is_unknown(term: str, known: Collection[str]) -> bool:
    return term.startswith("_:") and term not in known
