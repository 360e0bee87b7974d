"""Lints on the document as a whole: vocabularies, types, identifiers, size, what a signature covers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sceau_credentials.errors import CanonicalizationTooHard, MalformedInput
from sceau_credentials.issuing.draft import Draft, Part, Text
from sceau_credentials.model.conforming import reads_back
from sceau_credentials.values.json_text import dump_json, parse_json
from sceau_credentials.values.vocabulary import (
    CONTEXT_EXTENSIONS,
    CONTEXT_OB_3_0_3,
    CONTEXT_V2,
    known_schema_urls,
)

Lint = Callable[[Draft], str | None]

_MAX_DEPTH: Final = 16
_MAX_CHARACTERS: Final = 48 * 1024  # a token, in base64 and UTF-8, has to stay below 64 KiB (M4)
_MAX_BLANK_NODES: Final = 64
_MAX_QUADS: Final = 2_000
_MAX_EXACT: Final = 2**53 - 1
_REGISTERED: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "vc", "vp"})
_RANDOM_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_EXTENSION_TYPES: Final = frozenset(
    {"1EdTechJsonSchemaValidator2019", "1EdTechRevocationList", "1EdTechCredentialRefresh"}
)
_BLANK_NODE: Final = re.compile(r"_:c14n\d+")
_RETIRED: Final = "1EdTechRevocationList"
_TYPE: Final = frozenset({"type"})
_CONTEXT: Final = frozenset({"@context"})


def vocabularies_are_the_current_ones(draft: Draft) -> str | None:
    expected: list[object] = [CONTEXT_V2, CONTEXT_OB_3_0_3]
    if draft.first(_extension_types) is not None:
        expected.append(CONTEXT_EXTENSIONS)
    return None if draft.document.get("@context") == expected else "@context"


def _extension_types(part: Part) -> list[Text]:
    return [text for text in part.named(_TYPE) if text.value in _EXTENSION_TYPES]


def no_vocabulary_inside(draft: Draft) -> str | None:
    return draft.first(_inner_contexts)


def _inner_contexts(part: Part) -> list[Text]:
    return [text for text in part.named(_CONTEXT) if not text.pointer.startswith("/@context/")]


def no_json_ld_keyword(draft: Draft) -> str | None:
    keywords = [name for name in draft.names if name[:1] == "@" and name != "@context"]
    return min(keywords) if keywords else None


def types_are_those_of_a_badge(draft: Draft) -> str | None:
    types = draft.document.get("type")
    return None if types == ["VerifiableCredential", "OpenBadgeCredential"] else "/type"


def id_is_unguessable(draft: Draft) -> str | None:
    return None if _RANDOM_UUID.search(str(draft.document.get("id"))) else "/id"


def not_signed_before(draft: Draft) -> str | None:
    return "/proof" if "proof" in draft.document else None


def no_token_claim_among_the_members(draft: Draft) -> str | None:
    taken = sorted(_REGISTERED & draft.document.keys())  # B-012
    return taken[0] if taken else None


def nothing_is_empty(draft: Draft) -> str | None:
    return draft.hollow[0] if draft.hollow else None


def depth_is_moderate(draft: Draft) -> str | None:
    return None if draft.depth <= _MAX_DEPTH else str(draft.depth)


def size_is_moderate(draft: Draft) -> str | None:
    size = draft.length + sum(map(len, draft.names))
    return None if size <= _MAX_CHARACTERS else str(size)


def numbers_are_exact_everywhere(draft: Draft) -> str | None:
    """Engines disagree about integers beyond 2^53 and about numbers they print with an exponent."""
    odd = [n for n in draft.numbers if abs(n) > _MAX_EXACT or (n != 0 and abs(n) < 1e-6)]
    return str(odd[0]) if odd else None


def json_reads_back_the_same(draft: Draft) -> str | None:
    try:
        return None if parse_json(dump_json(draft.document)) == draft.document else "differs"
    except MalformedInput as error:
        return error.reason


def model_reads_it_back(draft: Draft) -> str | None:
    try:
        return None if reads_back(draft.document) else "differs"
    except MalformedInput as error:
        return f"{error.reason} {error.pointer}"


def every_word_is_signed(draft: Draft) -> str | None:
    """Undefined terms, relative identifiers and dropped values would stay outside the signature (B-040)."""
    try:
        return None if draft.nquads else "nothing to sign"
    except (MalformedInput, CanonicalizationTooHard) as error:
        return str(error)


def engines_sort_it_alike(draft: Draft) -> str | None:
    """JavaScript sorts by units of UTF-16, RDFC-1.0 by code points: characters beyond U+FFFF may come out otherwise."""
    try:
        nquads = draft.nquads
    except (MalformedInput, CanonicalizationTooHard):
        return None
    if len(nquads.encode("utf-16-be")) == 2 * len(nquads):
        return None
    statements = nquads.removesuffix("\n").split("\n")
    by_units = sorted(statements, key=lambda statement: statement.encode("utf-16-be"))
    return next((one for one, other in zip(statements, by_units, strict=True) if one != other), None)


def graph_is_small(draft: Draft) -> str | None:
    try:
        quads = draft.nquads
    except (MalformedInput, CanonicalizationTooHard):
        return None
    if quads.count("\n") > _MAX_QUADS:
        return "statements"
    if quads.count("_:c14n") <= _MAX_BLANK_NODES:
        return None
    return None if len(set(_BLANK_NODE.findall(quads))) <= _MAX_BLANK_NODES else "blank nodes"


def schemas_are_held(draft: Draft) -> str | None:
    named = [str(entry.get("id")) for entry in draft.objects(draft.document, "credentialSchema")]
    unknown = [url for url in named if url not in known_schema_urls()]
    return unknown[0] if unknown else None


def no_retired_way_of_withdrawing(draft: Draft) -> str | None:
    """The unsigned list of 1EdTech is read by others but never written here (D-024)."""
    return draft.first(_retired_ways)


def _retired_ways(part: Part) -> list[Text]:
    if _RETIRED not in part.joined:
        return []
    return [text for text in part.texts if text.value == _RETIRED]


LINTS: Final[tuple[Lint, ...]] = (
    vocabularies_are_the_current_ones,
    no_vocabulary_inside,
    no_json_ld_keyword,
    types_are_those_of_a_badge,
    id_is_unguessable,
    not_signed_before,
    no_token_claim_among_the_members,
    nothing_is_empty,
    depth_is_moderate,
    size_is_moderate,
    numbers_are_exact_everywhere,
    json_reads_back_the_same,
    model_reads_it_back,
    every_word_is_signed,
    engines_sort_it_alike,
    graph_is_small,
    schemas_are_held,
    no_retired_way_of_withdrawing,
)
