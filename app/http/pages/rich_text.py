"""Markdown typed by campuses, turned into the few HTML elements a page may hold."""

from __future__ import annotations

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_ELEMENTS = {"p", "br", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a", "h3", "h4", "hr"}
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_parser = MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True}).disable(["image"])
# The page owns h1 and h2: whatever a campus calls a title comes below them.
_LEVELS = {"h1": "h3", "h2": "h3", "h3": "h4", "h5": "h4", "h6": "h4"}


@lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    """`text` as safe HTML: no image, no table, no raw HTML, links to http, https and mailto only (T26)."""
    tokens = _parser.parse(text)
    for token in tokens:
        token.tag = _LEVELS.get(token.tag, token.tag)
    html = _parser.renderer.render(tokens, _parser.options, {})
    cleaned = nh3.clean(
        html,
        tags=_ELEMENTS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    # Cleaned by the allow-list just above; nothing else in the face marks foreign text as safe.
    return Markup(cleaned)  # noqa: S704
