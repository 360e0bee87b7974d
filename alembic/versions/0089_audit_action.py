"""Standard names: the action of an audit entry, and the request that an erasure answers."""

from __future__ import annotations

from alembic import op

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None

_MESSAGE = "history never changes, it only forgets"
_NO_ID = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    op.execute("ALTER TABLE history_entry RENAME COLUMN deed TO action")
    _guard_history("action")
    op.execute("ALTER TABLE erasure RENAME COLUMN deed TO request_id")
    op.drop_index("ix_erasure_deed", "erasure")
    op.create_index("ix_erasure_request_id", "erasure", ["request_id"])


def downgrade() -> None:
    op.drop_index("ix_erasure_request_id", "erasure")
    op.execute("ALTER TABLE erasure RENAME COLUMN request_id TO deed")
    op.create_index("ix_erasure_deed", "erasure", ["deed"])
    op.execute("ALTER TABLE history_entry RENAME COLUMN action TO deed")
    _guard_history("deed")


def _guard_history(action: str) -> None:
    """SQLite renames the column in its triggers; PostgreSQL does not in the body of a function."""
    if op.get_bind().dialect.name == "sqlite":
        return
    name = "guard_07_history_entry"
    same = [
        f"NEW.{each} IS NOT DISTINCT FROM OLD.{each}" for each in ("id", "campus_id", "at", action, "noun")
    ]
    forgets = " AND ".join(
        (
            *same,
            f"(NEW.noun_id = OLD.noun_id OR NEW.noun_id = '{_NO_ID}')",
            "(NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id OR NEW.actor_id IS NULL)",
            "NEW.facts::text = '{}'",
        )
    )
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT ({forgets}) THEN "
        f"RAISE EXCEPTION '{_MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        "RETURN NEW; END $$"
    )
