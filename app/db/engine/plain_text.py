"""Text without case and accents, inside queries: one function on both engines, and nothing kept beside the text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, String, and_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.domain.core.plain_text import COMBINING, LIGATURES


class plain(FunctionElement[str]):
    """`app.domain.core.plain_text.plain_text` of a column."""

    type = String()
    inherit_cache = True
    name = "plain_text"


@compiles(plain, "postgresql")
def _on_postgresql(element: plain, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    decomposed = f"normalize(lower({compiler.process(text, **options)}), NFKD)"
    bare = f"regexp_replace({decomposed}, '[{COMBINING[0]}-{COMBINING[1]}]', '', 'g')"
    return reduce(lambda told, pair: f"replace({told}, '{pair[0]}', '{pair[1]}')", LIGATURES, bare)


@compiles(plain, "sqlite")
def _on_sqlite(element: plain, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    return f"plain_text({compiler.process(text, **options)})"


def holds_all(text: ColumnElement[str], words: Sequence[str]) -> ColumnElement[bool]:
    """Whether `text` holds every one of `words`, which are plain already."""
    if not words:
        return true()
    told = plain(text)
    return and_(*(told.contains(word, autoescape=True) for word in words))
