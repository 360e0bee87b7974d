"""Frameworks of networks and of everybody, in releases, with associations, synonyms and a search index."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from alembic import op
from app.domain.frameworks import search_number
from app.domain.frameworks.text_search import terms_of

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

_EMPTY, _NO_LIST, _NO_MAP = sa.text("''"), sa.text("'[]'"), sa.text("'{}'")
_SEARCHED = "(setweight(to_tsvector('simple', label_terms), 'A') || setweight(to_tsvector('simple', other_terms), 'B'))"
_FULL_TEXT = (
    "CREATE VIRTUAL TABLE framework_search_index USING fts5(label_terms, other_terms, "
    "content='framework_search', content_rowid='number', tokenize='ascii', prefix='3')",
    "CREATE TRIGGER framework_search_added AFTER INSERT ON framework_search BEGIN INSERT INTO "
    "framework_search_index(rowid, label_terms, other_terms) "
    "VALUES (new.number, new.label_terms, new.other_terms); END",
    "CREATE TRIGGER framework_search_removed AFTER DELETE ON framework_search BEGIN INSERT INTO "
    "framework_search_index(framework_search_index, rowid, label_terms, other_terms) "
    "VALUES ('delete', old.number, old.label_terms, old.other_terms); END",
    "CREATE TRIGGER framework_search_changed AFTER UPDATE ON framework_search BEGIN INSERT INTO "
    "framework_search_index(framework_search_index, rowid, label_terms, other_terms) "
    "VALUES ('delete', old.number, old.label_terms, old.other_terms); INSERT INTO "
    "framework_search_index(rowid, label_terms, other_terms) "
    "VALUES (new.number, new.label_terms, new.other_terms); END",
)
_WIDER = (("framework", "campus_id CHAR(32) NOT NULL", "campus_id CHAR(32)"),
    ("competency", "code VARCHAR(60) NOT NULL", "code VARCHAR(300) NOT NULL"),
    ("competency", "statement VARCHAR(500) NOT NULL", "statement VARCHAR(2000) NOT NULL"))  # fmt: skip


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        _redeclare(_WIDER)
        _add_reference("framework", "network_id", "network")
        _add_reference("competency", "parent_id", "competency")
    else:
        op.alter_column("framework", "campus_id", nullable=True)
        op.alter_column("competency", "code", type_=sa.String(300))
        op.alter_column("competency", "statement", type_=sa.String(2000))
        op.add_column("framework", sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id")))
        op.add_column("competency", sa.Column("parent_id", sa.Uuid(), sa.ForeignKey("competency.id")))
    op.create_index("ix_framework_network_id", "framework", ["network_id"])
    op.create_index("ix_competency_parent_id", "competency", ["parent_id"])
    for name, length in (("identifier", 600), ("publisher", 200), ("licence", 300), ("source", 600), ("version", 60)):  # fmt: skip
        op.add_column("framework", sa.Column(name, sa.String(length), nullable=False, server_default=_EMPTY))
    op.add_column("framework", sa.Column("language", sa.String(12), nullable=False, server_default="fr"))
    op.add_column("framework", sa.Column("published_on", sa.Date(), nullable=True))
    op.add_column("framework", sa.Column("levels", sa.JSON(), nullable=False, server_default=_NO_LIST))
    op.add_column("framework", sa.Column("extra", sa.JSON(), nullable=False, server_default=_NO_MAP))
    shared = sa.text("campus_id IS NULL")
    op.create_index(
        "one_shared_framework_per_code",
        "framework",
        ["code"],
        unique=True,
        sqlite_where=shared,
        postgresql_where=shared,
    )
    for column in (
        sa.Column("kind", sa.String(40), nullable=False, server_default="competency"),
        sa.Column("identifier", sa.String(600), nullable=False, server_default=_EMPTY),
        sa.Column("position", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("description", sa.Text(), nullable=False, server_default=_EMPTY),
        sa.Column("other_labels", sa.JSON(), nullable=False, server_default=_NO_LIST),
        sa.Column("rubric", sa.JSON(), nullable=False, server_default=_NO_LIST),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("extra", sa.JSON(), nullable=False, server_default=_NO_MAP),
    ):
        op.add_column("competency", column)
    _create_tables()
    if is_sqlite:
        for statement in _FULL_TEXT:
            op.execute(statement)
    else:
        op.execute(f"CREATE INDEX framework_search_index_terms ON framework_search USING gin ({_SEARCHED})")
    _index_what_is_there()


def _create_tables() -> None:
    def competency(name: str, *, nullable: bool = False) -> sa.Column[uuid.UUID]:
        return sa.Column(name, sa.Uuid(), sa.ForeignKey("competency.id"), nullable=nullable, index=True)

    def framework() -> sa.Column[uuid.UUID]:
        return sa.Column("framework_id", sa.Uuid(), sa.ForeignKey("framework.id"), nullable=False, index=True)

    op.create_table(
        "framework_association",
        sa.Column("id", sa.Uuid(), primary_key=True),
        framework(),
        competency("origin_id", nullable=True),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("target", sa.String(600), nullable=False),
        sa.Column("identifier", sa.String(600), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.UniqueConstraint("origin_id", "kind", "target", name="one_association_of_a_kind"),
    )
    op.create_index("associations_by_target", "framework_association", ["target"])
    op.create_table(
        "framework_release",
        sa.Column("id", sa.Uuid(), primary_key=True),
        framework(),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(60), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.UniqueConstraint("framework_id", "number", name="one_release_per_number"),
    )
    op.create_table(
        "competency_version",
        sa.Column(
            "competency_id", sa.Uuid(), sa.ForeignKey("competency.id"), primary_key=True, nullable=False
        ),
        sa.Column("number", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.String(60), nullable=False),
        sa.Column("change", sa.String(20), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
    )
    op.create_table(
        "competency_synonym",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        competency("competency_id"),
        sa.Column("label", sa.String(120), nullable=False),
        sa.UniqueConstraint("campus_id", "competency_id", "label", name="one_synonym_per_label"),
    )
    op.create_table(
        "framework_search",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("competency_id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("framework_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("label_terms", sa.Text(), nullable=False),
        sa.Column("other_terms", sa.Text(), nullable=False),
    )
    op.create_table("framework_term", sa.Column("term", sa.String(40), primary_key=True))


def _index_what_is_there() -> None:
    """Enters the competencies that campuses wrote before."""
    connection = op.get_bind()
    competency = sa.table(
        "competency",
        sa.column("id", sa.Uuid()),
        sa.column("framework_id", sa.Uuid()),
        sa.column("code", sa.String()),
        sa.column("statement", sa.String()),
    )
    entries, vocabulary = [], set[str]()
    for number, framework_id, code, statement in connection.execute(sa.select(*competency.c)):
        terms = terms_of(statement, code)
        vocabulary |= terms.vocabulary
        entries.append(
            {
                "number": search_number(terms.size, number),
                "competency_id": number,
                "framework_id": framework_id,
                "label_terms": terms.label,
                "other_terms": terms.other,
                "size": terms.size,
            }
        )
    search = sa.table(
        "framework_search",
        sa.column("number", sa.BigInteger()),
        sa.column("competency_id", sa.Uuid()),
        sa.column("framework_id", sa.Uuid()),
        *(sa.column(name) for name in ("label_terms", "other_terms", "size")),
    )
    if entries:
        connection.execute(search.insert(), entries)
        term = sa.table("framework_term", sa.column("term"))
        connection.execute(term.insert(), [{"term": each} for each in sorted(vocabulary)])


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("DROP TABLE framework_search_index")
    for table in (
        "framework_term",
        "framework_search",
        "competency_synonym",
        "competency_version",
        "framework_release",
        "framework_association",
    ):
        op.drop_table(table)
    # Only campuses' own frameworks existed before.
    shared = "SELECT id FROM framework WHERE campus_id IS NULL"
    items = f"SELECT id FROM competency WHERE framework_id IN ({shared})"  # noqa: S608 - names of our own
    op.execute("UPDATE competency SET parent_id = NULL")
    for table in ("badge_competency", "activity_competency"):
        op.execute(f"DELETE FROM {table} WHERE competency_id IN ({items})")  # noqa: S608 - names of our own
    op.execute(f"DELETE FROM competency WHERE framework_id IN ({shared})")  # noqa: S608 - names of our own
    op.execute("DELETE FROM framework WHERE campus_id IS NULL")
    op.drop_index("ix_competency_parent_id", "competency")
    op.drop_index("ix_framework_network_id", "framework")
    op.drop_index("one_shared_framework_per_code", "framework")
    for name in ("kind", "identifier", "position", "description", "other_labels", "rubric", "ended_on", "extra", "parent_id"):  # fmt: skip
        op.drop_column("competency", name)
    for name in ("identifier", "publisher", "licence", "source", "version", "language", "published_on", "levels", "extra", "network_id"):  # fmt: skip
        op.drop_column("framework", name)
    if is_sqlite:
        _redeclare([(table, after, before) for table, before, after in _WIDER])
    else:
        op.alter_column("framework", "campus_id", nullable=False)
        op.alter_column("competency", "code", type_=sa.String(60))
        op.alter_column("competency", "statement", type_=sa.String(500))


def _add_reference(table: str, column: str, to: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} CHAR(32) REFERENCES {to} (id)")


def _redeclare(changes: object) -> None:
    """Changes declarations that do not alter stored rows, as SQLite's manual advises.

    A copy of the table would violate the foreign keys of its children, which a transaction cannot switch off.
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table, before, after in changes:  # type: ignore[attr-defined]
        connection.exec_driver_sql(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?",
            (before, after, table),
        )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
