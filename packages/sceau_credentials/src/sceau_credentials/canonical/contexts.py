"""The contexts a document names, as PyLD processes them; computed once and cached."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from threading import RLock
from typing import Any, Final

from pyld import jsonld
from pyld.context_resolver import ContextResolver

from sceau_credentials.errors import UnsafeDocument
from sceau_credentials.values.json_text import JsonObject
from sceau_credentials.values.vocabulary import allowed_context_array, context

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
