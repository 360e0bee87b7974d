"""A JSON-LD document as quads, through PyLD made strict: nothing is dropped, guessed or fetched.

PyLD on its own silently leaves undefined terms, nulls and relative IRIs out of the signed data (M1).
"""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from threading import RLock
from typing import Any, Final

from pyld import jsonld
from pyld.context_resolver import ContextResolver
from pyld.identifier_issuer import IdentifierIssuer

from sceau_credentials.canonical.rdfc import RDF, XSD, Quad, canonical_json, escape
from sceau_credentials.errors import CanonicalizationTooHard, MalformedInput, UnsafeDocument
from sceau_credentials.values import (
    JsonObject,
    JsonValue,
    allowed_context_array,
    context,
    is_absolute_iri,
    pointer_to,
)

# --- The contexts a document names, as PyLD processes them; computed once and cached

_MOST_KEPT: Final = 4_096  # a document may combine types as it likes


def context_array(document: JsonObject, pointer: str = "") -> tuple[str, ...]:
    """The contexts a document names; MalformedInput or UnsafeDocument where it may not name them."""
    named = document.get("@context")
    where = f"{pointer}/@context"
    if not isinstance(named, list):
        raise UnsafeDocument("inline_context" if isinstance(named, dict) else "context_not_allowed", where)
    for index, item in enumerate(named):
        if not isinstance(item, str):
            raise UnsafeDocument("inline_context", f"{where}/{index}")
    if not allowed_context_array(named):
        raise UnsafeDocument("context_not_allowed", where)
    return tuple(str(url) for url in named)


class PinnedContexts:
    """The contexts of one array and all that they scope."""

    def __init__(self) -> None:
        self.kept: dict[Any, tuple[Any, Any, Any]] = {}
        self.lock = RLock()
        self.options: dict[str, Any] = {
            "base": None,  # a default base would sign undefined types as http://example.org/base/…
            "processingMode": "json-ld-1.1",
            "documentLoader": _load_pinned,
            "contextResolver": ContextResolver({}, _load_pinned),
            "isFrame": False,
            "keepFreeFloatingNodes": False,
            "produceGeneralizedRdf": False,
        }


@lru_cache(maxsize=32)
def pinned_contexts(_urls: tuple[str, ...]) -> PinnedContexts:
    """One per array, so that one array's entries cannot evict another's."""
    return PinnedContexts()


class ContextProcessor(jsonld.JsonLdProcessor):  # type: ignore[misc]
    """PyLD with a cache: on its own it processes every type-scoped context again for every node."""

    def __init__(self, contexts: PinnedContexts) -> None:
        super().__init__()
        self.contexts = contexts

    def initial_context(self) -> Any:
        return self._get_initial_context(self.contexts.options)

    def process(self, active_ctx: Any, local_ctx: Any, **how: Any) -> Any:
        """The active context that results from applying a local one to another."""
        return self._process_context(active_ctx, local_ctx, self.contexts.options, **how)

    def _process_context(self, active_ctx: Any, local_ctx: Any, options: Any, **how: Any) -> Any:
        named = tuple(local_ctx) if isinstance(local_ctx, list) else id(local_ctx)
        key = (id(active_ctx), named, how.get("override_protected"), how.get("propagate", True))
        entry = self.contexts.kept.get(key)
        if entry is None:
            with self.contexts.lock:
                processed = super()._process_context(active_ctx, local_ctx, options, **how)
                if len(self.contexts.kept) >= _MOST_KEPT:
                    self.contexts.kept.clear()
                # The cached entry references its inputs, so that their ids are not reused.
                entry = self.contexts.kept[key] = (active_ctx, local_ctx, processed)
        return entry[2]


def _load_pinned(url: str, _options: object = None) -> dict[str, Any]:
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": deepcopy(context(url)),  # PyLD mutates its input
        "tag": "static",
    }


# --- expansion

MAX_DEPTH: Final = 64
MAX_OBJECTS: Final = 2_000  # T13: each costs PyLD a third of a millisecond
MAX_INTEGER: Final = 2**53 - 1  # beyond it engines print different digits
MIN_FRACTION: Final = 1e-6  # below it engines disagree on the exponent form

LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_MAY_HOLD_CONTEXT: Final = frozenset({"endorsement", "proof", "verifiableCredential"})
_MAPS: Final = frozenset({"@index", "@language", "@id", "@type"})
_XSD_STRING: Final = f"{XSD}string"
_LANG_STRING: Final = f"{RDF}langString"


def quads_of(document: JsonObject) -> list[Quad]:
    """The quads of this document; UnsafeDocument when they would not cover all of it.

    CanonicalizationTooHard for more objects than the work limit allows.
    """
    return _read(document)[0]


def node_pointers(document: JsonObject) -> frozenset[str]:
    """The JSON pointers of the objects that statements are about: neither values nor JSON literals."""
    return _read(document)[1]


def _read(document: JsonObject) -> tuple[list[Quad], frozenset[str]]:
    contexts = context_array(document)
    strict = _Strict(pinned_contexts(contexts), _pointers_of(document))
    try:
        return strict.quads(document), frozenset(strict.nodes)
    except jsonld.JsonLdError as error:
        raise UnsafeDocument("invalid_json_ld", strict.pointer, _innermost(error)) from None


def number_problem(number: int | float) -> str | None:
    """Why this number may not be signed: engines would write other digits, or leave some out."""
    size = abs(number)
    if not size <= MAX_INTEGER or 0 < size < MIN_FRACTION:
        return "number_out_of_range"
    if isinstance(number, float) and float(f"{number:.15E}") != number:  # the canonical form has 16 digits
        return "number_not_exact"
    return None


def _pointers_of(document: JsonObject) -> dict[int, str]:
    """The JSON pointer of each object, by identity; checks depth and nested contexts on the way."""
    pointers: dict[int, str] = {}

    def visit(value: JsonValue, pointer: str, member: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise UnsafeDocument("too_deep", pointer)
        if isinstance(value, dict):
            pointers[id(value)] = pointer
            if len(pointers) > MAX_OBJECTS:
                raise CanonicalizationTooHard("more objects than the work limit allows")
            if depth and "@context" in value:
                if member not in _MAY_HOLD_CONTEXT:
                    raise UnsafeDocument("inline_context", f"{pointer}/@context")
                context_array(value, pointer)
            for name, item in value.items():
                if name != "@context":
                    visit(item, pointer + pointer_to(name), name, depth + 1)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                visit(item, f"{pointer}/{index}", member, depth + 1)

    visit(document, "", "", 0)
    return pointers


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    code = getattr(error, "code", None)
    return str(code or error.args[0] if error.args else error)[:200]


class _Strict(ContextProcessor):
    """One expansion of one document."""

    def __init__(self, contexts: PinnedContexts, pointers: dict[int, str]) -> None:
        super().__init__(contexts)
        self._pointers = pointers
        self._path: list[str] = []
        self._nested: list[tuple[str, str | None, frozenset[str]]] = []
        self.nodes: list[str] = []

    @property
    def pointer(self) -> str:
        return self._path[-1] if self._path else ""

    def quads(self, document: JsonObject) -> list[Quad]:
        options = self.contexts.options
        expanded = self._expand(self._get_initial_context(options), None, document, options)
        if not expanded:
            raise UnsafeDocument("dropped_value")
        self._check_root_is_whole()
        graphs: dict[str, Any] = {"@default": {}}
        issuer = IdentifierIssuer("_:b")
        self._create_node_map(self.arrayify(expanded), graphs, "@default", issuer)
        return [
            _quad(triple, "" if name == "@default" else name)
            for name, graph in sorted(graphs.items())
            for triple in self._graph_to_rdf(graph, issuer, options)
        ]

    def _check_root_is_whole(self) -> None:
        """Reject a nested object that has the root's id and type.

        The signed data would be the same, but a reader of the JSON would not see a status or an end date
        there.
        """
        *nested, (_, root_id, root_types) = self._nested
        for pointer, node_id, types in nested:
            if node_id is not None and node_id == root_id and types & root_types:
                raise UnsafeDocument("split_node", pointer)

    def _expand_object(
        self, active_ctx: Any, active_property: Any, expanded_active_property: Any, element: Any,
        expanded_parent: Any, options: Any, *rest: Any, **more: Any,
    ) -> None:  # fmt: skip
        pointer = self._pointers[id(element)]
        self._path.append(pointer)
        self._check_members(active_ctx, element, pointer)
        super()._expand_object(
            active_ctx,
            active_property,
            expanded_active_property,
            element,
            expanded_parent,
            options,
            *rest,
            **more,
        )
        node_id = expanded_parent.get("@id")
        if "@id" in expanded_parent and not _is_absolute(node_id):
            raise UnsafeDocument(_why_not_absolute(node_id), f"{pointer}/id")
        types = self.arrayify(expanded_parent.get("@type", []))
        for type_ in types:
            if not _is_absolute(type_):
                raise UnsafeDocument("undefined_type", f"{pointer}/type", str(type_))
        self._nested.append((pointer, node_id, frozenset(types)))
        if "@value" not in expanded_parent:
            self.nodes.append(pointer)
        self._path.pop()

    def _check_members(self, active_ctx: Any, element: JsonObject, pointer: str) -> None:
        if "@value" in element or "@language" in element:
            _check_value_object(element, pointer)
            return
        seen: set[str] = set()
        for name, value in element.items():
            if name == "@context":
                continue
            where = pointer + pointer_to(name)
            mapping = _mapping_of(active_ctx, name, where)
            iri = mapping["@id"]
            if iri in seen:
                raise UnsafeDocument("colliding_terms", where)
            seen.add(iri)
            if "@graph" in (mapping.get("@container") or ()):
                _check_graph_says_something(value, where)
            if mapping.get("@type") == "@json":
                _check_json_literal(value, where)
            else:
                _check_no_gap(value, where)

    def _expand_value(self, active_ctx: Any, active_property: Any, value: Any, options: Any) -> Any:
        where = self.pointer + pointer_to(active_property)
        if isinstance(value, int | float) and not isinstance(value, bool):
            problem = number_problem(value)  # first: PyLD makes floats of integers, and not all fit
            if problem is not None:
                raise UnsafeDocument(problem, where)
        expanded = super()._expand_value(active_ctx, active_property, value, options)
        if isinstance(expanded, dict) and "@id" in expanded and not _is_absolute(expanded["@id"]):
            raise UnsafeDocument(_why_not_absolute(expanded["@id"]), where)
        return expanded


def _mapping_of(active_ctx: Any, name: str, where: str) -> dict[str, Any]:
    """The active context's definition of a member name.

    Only terms: the same property spelt as a full or compact IRI would be signed alike but be invisible to a
    reader of the JSON (an end date, a status).
    """
    if name.startswith("@"):
        raise UnsafeDocument("keyword_not_allowed", where)
    mapping = active_ctx["mappings"].get(name)
    if mapping is None or mapping.get("@id") is None:
        if name in active_ctx["mappings"] or "@vocab" not in active_ctx or ":" in name:
            raise UnsafeDocument("undefined_term", where)
        return {"@id": active_ctx["@vocab"] + name}
    iri = mapping["@id"]
    if iri.startswith("@") and iri not in ("@id", "@type"):
        raise UnsafeDocument("keyword_not_allowed", where)
    if mapping.get("reverse") or _MAPS & set(mapping.get("@container") or ()):
        raise UnsafeDocument("container_not_supported", where)
    known: dict[str, Any] = mapping
    return known


def _check_value_object(element: JsonObject, pointer: str) -> None:
    """Text, with a language or without; every other value object has a plain JSON equivalent (J-002)."""
    if not isinstance(element.get("@value"), str):
        raise UnsafeDocument("value_object_not_allowed", pointer)
    if element.keys() - {"@value", "@language"}:
        raise UnsafeDocument("value_object_not_allowed", pointer)
    language = element.get("@language", "und")
    if not isinstance(language, str) or not LANGUAGE.fullmatch(language):
        raise UnsafeDocument("invalid_language", f"{pointer}/@language")


def _check_json_literal(value: JsonValue, where: str) -> None:
    try:
        canonical_json(value)
    except MalformedInput:
        raise UnsafeDocument("json_literal", where) from None


def _check_graph_says_something(value: JsonValue, where: str) -> None:
    """A string, a number or a bare identifier where a proof belongs makes an empty graph: none of it is
    signed.
    """
    for item in value if isinstance(value, list) else [value]:
        says = isinstance(item, dict) and "@value" not in item and item.keys() - {"id", "@context"}
        if item is not None and not says:
            raise UnsafeDocument("dropped_value", where)


def _check_no_gap(value: JsonValue, where: str) -> None:
    if value is None:
        raise UnsafeDocument("null_value", where)
    if isinstance(value, list):
        for index, item in enumerate(value):
            if item is None:
                raise UnsafeDocument("null_value", f"{where}/{index}")
            if isinstance(item, list):
                raise UnsafeDocument("nested_array", f"{where}/{index}")


def _is_absolute(iri: object) -> bool:
    """PyLD returns None for anything shaped like a keyword ("@any")."""
    return isinstance(iri, str) and is_absolute_iri(iri)


def _why_not_absolute(iri: object) -> str:
    if isinstance(iri, str) and iri.startswith("_:"):
        return "blank_node_identifier"
    return "relative_iri"


def _quad(triple: dict[str, Any], graph: str) -> Quad:
    return (
        _term(triple["subject"]),
        f"<{triple['predicate']['value']}>",
        _term(triple["object"]),
        graph if not graph or graph.startswith("_:") else f"<{graph}>",
    )


def _term(term: dict[str, Any]) -> str:
    value: str = term["value"]
    if term["type"] == "blank node":
        return value
    if term["type"] == "IRI":
        return f"<{value}>"
    text = f'"{escape(value)}"'
    if term["datatype"] == _LANG_STRING:
        return f"{text}@{term['language']}"
    if term["datatype"] == _XSD_STRING:
        return text
    return f"{text}^^<{term['datatype']}>"
