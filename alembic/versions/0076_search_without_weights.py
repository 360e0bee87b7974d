"""Two full-text indexes on PostgreSQL: with weights in one, each row found was parsed again."""

from __future__ import annotations

from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX framework_search_index_terms")
        op.execute(
            "CREATE INDEX framework_search_index_labels ON framework_search "
            "USING gin (to_tsvector('simple', label_terms))"
        )
        op.execute(
            "CREATE INDEX framework_search_index_all ON framework_search "
            "USING gin (to_tsvector('simple', label_terms || ' ' || other_terms))"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX framework_search_index_all")
        op.execute("DROP INDEX framework_search_index_labels")
        op.execute(
            "CREATE INDEX framework_search_index_terms ON framework_search USING gin "
            "((setweight(to_tsvector('simple', label_terms), 'A') || "
            "setweight(to_tsvector('simple', other_terms), 'B')))"
        )
