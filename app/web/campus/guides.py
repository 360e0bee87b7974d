"""Guides for trainers and administrators: one Markdown source for the page, the PDF and the documentation site."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from app.domain.core import plain_text
from app.errors import NotFound
from app.http.pages.render import page
from app.http.request_scope import ReadingServices, public
from app.language import BRIDGE_LOCALE, current_locale, french, known_locales

FOLDER: Final = Path(__file__).parents[1] / "templates" / "campus" / "guides"
GUIDES: Final = ("formation", "administration")
LANGUAGES: Final = tuple(
    code for code in known_locales() if all((FOLDER / f"{name}.{code}.md").is_file() for name in GUIDES)
)
_parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink"])
router = APIRouter(prefix="/aide", include_in_schema=False)


@dataclass(frozen=True)
class Guide:
    language: str
    title: str
    body: Markup
    contents: Sequence[tuple[str, str]]
    """(anchor, title) of each part."""
    blocks: Sequence[dict[str, Any]]
    """For the PDF."""


def source_of(name: str, language: str) -> str:
    return (FOLDER / f"{name}.{language}.md").read_text("utf-8")


@lru_cache
def guide(name: str, language: str) -> Guide:
    source = source_of(name, language)
    tokens = _parser.parse(french(source) if language == "fr" else source)
    contents: list[tuple[str, str]] = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag == "h2":
            contents.append((_anchor(inline.content), inline.content))
            opening.attrSet("id", contents[-1][0])
    title = tokens[1].content
    body = _parser.renderer.render(tokens[3:], _parser.options, {})
    # Our own text, without raw HTML, links or images.
    return Guide(language, title, Markup(body), contents, list(_blocks(tokens[3:])))  # noqa: S704


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", plain_text(title)).strip("-")


def _blocks(tokens: Sequence[Token]) -> Iterator[dict[str, Any]]:
    """Headings, paragraphs, lists and tables, with spans of (text, is bold)."""
    whole: dict[str, Any] | None = None
    level = 0
    for token in tokens:
        match token.type:
            case "heading_open":
                level = int(token.tag[1])
            case "bullet_list_open" | "ordered_list_open":
                whole = {"kind": token.type.removesuffix("_list_open"), "cells": []}
            case "table_open":
                whole = {"kind": "table", "columns": 0, "cells": []}
            case "th_open" if whole is not None:
                whole["columns"] += 1
            case "bullet_list_close" | "ordered_list_close" | "table_close" if whole is not None:
                yield whole
                whole = None
            case "inline":
                spans = list(_spans(token.children or ()))
                if whole is not None:
                    whole["cells"].append(spans)
                else:
                    yield {"kind": "text", "level": level, "spans": spans}
                level = 0


def _spans(tokens: Sequence[Token]) -> Iterator[tuple[str, bool]]:
    bold = False
    for token in tokens:
        if token.type in ("strong_open", "strong_close"):
            bold = token.type == "strong_open"
        elif token.type == "softbreak":
            yield " ", bold
        elif token.content:
            yield token.content, bold


@router.get("/{name}.pdf")
@public
def guide_as_pdf(name: str, services: ReadingServices) -> Response:
    found, language = _found(name), _language()
    published = services.papers.guide(
        {"title": found.title, "author": "Sceau", "lang": language, "blocks": found.blocks}
    )
    headers = {"Content-Disposition": f'inline; filename="sceau-{name}-{language}.pdf"'}
    return Response(published.body, media_type=published.media_type, headers=headers)


@router.get("/{name}")
@public
def show_guide(name: str, request: Request) -> HTMLResponse:
    return page(request, "campus/info/guide.html", guide=_found(name), name=name)


def _found(name: str) -> Guide:
    if name not in GUIDES:
        raise NotFound("Ce guide n’existe pas.")
    return guide(name, _language())


def _language() -> str:
    return language if (language := current_locale()) in LANGUAGES else BRIDGE_LOCALE
