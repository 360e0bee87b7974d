"""The compiled way: a document walked through the tables of its contexts, straight to quads.

It knows one thing to do with whatever it was not made for: raise NotCovered, and let `expansion` decide. It is
made for documents that
- name only allowed contexts, at the root, none of which defines every word;
- use terms of those contexts alone, spelt as terms, with absolute IRIs that cannot be compact ones;
- hold text (with or without a language), booleans, ordinary numbers, objects, and plain arrays of these;
- call their parts `id` and `type`, and describe the root once.
No proof or endorsement inside, no JSON literal, no map, no null.
"""

from __future__ import annotations

from typing import Final

from app.credentials.canonical.contexts import context_array
from app.credentials.canonical.expansion import LANGUAGE, MAX_DEPTH, number_problem
from app.credentials.canonical.rdfc import RDF, XSD, Quad, escape
from app.credentials.canonical.tables import NotCovered, Reads, Table, Term, root_table, suffix_of
from app.credentials.errors import UnsafeDocument
from app.credentials.iris import is_absolute_iri
from app.credentials.json_text import JsonObject, JsonValue

_TYPE: Final = f"<{RDF}type>"
_FIRST: Final = f"<{RDF}first>"
_REST: Final = f"<{RDF}rest>"
_NIL: Final = f"<{RDF}nil>"
_BOOLEAN: Final = suffix_of(f"{XSD}boolean")
_INTEGER: Final = suffix_of(f"{XSD}integer")
_DOUBLE: Final = suffix_of(f"{XSD}double")


def quads_of(document: JsonObject) -> list[Quad]:
    """The quads of this document, or NotCovered."""
    try:
        table = root_table(context_array(document))
    except UnsafeDocument:
        raise NotCovered from None
    walk = _Walk(document.get("id"), table.prefixes)
    walk.node(document, table, 0)
    if not walk.quads:
        raise NotCovered
    return walk.quads


class _Walk:
    def __init__(self, root_id: JsonValue, prefixes: frozenset[str]) -> None:
        self.quads: list[Quad] = []
        self._root_id = root_id
        self._prefixes = prefixes
        self._blank_nodes = 0

    def node(self, element: JsonObject, place: Table, depth: int) -> str:
        """Write the quads of an object; answers how others refer to it."""
        if depth > MAX_DEPTH:
            raise NotCovered
        quads = self.quads
        subject = self._subject(element, depth)
        table = place
        if "type" in element:
            types = _types(element["type"])
            quads += [(subject, _TYPE, place.type_iri(name), "") for name in types]
            table = place.typed(types)
        for name, value in element.items():
            if name == "id" or name == "type" or (depth == 0 and name == "@context"):
                continue
            term = table[name]
            if term.twins and not term.twins.isdisjoint(element):
                raise NotCovered
            predicate = term.predicate
            if type(value) is str and term.is_plain:
                quads.append((subject, predicate, f'"{escape(value)}"{term.suffix}', ""))
            elif term.is_list:
                quads.append((subject, predicate, self._list(value, name, term, depth), ""))
            elif type(value) is list:
                for item in value:
                    quads.append((subject, predicate, self._object(item, name, term, depth), ""))
            else:
                quads.append((subject, predicate, self._object(value, name, term, depth), ""))
        return subject

    def _subject(self, element: JsonObject, depth: int) -> str:
        if "id" not in element:
            return self._blank_node()
        node_id = element["id"]
        if type(node_id) is not str or (depth and node_id == self._root_id and len(element) > 1):
            raise NotCovered
        return self._iri(node_id)

    def _object(self, value: JsonValue, name: str, term: Term, depth: int) -> str:
        kind = type(value)
        if kind is str:
            return self._text(value, term)  # type: ignore[arg-type]
        if kind is dict:
            if "@value" in value:  # type: ignore[operator]
                return _value_object(value)  # type: ignore[arg-type]
            return self.node(value, term.place(name), depth + 1)  # type: ignore[arg-type]
        if term.reads is not Reads.LITERAL:
            raise NotCovered
        return _number(value, term)

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
            self.quads += [(cell, _FIRST, object_, ""), (cell, _REST, rest, "")]
            rest = cell
        return rest

    def _iri(self, text: str) -> str:
        if text.partition(":")[0] in self._prefixes or not is_absolute_iri(text):
            raise NotCovered
        return f"<{text}>"

    def _blank_node(self) -> str:
        self._blank_nodes += 1
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
