"""Parts that many documents share, an achievement or its issuer: their statements are found, hashed and sorted once.

A part is an object with an IRI and all that is below it. Its canonical form may be kept because
1. it is a function of the bytes it is written as, of the place (a table of pinned contexts) and of the depth, which
   together are the key: one other character is another part;
2. its blank nodes are mentioned by its own statements alone, so that their first-degree hashes are its own;
3. hashes of all parts and of the rest are compared for each document: where two are alike, nothing kept is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sceau_credentials.canonical.rdfc import Quad, hash_first_degree, mentions_in


@dataclass(frozen=True, slots=True)
class Part:
    subject: str
    """How others refer to it."""
    ids: frozenset[str]
    """The identifiers of the objects in it."""
    lines: tuple[str, ...]
    """The statements without blank nodes, sorted."""
    hashes: tuple[str, ...]
    """One for each blank node."""
    unlabelled: str
    """The statements with blank nodes, as a %-format with each hash where a label is to come."""


def part_of(subject: str, ids: Iterable[str], lines: Iterable[str], blank: list[Quad]) -> Part | None:
    """From its statements without and with blank nodes. None where it cannot be told apart on its own."""
    hashes = _hashes(blank)
    if subject[0] == "_" or len(set(hashes.values())) != len(hashes):
        return None
    places = {node: f"%({digest})s" for node, digest in hashes.items()}
    formats = [
        f"{places.get(subject) or _verbatim(subject)} {_verbatim(predicate)} "
        f"{places.get(object_) or _verbatim(object_)} .\n"
        for subject, predicate, object_, _ in blank
    ]
    return Part(subject, frozenset(ids), tuple(sorted(lines)), tuple(hashes.values()), "".join(formats))


def canonicalize_with(parts: Sequence[Part], ground: Sequence[str], blank: list[Quad]) -> str | None:
    """The canonical N-Quads of these parts and statements together, or None where blank nodes are alike."""
    lines = list(ground)
    hashes = _hashes(blank)
    all_hashes = [*hashes.values(), *[digest for part in parts for digest in part.hashes]]
    labels = {digest: f"_:c14n{number}" for number, digest in enumerate(sorted(all_hashes))}
    if len(labels) != len(all_hashes):
        return None
    for part in parts:
        lines += part.lines
        lines += (part.unlabelled % labels).split("\n")
    names = {node: labels[digest] for node, digest in hashes.items()}
    name = names.get
    lines += [
        f"{name(subject, subject)} {predicate} {name(object_, object_)} ."
        for subject, predicate, object_, _ in blank
    ]
    written = sorted(dict.fromkeys(lines))
    if not written[0]:  # what the formats end with
        del written[0]
    written.append("")
    return "\n".join(written)


def _hashes(blank: Iterable[Quad]) -> dict[str, str]:
    mentions = mentions_in(dict.fromkeys(blank))
    return {node: hash_first_degree(node, about) for node, about in mentions.items()}


def _verbatim(term: str) -> str:
    return term.replace("%", "%%")
