"""The compiled path: a document walked through the tables of its contexts, straight to quads.

For anything it does not cover it raises NotCovered, and `expansion` decides. It covers documents that
- name only allowed contexts, at the root, none of which sets `@vocab`;
- use terms of those contexts alone, spelt as terms, with absolute IRIs that cannot be compact ones;
- hold text (with or without a language), booleans, ordinary numbers, objects, and plain arrays of these;
- use `id` and `type` rather than keywords, and describe the root once. No embedded proof or endorsement, JSON
  literal, map or null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import orjson
from pyld.jsonld import JsonLdError

from sceau_credentials.canonical.expansion import (
    LANGUAGE,
    MAX_DEPTH,
    ContextProcessor,
    context_array,
    number_problem,
    pinned_contexts,
)
from sceau_credentials.canonical.rdfc import (
    RDF,
    XSD,
    Quad,
    canonicalize,
    escape,
    hash_first_degree,
    mentions_in,
)
from sceau_credentials.errors import NotCovered, UnsafeDocument
from sceau_credentials.values import JsonObject, JsonValue, context, dump_exactly, is_absolute_iri

# --- The pinned contexts as flat tables: at each position in a document, what each member name means

_MOST_COMBINATIONS: Final = 256  # of types on one object: a document may combine them freely
_PLAIN_CONTAINERS: Final = frozenset({"@set", "@list"})


class Reads(Enum):
    """How a term interprets text."""

    LITERAL = "literal"
    IRI = "iri"
    WORD = "word"  # another term, or an IRI


class Term:
    """A member name at one position."""

    __slots__ = (
        "_place",
        "_table",
        "_within",
        "datatype",
        "is_list",
        "is_plain",
        "predicate",
        "reads",
        "suffix",
        "twins",
    )

    def __init__(self, table: Table, mapping: Any, within: Any, twins: frozenset[str]) -> None:
        coercion = mapping.get("@type")
        self.predicate = f"<{mapping['@id']}>"
        self.reads = {"@id": Reads.IRI, "@vocab": Reads.WORD}.get(coercion, Reads.LITERAL)
        self.datatype: str | None = None if coercion in (None, "@none", "@id", "@vocab") else coercion
        self.suffix = suffix_of(self.datatype)
        self.twins = twins  # other names of the same property: an object may use only one of them
        self.is_list = "@list" in (mapping.get("@container") or ())
        self.is_plain = self.reads is Reads.LITERAL and not self.is_list
        """Whether text under it is simply a literal."""
        self._table = table
        self._within = within
        self._place: Table | None = None

    def place(self, name: str) -> Table:
        """The table for an object under this term."""
        if self._place is None:
            self._place = self._table.below(name, self._within)
        return self._place

    def word(self, text: str) -> str | None:
        """The IRI that this text names as a term."""
        mapping = self._within["mappings"].get(text)
        iri = mapping and mapping.get("@id")
        return f"<{iri}>" if iri and is_absolute_iri(iri) else None


def suffix_of(datatype: str | None) -> str:
    return "" if datatype is None or datatype == f"{XSD}string" else f"^^<{datatype}>"


class Table(dict[str, Term]):
    """The terms of one active context, each computed on first use. Two tables are never equal."""

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__

    def __init__(self, tables: _Tables, active: Any) -> None:
        super().__init__()
        if active.keys() & {"@vocab", "@language", "@direction", "@base"}:
            raise NotCovered
        self._tables = tables
        self.prefixes = tables.names
        """Names that may precede the colon of a compact IRI."""
        self._active = active
        self._typed: dict[tuple[str, ...], tuple[tuple[str, ...], Table]] = {}
        self._names: dict[str | None, set[str]] = {}
        for name, mapping in active["mappings"].items():
            if mapping:
                self._names.setdefault(mapping["@id"], set()).add(name)
        if self._names.get("@id") != {"id"} or self._names.get("@type") != {"type"}:
            raise NotCovered

    def __missing__(self, name: str) -> Term:
        mapping = self._active["mappings"].get(name)
        if not mapping or not is_absolute_iri(mapping["@id"] or ""):
            raise NotCovered
        within = self._active
        if mapping.get("@context") is not None:
            within = self._tables.process(within, mapping["@context"], override_protected=True)
        if within["mappings"].get(name) != mapping or not _is_plain(mapping):
            raise NotCovered
        twins = self._names[mapping["@id"]] - {name}
        term = self[name] = Term(self, mapping, within, frozenset(twins))
        return term

    def typed(self, types: tuple[str, ...]) -> tuple[tuple[str, ...], Table]:
        """The IRIs of these types, and the terms of an object that has them in this context."""
        known = self._typed.get(types)
        if known is None:
            if len(self._typed) >= _MOST_COMBINATIONS:
                raise NotCovered
            iris = tuple(map(self._type_iri, types))
            active = self._active
            for name in sorted(types):
                scoped = self._active["mappings"][name].get("@context")
                if scoped is not None and scoped is not False:
                    active = self._tables.process(active, scoped, propagate=False)
            known = self._typed[types] = (iris, self._tables.of(active))
        return known

    def _type_iri(self, name: str) -> str:
        mapping = self._active["mappings"].get(name)
        if not mapping or not is_absolute_iri(mapping["@id"] or ""):
            raise NotCovered
        return f"<{mapping['@id']}>"

    def below(self, name: str, within: Any) -> Table:
        """The table for an object under this term: types apply to one object, scoped terms to everything
        below.
        """
        active = within.get("previousContext") or within
        scoped = within["mappings"][name].get("@context")
        if scoped is not None:
            active = self._tables.process(active, scoped, override_protected=True)
        return self._tables.of(active)


def _is_plain(mapping: Any) -> bool:
    container = mapping.get("@container") or ()
    return (
        not mapping.get("reverse")
        and _PLAIN_CONTAINERS.issuperset(container)
        and not mapping.keys() & {"@index", "@nest", "@language", "@direction"}
        and mapping.get("@type") not in ("@json", f"{XSD}double")
    )


class _Tables:
    """All tables of one context array."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        self._processor = ContextProcessor(pinned_contexts(urls))
        self._by_context: dict[int, Table] = {}
        self.names = frozenset(name for url in urls for name in _names_in(context(url)))

    def process(self, active: Any, local: Any, **how: Any) -> Any:
        try:
            return self._processor.process(active, local, **how)
        except JsonLdError:  # a protected term redefined, as some types do to one another
            raise NotCovered from None

    def of(self, active: Any) -> Table:
        table = self._by_context.get(id(active))
        if table is None:
            table = self._by_context[id(active)] = Table(
                self, active
            )  # which references its context, so that its id is not reused
        return table

    def root(self, urls: tuple[str, ...]) -> Table:
        return self.of(self.process(self._processor.initial_context(), list(urls)))


@lru_cache(maxsize=32)
def root_table(urls: tuple[str, ...]) -> Table:
    """The table at the root of a document that names these contexts."""
    return _Tables(urls).root(urls)


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _names_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names_in(item)


# --- compiled


@dataclass(frozen=True, slots=True)
class Part:
    subject: str
    """The root as an N-Quads term."""
    ids: frozenset[str]
    """The identifiers of the objects in it."""
    lines: tuple[str, ...]
    """The statements without blank nodes, sorted."""
    hashes: tuple[str, ...]
    """One for each blank node."""
    unlabelled: str
    """The statements with blank nodes, as a %-format with each hash where a label is to come."""


def part_of(subject: str, ids: Iterable[str], lines: Iterable[str], blank: list[Quad]) -> Part | None:
    """From its statements without and with blank nodes. None where the blank nodes are ambiguous."""
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
    if not written[0]:  # every format ends with a newline
        del written[0]
    written.append("")
    return "\n".join(written)


def _hashes(blank: Iterable[Quad]) -> dict[str, str]:
    mentions = mentions_in(dict.fromkeys(blank))
    return {node: hash_first_degree(node, about) for node, about in mentions.items()}


def _verbatim(term: str) -> str:
    return term.replace("%", "%%")


_SHARED: Final = frozenset({"achievement", "issuer"})
"""What the badges of one class and of one issuer have in common."""
_MOST_PARTS: Final = 256
_MOST_BLANK_NODES: Final = 8_000  # T13
_LONGEST_PART: Final = 16 * 1024

_TYPE: Final = f"<{RDF}type>"
_FIRST: Final = f"<{RDF}first>"
_REST: Final = f"<{RDF}rest>"
_NIL: Final = f"<{RDF}nil>"
_BOOLEAN: Final = suffix_of(f"{XSD}boolean")
_INTEGER: Final = suffix_of(f"{XSD}integer")
_DOUBLE: Final = suffix_of(f"{XSD}double")


def quads_of(document: JsonObject) -> list[Quad]:
    """The quads of this document, or NotCovered."""
    walk = _walk_through(document, keeps_parts=False)
    return [_quad(line) for line in walk.lines] + walk.blank


def nquads_of(document: JsonObject) -> str:
    """Its canonical N-Quads, or NotCovered."""
    walk = _walk_through(document, keeps_parts=True)
    nquads = canonicalize_with(walk.parts, walk.lines, walk.blank)
    return canonicalize(quads_of(document)) if nquads is None else nquads


def _walk_through(document: JsonObject, *, keeps_parts: bool) -> _Walk:
    try:
        table = root_table(context_array(document))
    except UnsafeDocument:
        raise NotCovered from None
    walk = _Walk(document.get("id"), table.prefixes, keeps_parts=keeps_parts)
    walk.node(document, table, 0)
    if not (walk.lines or walk.blank or walk.parts):
        raise NotCovered
    return walk


def _quad(line: str) -> Quad:
    subject, predicate, rest = line.split(" ", 2)
    return subject, predicate, rest.removesuffix(" ."), ""


@lru_cache(maxsize=_MOST_PARTS)
def _part_of(written: bytes, place: Table, depth: int) -> Part | None:
    walk = _Walk(None, place.prefixes, keeps_parts=False)
    subject = walk.node(orjson.loads(written), place, depth)
    return part_of(subject, walk.ids, walk.lines, walk.blank)


class _Walk:
    def __init__(self, root_id: JsonValue, prefixes: frozenset[str], *, keeps_parts: bool) -> None:
        self.lines: list[str] = []
        """Statements without blank nodes, as written, without the newline."""
        self.blank: list[Quad] = []
        """Statements with blank nodes."""
        self.parts: list[Part] = []
        self.ids: set[str] = set()
        """Ids of the objects below the root that have more members than their id."""
        self._root_id = root_id
        self._prefixes = prefixes
        self._keeps_parts = keeps_parts
        self._blank_nodes = 0

    def node(self, element: JsonObject, place: Table, depth: int) -> str:
        """Write the quads of an object; returns its N-Quads term."""
        if depth > MAX_DEPTH:
            raise NotCovered
        subject = self._subject(element, depth)
        is_blank = subject[0] == "_"
        table = place
        if "type" in element:
            iris, table = place.typed(_types(element["type"]))
            for iri in iris:
                self._say(subject, _TYPE, iri)
        for name, value in element.items():
            if name == "id" or name == "type" or (depth == 0 and name == "@context"):
                continue
            term = table[name]
            if term.twins and not term.twins.isdisjoint(element):
                raise NotCovered
            if type(value) is str and term.is_plain and not is_blank:
                self.lines.append(f'{subject} {term.predicate} "{escape(value)}"{term.suffix} .')
            elif term.is_list:
                self._say(subject, term.predicate, self._list(value, name, term, depth))
            elif type(value) is list:
                for item in value:
                    self._say(subject, term.predicate, self._object(item, name, term, depth))
            else:
                self._say(subject, term.predicate, self._object(value, name, term, depth))
        return subject

    def _say(self, subject: str, predicate: str, object_: str) -> None:
        if subject[0] == "_" or object_[0] == "_":
            self.blank.append((subject, predicate, object_, ""))
        else:
            self.lines.append(f"{subject} {predicate} {object_} .")

    def _subject(self, element: JsonObject, depth: int) -> str:
        if "id" not in element:
            return self._blank_node()
        node_id = element["id"]
        if type(node_id) is not str:
            raise NotCovered
        if len(element) > 1 and depth:
            if node_id == self._root_id:
                raise NotCovered
            self.ids.add(node_id)
        return self._iri(node_id)

    def _object(self, value: JsonValue, name: str, term: Term, depth: int) -> str:
        kind = type(value)
        if kind is str:
            return self._text(value, term)  # type: ignore[arg-type]
        if kind is dict:
            if "@value" in value:  # type: ignore[operator]
                return _value_object(value)  # type: ignore[arg-type]
            if self._keeps_parts and name in _SHARED:
                return self._part(value, term.place(name), depth + 1)  # type: ignore[arg-type]
            return self.node(value, term.place(name), depth + 1)  # type: ignore[arg-type]
        if term.reads is not Reads.LITERAL:
            raise NotCovered
        return _number(value, term)

    def _part(self, element: JsonObject, place: Table, depth: int) -> str:
        """As `node`, for an object that other documents are likely to share; cached."""
        written = dump_exactly(element)
        part = _part_of(written, place, depth) if 0 < len(written) <= _LONGEST_PART else None
        if part is None:
            return self.node(element, place, depth)
        if self._root_id in part.ids:
            raise NotCovered
        self.parts.append(part)
        return part.subject

    def _text(self, text: str, term: Term) -> str:
        if term.reads is Reads.LITERAL:
            return f'"{escape(text)}"{term.suffix}'
        if term.reads is Reads.WORD:
            return term.word(text) or self._iri(text)
        return self._iri(text)

    def _list(self, value: JsonValue, name: str, term: Term, depth: int) -> str:
        items = value if isinstance(value, list) else [value]
        rest = _NIL
        for object_ in reversed([self._object(item, name, term, depth) for item in items]):
            cell = self._blank_node()
            self._say(cell, _FIRST, object_)
            self._say(cell, _REST, rest)
            rest = cell
        return rest

    def _iri(self, text: str) -> str:
        if text.partition(":")[0] in self._prefixes or not is_absolute_iri(text):
            raise NotCovered
        return f"<{text}>"

    def _blank_node(self) -> str:
        self._blank_nodes += 1
        if self._blank_nodes > _MOST_BLANK_NODES:
            raise NotCovered
        return f"_:b{self._blank_nodes}"


def _types(value: JsonValue) -> tuple[str, ...]:
    if type(value) is str:
        return (value,)
    if not isinstance(value, list) or not value:
        raise NotCovered
    for name in value:
        if type(name) is not str:
            raise NotCovered
    return tuple(value)  # type: ignore[arg-type]


def _value_object(value: JsonObject) -> str:
    text, language = value["@value"], value.get("@language")
    if not isinstance(text, str) or value.keys() - {"@value", "@language"}:
        raise NotCovered
    if "@language" not in value:
        return f'"{escape(text)}"'
    if not isinstance(language, str) or not LANGUAGE.fullmatch(language):
        raise NotCovered
    return f'"{escape(text)}"@{language.lower()}'


def _number(value: JsonValue, term: Term) -> str:
    typed = term.datatype is not None
    if isinstance(value, bool):
        return f'"{"true" if value else "false"}"{term.suffix if typed else _BOOLEAN}'
    if not isinstance(value, int | float) or number_problem(value) is not None:
        raise NotCovered
    if isinstance(value, int) or value.is_integer():
        return f'"{int(value)}"{term.suffix if typed else _INTEGER}'
    mantissa, _, exponent = f"{value:.15E}".partition("E")
    whole, _, fraction = mantissa.partition(".")
    return f'"{whole}.{fraction.rstrip("0") or "0"}E{int(exponent)}"{term.suffix if typed else _DOUBLE}'
