"""The activity log of each campus, and the key that signs it.

Nothing of what happened before is in a log: an entry is written with the deed it speaks of, or not at all.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KINDS = (
    "participation",
    "correction",
    "contribution",
    "assessment",
    "award",
    "revocation",
    "definition",
    "key",
    "erasure",
)
PURPOSES, PURPOSES_BEFORE = ("credential", "activity_log"), ("credential",)
# What the rows say, the database keeps: (table, event, sentence).
GUARDS = (
    ("log_entry", "UPDATE", "an entry of the log never changes"),
    ("log_entry", "DELETE", "an entry of the log is never deleted"),
    ("log_payload", "UPDATE", "what an entry says never changes"),
    ("log_tile", "UPDATE", "a tile of the log never changes"),
    ("log_tile", "DELETE", "a tile of the log is never deleted"),
    ("log_checkpoint", "UPDATE", "a checkpoint never changes"),
    ("log_checkpoint", "DELETE", "a checkpoint is never deleted"),
    ("log_cosignature", "UPDATE", "a cosignature never changes"),
    ("log_cosignature", "DELETE", "a cosignature is never deleted"),
    ("campus_log", "DELETE", "a log is never deleted"),
)


def log_id() -> sa.Column:
    return sa.Column("log_id", sa.Uuid(), sa.ForeignKey("campus_log.id"), primary_key=True)


def upgrade() -> None:
    allow_purposes(PURPOSES)
    op.create_table(
        "campus_log",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(300), nullable=False, unique=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.UniqueConstraint("campus_id", "epoch", name="one_log_per_epoch"),
    )
    open_ones = sa.text("closed_at IS NULL")
    op.create_index(
        "one_open_log",
        "campus_log",
        ["campus_id"],
        unique=True,
        postgresql_where=open_ones,
        sqlite_where=open_ones,
    )
    op.create_table(
        "log_entry",
        log_id(),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="log_entry_kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 0", name="log_numbers_from_zero"),
    )
    op.create_table(
        "log_payload",
        log_id(),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("noun", sa.String(40), nullable=False),
        sa.Column("noun_id", sa.Uuid(), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    op.create_index("log_payload_of_noun", "log_payload", ["noun", "noun_id"])
    op.create_index("log_payload_about", "log_payload", ["about_id"])
    op.create_table(
        "log_tile",
        log_id(),
        sa.Column("level", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("place", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "log_checkpoint",
        log_id(),
        sa.Column("size", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
    )
    op.create_table(
        "log_cosignature",
        log_id(),
        sa.Column("size", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("witness", sa.String(200), primary_key=True),
        sa.Column("line", sa.String(500), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
    )
    for table, event, sentence in GUARDS:
        set_guard(table, event, sentence)


def downgrade() -> None:
    for table, event, _ in GUARDS:
        lift_guard(table, event)
    for table in ("log_cosignature", "log_checkpoint", "log_tile", "log_payload", "log_entry", "campus_log"):
        op.drop_table(table)
    op.execute("DELETE FROM signing_key WHERE purpose = 'activity_log'")
    allow_purposes(PURPOSES_BEFORE)


def allow_purposes(purposes: tuple[str, ...]) -> None:
    allowed = ", ".join(f"'{purpose}'" for purpose in purposes)
    with op.batch_alter_table("signing_key") as table:
        table.drop_constraint("key_purpose", type_="check")
        table.create_check_constraint("key_purpose", sa.text(f"purpose IN ({allowed})"))


def set_guard(table: str, event: str, sentence: str) -> None:
    name = guard_name(table, event)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def lift_guard(table: str, event: str) -> None:
    name = guard_name(table, event)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {name}")
        return
    op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute(f"DROP FUNCTION {name}()")


def guard_name(table: str, event: str) -> str:
    return f"guard_{table}_{event.lower()}"
