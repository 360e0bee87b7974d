"""Full-text search of framework items: FTS5 on SQLite, a GIN index on PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Uuid, bindparam, text
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.engine.queries import Store
from app.domain.frameworks import FrameworkTerm
from app.domain.frameworks.text_search import LONGEST_TERM, ROOT, SearchQuery, root_of, stem_of


class Match(NamedTuple):
    competency_id: uuid.UUID
    framework_id: uuid.UUID
    label_terms: str
    other_terms: str
    size: int


_SQLITE: Final = """
SELECT s.competency_id, s.framework_id, s.label_terms, s.other_terms, s.size FROM framework_search_index i
CROSS JOIN framework_search s ON s.number = i.rowid
WHERE framework_search_index MATCH :match AND s.framework_id IN :frameworks ORDER BY i.rowid LIMIT :limit
"""
_POSTGRES: Final = """
SELECT s.competency_id, s.framework_id, s.label_terms, s.other_terms, s.size FROM framework_search s
WHERE to_tsvector('simple', {terms}) @@ CAST(:match AS tsquery) AND s.framework_id IN :frameworks
ORDER BY s.number LIMIT :limit
"""
_LABELS, _ALL = "s.label_terms", "s.label_terms || ' ' || s.other_terms"


class FullTextIndex(Store):
    def find(
        self,
        query: SearchQuery,
        frameworks: Sequence[uuid.UUID],
        *,
        prefixes: bool,
        labels_only: bool,
        limit: int,
        every: bool = True,
    ) -> list[Match]:
        """Short labels first. With `prefixes`, terms that begin alike answer too; `every` term is required."""
        if not frameworks:
            return []
        connection = self.session.connection()
        is_postgres = connection.dialect.name == "postgresql"
        if is_postgres:
            # One index for each: with weights in one, each row found would be parsed again.
            query_text = _POSTGRES.format(terms=_LABELS if labels_only else _ALL)
            match = match_on_postgres(query.terms, prefixes=prefixes, labels_only=False, every=every)
        else:
            query_text = _SQLITE
            match = match_on_sqlite(query.terms, prefixes=prefixes, labels_only=labels_only, every=every)
        statement = text(query_text).bindparams(bindparam("frameworks", expanding=True, type_=Uuid()))
        rows = connection.execute(statement, {"match": match, "frameworks": list(frameworks), "limit": limit})
        return [Match(_uuid(one), _uuid(other), label, more, size) for one, other, label, more, size in rows]

    def is_known(self, term: str) -> bool:
        """Whether any label has a term that begins so."""
        return self.session.exec(self._from(term).limit(1)).first() is not None

    def similar(self, term: str) -> Sequence[str]:
        """Known terms of about the same length with the same first letter."""
        length = func.length(FrameworkTerm.term)
        near = length.between(len(term) - 2, len(term) + 2)
        return self.session.exec(self._from(term[0]).where(near)).all()

    @staticmethod
    def _from(begin: str) -> SelectOfScalar[str]:
        term = col(FrameworkTerm.term)
        return select(FrameworkTerm.term).where(term >= begin, term < begin + "\x7f")

    def learn(self, terms: Iterable[str]) -> None:
        """Adds to the vocabulary what it lacks."""
        wanted = sorted({term[:LONGEST_TERM] for term in terms})
        statement = text("INSERT INTO framework_term (term) VALUES (:term) ON CONFLICT DO NOTHING")
        for start in range(0, len(wanted), 5000):
            self.session.connection().execute(
                statement, [{"term": term} for term in wanted[start : start + 5000]]
            )


def _uuid(value: object) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


def _alternatives(term: str) -> list[str]:
    return list(dict.fromkeys((term, stem_of(term), ROOT + root_of(term))))


def match_on_sqlite(terms: Sequence[str], *, prefixes: bool, labels_only: bool, every: bool = True) -> str:
    """Terms are letters and digits alone: nothing in them is syntax."""
    groups = []
    for term in terms:
        exact = [f'"{each}"' for each in _alternatives(term)]
        if prefixes:
            exact.append(f'"{term}"*')
        groups.append(f"({' OR '.join(exact)})")
    match = (" AND " if every else " OR ").join(groups)
    return f"label_terms : ({match})" if labels_only else match


def match_on_postgres(terms: Sequence[str], *, prefixes: bool, labels_only: bool, every: bool = True) -> str:
    weight = "A" if labels_only else ""
    groups = []
    for term in terms:
        exact = [f"'{each}':{weight}" if weight else f"'{each}'" for each in _alternatives(term)]
        if prefixes:
            exact.append(f"'{term}':*{weight}")
        groups.append(f"({' | '.join(exact)})")
    return (" & " if every else " | ").join(groups)
