"""Badges signed while `context-3.0.3.json` had an earlier content: two words were not in it yet (A-017, X-13).

Its contents of April and November 2025 differ from today's by these words alone. What was signed under them
did not cover what those words hold, so that the rest must verify without it, and only the rest is the badge.
"""

from __future__ import annotations

from typing import Final

from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.values.vocabulary import CONTEXT_OB_3_0_3

ADDED_WORDS: Final = (frozenset({"endorsementJwt"}), frozenset({"endorsementJwt", "jti"}))
"""By content, the newest first."""


def may_be_older(claims: JsonObject) -> bool:
    contexts = claims.get("@context")
    return isinstance(contexts, list) and CONTEXT_OB_3_0_3 in contexts and _is_rdfc(claims.get("proof"))


def _is_rdfc(proof: JsonValue) -> bool:
    """Only where words are looked up in the contexts; a signature over the JSON itself covers every word."""
    proofs = proof if isinstance(proof, list) else [proof]
    return all(isinstance(each, dict) and "-jcs-" not in str(each.get("cryptosuite")) for each in proofs)


def without_words(value: JsonObject, words: frozenset[str]) -> JsonObject:
    """The document as those who did not know these words signed it; the same object when it has none of them."""
    stripped = _without(value, words)
    assert isinstance(stripped, dict)
    return stripped


def _without(value: JsonValue, words: frozenset[str]) -> JsonValue:
    if isinstance(value, dict):
        kept = {name: _without(item, words) for name, item in value.items() if name not in words}
        return value if len(kept) == len(value) and all(kept[n] is value[n] for n in kept) else kept
    if isinstance(value, list):
        items = [_without(item, words) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value
