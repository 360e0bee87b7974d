"""RDF Dataset Canonicalization (RDFC-1.0, SHA-256) of quads, with a work limit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from itertools import permutations
from typing import Final, NamedTuple, TypeAlias

import orjson
import rfc8785

from sceau_credentials.errors import CanonicalizationTooHard, MalformedInput
from sceau_credentials.values import JsonValue

Quad: TypeAlias = tuple[str, str, str, str]
"""Subject, predicate, object and graph as N-Quads writes them; "" is the default graph."""

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"

MAX_N_DEGREE_CALLS: Final = 1_000  # M2: the published tests need 468 at most
MAX_N_DEGREE_DEPTH: Final = 100  # recursion depth; each call takes three stack frames
MAX_PERMUTATIONS: Final = 20_000
MAX_RELATED: Final = 100_000  # hashes of related blank nodes, in all calls together

_SPECIAL: Final = re.compile('[\x00-\x1f"\\\\\x7f]')
_SHORT_ESCAPES: Final = {
    "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\",
}  # fmt: skip


def escape(text: str) -> str:
    """The text of a literal in canonical N-Quads: short escapes, then \\uXXXX for other control characters."""
    return _SPECIAL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    return _SHORT_ESCAPES.get(character) or f"\\u{ord(character):04X}"


def canonicalize(quads: Iterable[Quad]) -> str:
    """The canonical N-Quads document of these quads."""
    lines = []
    unlabelled = []
    for quad in dict.fromkeys(quads):
        subject, predicate, object_, graph = quad
        if subject[0] == "_" or object_[0] == "_" or graph[:1] == "_":
            unlabelled.append(quad)
        elif graph:
            lines.append(f"{subject} {predicate} {object_} {graph} .\n")
        else:
            lines.append(f"{subject} {predicate} {object_} .\n")
    if unlabelled:
        label = canonical_labels(unlabelled).get
        lines += [
            nquad(label(subject, subject), predicate, label(object_, object_), label(graph, graph))
            for subject, predicate, object_, graph in unlabelled
        ]
    lines.sort()
    return "".join(lines)


def canonical_labels(quads: Iterable[Quad]) -> dict[str, str]:
    """The canonical label of each blank node (`_:c14n0`, …)."""
    mentions = mentions_in(quads)
    if not mentions:
        return {}
    return _Labelling(mentions).labels()


def nquad(subject: str, predicate: str, object_: str, graph: str) -> str:
    """One statement as canonical N-Quads write it, with its line end."""
    if graph:
        return f"{subject} {predicate} {object_} {graph} .\n"
    return f"{subject} {predicate} {object_} .\n"


def mentions_in(quads: Iterable[Quad]) -> dict[str, list[Quad]]:
    """For each blank node the quads it stands in, each once."""
    mentions: dict[str, list[Quad]] = {}
    for quad in quads:
        subject, _, object_, graph = quad
        if subject[0] == "_":
            mentions.setdefault(subject, []).append(quad)
        if object_[0] == "_" and object_ != subject:
            mentions.setdefault(object_, []).append(quad)
        if graph and graph[0] == "_" and graph not in (subject, object_):
            mentions.setdefault(graph, []).append(quad)
    return mentions


def hash_first_degree(node: str, about: Iterable[Quad]) -> str:
    """Hash of the statements a blank node occurs in, without the names of other blank nodes."""
    lines = []
    for subject, predicate, object_, graph in about:
        if subject[0] == "_":
            subject = "_:a" if subject == node else "_:z"
        if object_[0] == "_":
            object_ = "_:a" if object_ == node else "_:z"
        if graph and graph[0] == "_":
            graph = "_:a" if graph == node else "_:z"
        lines.append(nquad(subject, predicate, object_, graph))
    lines.sort()
    return sha256("".join(lines).encode()).hexdigest()


class _Issuer:
    """Issues labels in the order they are requested."""

    def __init__(self, prefix: str, issued: dict[str, str] | None = None) -> None:
        self.prefix = prefix
        self.issued = dict(issued or {})

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, self.issued)

    def label(self, node: str) -> str:
        label = self.issued.get(node)
        if label is None:
            label = self.issued[node] = f"{self.prefix}{len(self.issued)}"
        return label


class _Path(NamedTuple):
    hash: str
    issuer: _Issuer


class _Labelling:
    """One run of the algorithm (RDFC-1.0, section 4.4); method names are the specification's."""

    def __init__(self, mentions: dict[str, list[Quad]]) -> None:
        self._mentions = mentions
        self._first_degree = {node: hash_first_degree(node, about) for node, about in mentions.items()}
        self._canonical = _Issuer("_:c14n")
        self._calls = 0
        self._depth = 0
        self._related = 0
        self._permutations = 0

    def labels(self) -> dict[str, str]:
        alike: dict[str, list[str]] = {}
        for node, digest in self._first_degree.items():
            alike.setdefault(digest, []).append(node)
        for _, nodes in sorted(alike.items()):
            if len(nodes) == 1:
                self._canonical.label(nodes[0])
        for _, nodes in sorted(alike.items()):
            if len(nodes) > 1:
                self._tell_apart(nodes)
        return self._canonical.issued

    def _tell_apart(self, nodes: list[str]) -> None:
        paths = []
        for node in nodes:
            if node in self._canonical.issued:
                continue
            issuer = _Issuer("_:b")
            issuer.label(node)
            paths.append(self._hash_n_degree(node, issuer))
        for path in sorted(paths, key=lambda path: path.hash):
            for node in path.issuer.issued:
                self._canonical.label(node)

    def _hash_related(self, related: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        name = (
            self._canonical.issued.get(related) or issuer.issued.get(related) or self._first_degree[related]
        )
        predicate = "" if position == "g" else quad[1]
        return sha256(f"{position}{predicate}{name}".encode()).hexdigest()

    def _related_by_hash(self, node: str, issuer: _Issuer) -> dict[str, list[str]]:
        # A node related by several quads is listed several times: other implementations hash it so.
        related: dict[str, list[str]] = {}
        self._related += len(self._mentions[node])
        if self._related > MAX_RELATED:
            raise CanonicalizationTooHard("more related blank nodes than the work limit allows")
        for quad in self._mentions[node]:
            for position, term in zip("sog", (quad[0], quad[2], quad[3]), strict=True):
                if term and term[0] == "_" and term != node:
                    related.setdefault(self._hash_related(term, quad, issuer, position), []).append(term)
        return related

    def _hash_n_degree(self, node: str, issuer: _Issuer) -> _Path:
        self._calls += 1
        if self._calls > MAX_N_DEGREE_CALLS or self._depth >= MAX_N_DEGREE_DEPTH:
            raise CanonicalizationTooHard("more n-degree hashes than the work limit allows")
        self._depth += 1
        data = []
        for digest, nodes in sorted(self._related_by_hash(node, issuer).items()):
            path, issuer = self._shortest_path(nodes, issuer)
            data.append(digest + path)
        self._depth -= 1
        return _Path(sha256("".join(data).encode()).hexdigest(), issuer)

    def _shortest_path(self, nodes: list[str], issuer: _Issuer) -> tuple[str, _Issuer]:
        """Of all orders in which these nodes can be visited, the one with the smallest path."""
        chosen: tuple[str, _Issuer] | None = None
        for order in permutations(nodes):
            self._permutations += 1
            if self._permutations > MAX_PERMUTATIONS:
                raise CanonicalizationTooHard("more orders of alike blank nodes than the work limit allows")
            tried = self._path_of(order, issuer.copy(), chosen[0] if chosen else "")
            if tried is not None and (chosen is None or tried[0] < chosen[0]):
                chosen = tried
        assert chosen is not None  # the first order is never abandoned
        return chosen

    def _path_of(self, order: tuple[str, ...], issuer: _Issuer, best: str) -> tuple[str, _Issuer] | None:
        """The path of this order, or None as soon as it exceeds the best so far."""
        path = ""
        to_visit = []
        for node in order:
            label = self._canonical.issued.get(node)
            if label is None:
                if node not in issuer.issued:
                    to_visit.append(node)
                label = issuer.label(node)
            path += label
            if _is_beaten(path, best):
                return None
        for node in to_visit:
            result = self._hash_n_degree(node, issuer)
            path += f"{issuer.label(node)}<{result.hash}>"
            issuer = result.issuer
            if _is_beaten(path, best):
                return None
        return path, issuer


def _is_beaten(path: str, best: str) -> bool:
    return bool(best) and len(path) >= len(best) and path > best


# --- The JSON Canonicalization Scheme (RFC 8785)

_SORTED: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
# Where the fast writer may differ: fractions, exponents, integers near 2^53, a null that may have been NaN,
# and characters beyond the basic plane, which change the order of members. A false positive costs only time.
_DOUBTFUL_NUMBER: Final = re.compile(rb"[:\[,]-?\d+(?:\d{15}|\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)[,\]}]")
_BEYOND_BASIC: Final = tuple(bytes([lead]) for lead in range(0xF0, 0xF5))
"""UTF-8 lead bytes of characters beyond the basic plane."""


def canonical_json(value: JsonValue) -> bytes:
    """The canonical text of this value; MalformedInput for values that have none (large integers, NaN, lone
    surrogates, too deep).
    """
    try:
        if isinstance(value, str):
            return orjson.dumps(value, option=_SORTED)  # a text alone holds no number, and nothing to sort
        if isinstance(value, dict | list):
            written = orjson.dumps(value, option=_SORTED)
            if not _is_doubtful(written):
                return written
    except TypeError:
        pass
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise MalformedInput("not_canonicalizable", detail=str(error)[:200]) from None
    except RecursionError:
        raise MalformedInput("too_deep") from None


def _is_doubtful(written: bytes) -> bool:
    return (
        b"null" in written
        or (not written.isascii() and any(lead in written for lead in _BEYOND_BASIC))
        or _DOUBTFUL_NUMBER.search(_outside_texts(written)) is not None
    )


def _outside_texts(written: bytes) -> bytes:
    """The parts outside quotes, where numbers are; the whole text where a string may contain a quote."""
    return written if b"\\" in written else b"".join(written.split(b'"')[::2])
