"""Old signed bytes may leave their rows for an object store; the objects of what is erased are noted for removal."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0141"
down_revision = "0140"
branch_labels = None
depends_on = None
online = True

MOMENT = sa.DateTime(timezone=True)
NEVER = "a signed credential never changes"
TABLES = {
    "signed_credential": "guard_00_signed_credential",
    "newer_credential": "guard_newer_credential_update",
}
INDEXES = {
    f"{name}_{where}": (table, condition)
    for name, table in (("signed_bytes", "signed_credential"), ("newer_bytes", "newer_credential"))
    for where, condition in (("here", "embedded IS NOT NULL"), ("moved", "embedded IS NULL"))
}
_FIXED = {
    "signed_credential": ("award_id", "embedded_digest", "token_digest", "signed_at"),
    "newer_credential": ("award_id", "edition", "embedded_digest", "token_digest", "signed_at"),
}


def upgrade() -> None:
    op.create_table(
        "object_removal",
        sa.Column("award_id", sa.Uuid(), primary_key=True),
        sa.Column("edition", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("embedded_digest", sa.String(64), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("mover", sa.Uuid(), nullable=True),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=True),
    )
    for table in TABLES:
        allow_nothing(table, allowed=True)
        guard(table, may_move=True)
        note_removals(table)
    for name, (table, condition) in INDEXES.items():
        where = sa.text(condition)
        op.create_index(name, table, ["signed_at", "award_id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for table in TABLES:
        moved = sa.select(sa.literal(1)).select_from(sa.table(table)).where(sa.column("embedded").is_(None))
        if op.get_bind().execute(moved.limit(1)).first() is not None:
            raise RuntimeError(
                "Signed bytes are in the object store: run « sceau storage move --back » first."
            )
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
    for table in TABLES:
        forget_removals(table)
        allow_nothing(table, allowed=False)
        guard(table, may_move=False)
    op.drop_table("object_removal")


def is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def allow_nothing(table: str, *, allowed: bool) -> None:
    """Whether both columns may be NULL. SQLite writes the table anew, and its triggers again after it."""
    triggers: list[str] = []
    if is_sqlite():
        named = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
        triggers = list(op.get_bind().execute(named, {"table": table}).scalars())
    with op.batch_alter_table(table) as batch:
        batch.alter_column("embedded", existing_type=sa.LargeBinary(), nullable=allowed)
        batch.alter_column("token", existing_type=sa.Text(), nullable=allowed)
    for trigger in triggers:
        op.execute(sa.text(trigger.replace(":", "\\:")))


def guard(table: str, *, may_move: bool) -> None:
    name = TABLES[table]
    refused = f"NOT ({leaves_or_returns(table)})" if may_move else "1 = 1"
    if is_sqlite():
        op.execute(f"DROP TRIGGER {name}")
        op.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} WHEN {refused} "
            f"BEGIN SELECT RAISE(ABORT, '{NEVER}'); END"
        )
        return
    op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {refused} THEN "
        f"RAISE EXCEPTION '{NEVER}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def leaves_or_returns(table: str) -> str:
    """Both forms leave the row, or come back with their digests; all else stays. SQLite has no SHA-256."""
    fixed = " AND ".join(f"NEW.{name} = OLD.{name}" for name in _FIXED[table])
    left = "OLD.embedded IS NOT NULL AND OLD.token IS NOT NULL AND NEW.embedded IS NULL AND NEW.token IS NULL"
    back = "OLD.embedded IS NULL AND OLD.token IS NULL AND NEW.embedded IS NOT NULL AND NEW.token IS NOT NULL"
    if not is_sqlite():
        back += (
            " AND encode(sha256(NEW.embedded), 'hex') = NEW.embedded_digest"
            " AND encode(sha256(convert_to(NEW.token, 'UTF8')), 'hex') = NEW.token_digest"
        )
    return f"{fixed} AND (({left}) OR ({back}))"


def note_removals(table: str) -> None:
    """Due since the document was signed, which is in the past whatever the clock: at once."""
    edition = "OLD.edition" if table == "newer_credential" else "1"
    columns = "award_id, edition, campus_id, embedded_digest, token_digest, due_at"
    noted = (
        f"INSERT INTO object_removal ({columns}) "  # noqa: S608 - names of our own
        f"SELECT OLD.award_id, {edition}, a.campus_id, OLD.embedded_digest, OLD.token_digest, OLD.signed_at "
        "FROM award a WHERE a.id = OLD.award_id ON CONFLICT (award_id, edition) "
        "DO UPDATE SET due_at = excluded.due_at"
    )
    name = f"removal_of_{table}"
    if is_sqlite():
        op.execute(f"CREATE TRIGGER {name} BEFORE DELETE ON {table} BEGIN {noted}; END")
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {noted}; RETURN OLD; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def forget_removals(table: str) -> None:
    name = f"removal_of_{table}"
    if is_sqlite():
        op.execute(f"DROP TRIGGER {name}")
        return
    op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute(f"DROP FUNCTION {name}()")
