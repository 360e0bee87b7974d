"""The pinned contexts as flat tables: at each position in a document, what each member name means."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from pyld.jsonld import JsonLdError

from sceau_credentials.canonical.contexts import ContextProcessor, pinned_contexts
from sceau_credentials.canonical.rdfc import XSD
from sceau_credentials.values.vocabulary import context, is_absolute_iri

_MOST_COMBINATIONS: Final = 256  # of types on one object: a document may combine them freely
_PLAIN_CONTAINERS: Final = frozenset({"@set", "@list"})


class NotCovered(Exception):
    """The tables, or a template, do not cover this document. Not an error in it: call `canonical_bytes`
    instead.
    """


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
