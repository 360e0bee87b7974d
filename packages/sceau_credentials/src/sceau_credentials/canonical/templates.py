"""Documents that differ in a few texts: the shared part of their canonical form is computed once, the rest
per document.

A template returns what canonical_nquads would, byte for byte, or raises NotCovered. This holds because
1. contexts are pinned, and a mark occurs inside a text: shape, types and terms are the template's own;
2. a text goes into a literal escaped, and into an IRI only if all its characters are allowed in an IRI;
3. a blank node's first-degree hash is stored only where no statement about that node holds a mark;
4. nodes with equal hashes are left to the full algorithm;
5. statements that become equal are left to it too, and all lines are sorted again, unless no value can change
   their order (`line_order`);
6. an IRI that becomes equal to another one of the document is left to it: two objects would have become one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256
from itertools import pairwise
from threading import Lock
from typing import Final, TypeAlias

from sceau_credentials.canonical import compiled
from sceau_credentials.canonical.rdfc import Quad, escape
from sceau_credentials.errors import NotCovered
from sceau_credentials.values import JsonObject

# --- Counters, since process start, of the code path by which documents were canonicalised


class Way(StrEnum):
    """The code path by which a canonical form was found."""

    COMPILED = "compiled"
    """Through the tables of their contexts."""
    TEMPLATE = "template"
    """Through a template shared by their batch."""
    GENERAL = "general"
    """Through PyLD; includes documents it rejects."""


_lock: Final = Lock()
_taken: Final = dict.fromkeys(Way, 0)


def note(way: Way) -> None:
    with _lock:
        _taken[way] += 1


def ways_taken() -> dict[Way, int]:
    """A copy; each counter only increases."""
    with _lock:
        return dict(_taken)


# --- templates

Pieces: TypeAlias = Sequence[str]
"""A line split at its marks: text, mark number, text, and so on, ending with text."""


def is_fixed(lines: Sequence[Pieces]) -> bool:
    """Whether each line sorts before the next one, and differs from it, for any values of their marks."""
    return all(_comes_first(line, following) for line, following in pairwise(lines))


def _comes_first(line: Pieces, other: Pieces) -> bool:
    """False also where it depends on the values."""
    for place, (piece, opposite) in enumerate(zip(line, other, strict=False)):
        if piece == opposite:
            continue  # equal texts, or the same mark, which has the same value in both
        if place % 2:
            return False
        at = _first_difference(piece, opposite)
        if at < len(piece) and at < len(opposite):
            return piece[at] < opposite[at]
        # One text is a prefix of the other: what follows it is a value, unless its line ends there.
        return at == len(piece) and place == len(line) - 1
    # The other continues where this line ends; if only values follow, they may be empty and the lines equal.
    return any(other[len(line) + 1 :: 2])


def _first_difference(text: str, other: str) -> int:
    for at, (character, opposite) in enumerate(zip(text, other, strict=False)):
        if character != opposite:
            return at
    return min(len(text), len(other))


MARK_SIGN: Final = "\ue000"
_MOST_ORDERS: Final = 64
_MARK: Final = re.compile("\ue000(\\d+)\ue001")
_IN_AN_IRI: Final = re.compile(r'[^\x00-\x20<>"{}|\\^`\x7f]*')


@cache
def mark(number: int) -> str:
    """The text that marks, in a template's document, where value `number` goes; may occur several times."""
    return f"\ue000{number}\ue001"


@dataclass(frozen=True)
class _Order:
    """The lines without a mark, sorted, for one labelling of the blank nodes."""

    shared: list[str]
    as_set: frozenset[str]
    whole: _Whole | None = None


@dataclass(frozen=True)
class _Whole:
    """A document with a fixed order of lines: a %-format, and the numbers of the values that it takes.

    `alike` are pairs of values that were equal: where they are not, the order may differ.
    """

    written: bytes
    places: Sequence[str]
    alike: Sequence[tuple[str, str]]


def make_template(marked: JsonObject) -> Template:
    """Template of the canonical form (RDFC-1.0) shared by documents that differ in a few texts.

    `marked` is such a document with `mark(0)`, `mark(1)` … inside the texts that differ, each once or several
    times; in an IRI the mark comes after the scheme. NotCovered where no template is possible, or the
    document may not be signed: then call `canonical_bytes` for each document, which raises the reason.
    """
    return Template(marked)


class Template:
    """The canonical form of a document with marks in its texts; `make_template` makes one."""

    def __init__(self, marked: JsonObject) -> None:
        quads = list(dict.fromkeys(compiled.quads_of(marked)))
        if any(graph for *_, graph in quads):
            raise NotCovered
        self._in_iris: set[int] = set()
        self._iris: set[str] = set()
        self._marked_iris: list[str] = []
        self._all_iris: set[str] = set()
        for quad in quads:
            self._note_iris(quad)
        self._iris_may_meet = not is_fixed([_MARK.split(iri) for iri in sorted(self._all_iris)])
        mentions = _mentions(quads)
        self._names = {node: f"b{number}" for number, node in enumerate(mentions)}
        self._labels = [f"_:c14n{number}" for number in range(len(mentions))]
        self._quads = quads
        self._marked = self._format_of(quad for quad in quads if _varies(quad))
        self._labelled = self._format_of(quad for quad in quads if not _varies(quad))
        self._orders: dict[str, _Order] = {}
        self._kept_hashes: dict[str, str] = {}
        self._hashed_anew: list[tuple[str, str]] = []
        for node, about in mentions.items():
            lines = [_format(_line_about(quad, node), {}) + "\n" for quad in about]
            if any(map(_varies, about)):
                self._hashed_anew.append((self._names[node], "".join(lines)))
            else:
                digest = _hash("".join(lines) % {})
                if digest in self._kept_hashes:
                    raise NotCovered
                self._kept_hashes[digest] = self._names[node]

    def canonical_bytes(self, values: Sequence[str]) -> bytes:
        """The canonical N-Quads, in UTF-8, with `values[n]` substituted for `mark(n)`; equal to
        `canonical_bytes`.

        NotCovered if the template does not cover these values.
        """
        texts = self._texts(values)
        self._check_iris_stay_apart(texts)
        order = self._order(self._label(texts), texts)
        try:
            written = self._written(order, texts)
        except UnicodeEncodeError:
            raise NotCovered from None
        note(Way.TEMPLATE)
        return written

    def _written(self, order: _Order, texts: Mapping[str, str]) -> bytes:
        whole = order.whole
        if whole is not None and all(texts[one] == texts[other] for one, other in whole.alike):
            encoded = {name: text.encode() for name, text in texts.items()}
            return whole.written % tuple(map(encoded.__getitem__, whole.places))
        lines = (self._marked % texts).split("\n")
        lines.pop()
        if len(set(lines)) != len(lines) or not order.as_set.isdisjoint(lines):
            raise NotCovered
        lines = order.shared + lines
        lines.sort()
        lines.append("")
        return "\n".join(lines).encode()

    def _order(self, labels: str, texts: Mapping[str, str]) -> _Order:
        """The same whenever the blank nodes are labelled in the same order."""
        known = self._orders.get(labels)
        if known is None:
            lines = (self._labelled % texts).split("\n")
            lines.pop()
            lines.sort()
            if len(self._orders) == _MOST_ORDERS:
                return _Order(lines, frozenset(lines))
            known = self._orders[labels] = _Order(lines, frozenset(lines), self._whole(texts))
        return known

    def _whole(self, texts: Mapping[str, str]) -> _Whole | None:
        """In the order of these values; None unless all values with the same equalities have it."""
        labels = {node: texts[name] for node, name in self._names.items()}
        by_text: dict[str, str] = {}
        named = {str(number): by_text.setdefault(texts[str(number)], str(number)) for number in self._in_iris}
        lines = [
            [named.get(piece, piece) if place % 2 else piece for place, piece in enumerate(pieces)]
            for pieces in (_MARK.split(_line(_labelled(quad, labels)) + "\n") for quad in self._quads)
        ]
        lines.sort(key=lambda pieces: _filled(pieces, texts))
        if not is_fixed(lines):
            return None
        fixed = "%s".join(text.replace("%", "%%") for text in _texts_between(lines))
        places = [number for pieces in lines for number in pieces[1::2]]
        return _Whole(fixed.encode(), places, [pair for pair in named.items() if pair[0] != pair[1]])

    def _format_of(self, quads: Iterable[Quad]) -> str:
        return "".join(_format(_line(quad), self._names) + "\n" for quad in quads)

    def _note_iris(self, quad: Quad) -> None:
        for term in (quad[0], quad[2]):
            if term[0] != "<":
                continue
            self._all_iris.add(term)
            numbers = [int(number) for number in _MARK.findall(term)]
            if not numbers:
                self._iris.add(term)
                continue
            if ":" not in term.partition("\ue000")[0]:
                raise NotCovered  # the mark would decide whether this is an IRI at all
            self._in_iris.update(numbers)
            if (formatted := _format(term, {})) not in self._marked_iris:
                self._marked_iris.append(formatted)

    def _texts(self, values: Sequence[str]) -> dict[str, str]:
        """The values as written, by number; what an IRI may contain needs no escaping in a literal."""
        if _IN_AN_IRI.fullmatch("/".join([values[number] for number in self._in_iris])) is None:
            raise NotCovered
        in_iris = self._in_iris
        return {
            str(number): value if number in in_iris else escape(value) for number, value in enumerate(values)
        }

    def _check_iris_stay_apart(self, texts: Mapping[str, str]) -> None:
        if not self._iris_may_meet:
            return
        iris = {iri % texts for iri in self._marked_iris}
        if len(iris) != len(self._marked_iris) or not self._iris.isdisjoint(iris):
            raise NotCovered

    def _label(self, texts: dict[str, str]) -> str:
        """Store each blank node's canonical label under its name in `texts`; returns the order of the nodes."""
        by_hash = dict(self._kept_hashes)
        for name, about in self._hashed_anew:
            by_hash[_hash(about % texts)] = name
        if len(by_hash) != len(self._names):
            raise NotCovered
        order = [by_hash[digest] for digest in sorted(by_hash)]
        texts.update(zip(order, self._labels, strict=True))
        return " ".join(order)


def _hash(statements: str) -> str:
    lines = statements.split("\n")
    lines.pop()
    lines.sort()
    lines.append("")
    return sha256("\n".join(lines).encode()).hexdigest()


def _mentions(quads: Iterable[Quad]) -> dict[str, list[Quad]]:
    mentions: dict[str, list[Quad]] = {}
    for quad in quads:
        for node in {quad[0], quad[2]}:
            if node[0] == "_":
                mentions.setdefault(node, []).append(quad)
    return mentions


def _varies(quad: Quad) -> bool:
    return "\ue000" in quad[0] or "\ue000" in quad[2]


def _labelled(quad: Quad, labels: Mapping[str, str]) -> Quad:
    subject, predicate, object_, graph = quad
    return labels.get(subject, subject), predicate, labels.get(object_, object_), graph


def _filled(pieces: Sequence[str], texts: Mapping[str, str]) -> str:
    return "".join(texts[piece] if place % 2 else piece for place, piece in enumerate(pieces))


def _texts_between(lines: Iterable[Sequence[str]]) -> list[str]:
    """The texts of all lines, in sequence, before, between and after their marks."""
    found = [""]
    for pieces in lines:
        found[-1] += pieces[0]
        found += pieces[2::2]
    return found


def _line(quad: Quad) -> str:
    return f"{quad[0]} {quad[1]} {quad[2]} ."


def _line_about(quad: Quad, node: str) -> str:
    subject, _, object_, _ = quad
    if subject[0] == "_":
        subject = "_:a" if subject == node else "_:z"
    if object_[0] == "_":
        object_ = "_:a" if object_ == node else "_:z"
    return f"{subject} {quad[1]} {object_} ."


def _format(line: str, names: Mapping[str, str]) -> str:
    """A %-format with a slot for each mark, and for each blank node that has a name."""
    formatted = _MARK.sub(lambda found: f"%({found[1]})s", line.replace("%", "%%"))
    subject, predicate, rest = formatted.split(" ", 2) if names else ("", "", formatted)
    if not names:
        return formatted
    object_ = rest.removesuffix(" .")
    return f"{_place(subject, names)} {predicate} {_place(object_, names)} ."


def _place(term: str, names: Mapping[str, str]) -> str:
    return f"%({names[term]})s" if term in names else term
