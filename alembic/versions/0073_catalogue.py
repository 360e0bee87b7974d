"""The public catalogue: announced activities, entries derived from each campus, and their full-text index."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None

_FULL_TEXT = (
    "CREATE VIRTUAL TABLE catalogue_index USING fts5(label_terms, other_terms, "
    "content='catalogue_entry', content_rowid='number', tokenize='ascii', prefix='3')",
    "CREATE TRIGGER catalogue_entry_added AFTER INSERT ON catalogue_entry BEGIN INSERT INTO "
    "catalogue_index(rowid, label_terms, other_terms) "
    "VALUES (new.number, new.label_terms, new.other_terms); END",
    "CREATE TRIGGER catalogue_entry_removed AFTER DELETE ON catalogue_entry BEGIN INSERT INTO "
    "catalogue_index(catalogue_index, rowid, label_terms, other_terms) "
    "VALUES ('delete', old.number, old.label_terms, old.other_terms); END",
    "CREATE TRIGGER catalogue_entry_changed AFTER UPDATE OF label_terms, other_terms ON catalogue_entry BEGIN "
    "INSERT INTO catalogue_index(catalogue_index, rowid, label_terms, other_terms) "
    "VALUES ('delete', old.number, old.label_terms, old.other_terms); INSERT INTO "
    "catalogue_index(rowid, label_terms, other_terms) "
    "VALUES (new.number, new.label_terms, new.other_terms); END",
)


def upgrade() -> None:
    op.create_table(
        "activity_announcement",
        sa.Column("activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), primary_key=True),
        sa.Column("enrolment", sa.String(400), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "catalogue_entry",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False, unique=True),
        sa.Column(
            "kind",
            sa.Enum(
                "badge",
                "competency",
                "activity",
                "campus",
                name="catalogue_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.String(120), nullable=False),
        sa.Column("title", sa.String(2000), nullable=False),
        sa.Column("summary", sa.String(2000), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("badge_kind", sa.String(20), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("audiences", sa.String(200), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("holders", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("label_terms", sa.Text(), nullable=False),
        sa.Column("other_terms", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
    )
    op.create_index("catalogue_of_campus", "catalogue_entry", ["campus_id", "kind"])
    op.create_index(
        "catalogue_facets",
        "catalogue_entry",
        ["kind", "campus_id", "badge_kind", "level", "place", "audiences"],
    )
    op.create_index("catalogue_by_holders", "catalogue_entry", ["kind", "holders", "title"])
    op.create_index("catalogue_by_day", "catalogue_entry", ["kind", "starts_on"])
    op.create_table("catalogue_term", sa.Column("term", sa.String(40), primary_key=True))
    op.create_table(
        "catalogue_refresh",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), primary_key=True),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in _FULL_TEXT:
            op.execute(statement)
    else:
        # One index for each: with weights in one, each row found would be parsed again.
        op.execute(
            "CREATE INDEX catalogue_index_labels ON catalogue_entry USING gin (to_tsvector('simple', label_terms))"
        )
        op.execute(
            "CREATE INDEX catalogue_index_all ON catalogue_entry "
            "USING gin (to_tsvector('simple', label_terms || ' ' || other_terms))"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE catalogue_index")
    for table in ("catalogue_refresh", "catalogue_term", "catalogue_entry", "activity_announcement"):
        op.drop_table(table)
