"""What erasures leave behind, and guards that let through what an erasure takes away and nothing else."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
_SENTENCES = {
    "signed_credential": "a signed credential is deleted with its erased award alone",
    "history_entry": "history never changes, it only forgets",
}
_ERASED = "EXISTS (SELECT 1 FROM erased_award WHERE award_id = OLD.award_id)"
_SLOT_GUARDS = (
    ("02", "DELETE", "1 = 1", "a status slot is never deleted"),
    ("03", "UPDATE", "OLD.raised_at IS NOT NULL", "a revocation is never undone"),
    (
        "04",
        "UPDATE",
        "OLD.list_id <> NEW.list_id OR OLD.position <> NEW.position OR OLD.award_id <> NEW.award_id",
        "a status slot belongs to one award for ever",
    ),
)
_NOBODY = {"sqlite": "00000000000000000000000000000000", "postgresql": "00000000-0000-0000-0000-000000000000"}


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("deed", sa.Uuid(), nullable=False, index=True),
        sa.Column("everywhere", sa.Boolean(), nullable=False),
        sa.Column("by_person", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("done_at", MOMENT, nullable=False),
        sa.Column("erased", sa.JSON(), nullable=False),
        sa.Column("badges", sa.Integer(), nullable=False),
        sa.Column("log_id", sa.Uuid(), sa.ForeignKey("campus_log.id"), nullable=False, index=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "erased_award",
        sa.Column("award_id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("erased_at", MOMENT, nullable=False),
    )
    _let_slots_go()
    set_guards(forgetting=True)


def downgrade() -> None:
    set_guards(forgetting=False)
    _hold_slots()
    op.drop_table("erased_award")
    op.drop_table("erasure")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _let_slots_go() -> None:
    if _is_sqlite():
        _new_slots("")
    else:
        op.drop_constraint("status_slot_award_id_fkey", "status_slot", type_="foreignkey")


def _hold_slots() -> None:
    if _is_sqlite():
        _new_slots("REFERENCES award (id)")
    else:
        op.create_foreign_key(
            "status_slot_award_id_fkey",
            "status_slot",
            "award",
            ["award_id"],
            ["id"],
            postgresql_not_valid=True,
        )


def _new_slots(points: str) -> None:
    """SQLite changes no key of a table that stands: it is written again, with its guards."""
    op.execute(
        "CREATE TABLE status_slot_new (list_id CHAR(32) NOT NULL REFERENCES status_list (id), "
        f"position INTEGER NOT NULL, award_id CHAR(32) NOT NULL {points}, raised_at DATETIME, "
        "PRIMARY KEY (list_id, position), "
        "CONSTRAINT one_slot_per_award UNIQUE (award_id), "
        "CONSTRAINT slot_position_not_negative CHECK (position >= 0))"
    )
    op.execute(
        "INSERT INTO status_slot_new (list_id, position, award_id, raised_at) "
        "SELECT list_id, position, award_id, raised_at FROM status_slot"
    )
    op.execute("DROP TABLE status_slot")
    op.execute("ALTER TABLE status_slot_new RENAME TO status_slot")
    for number, event, condition, sentence in _SLOT_GUARDS:
        op.execute(
            f"CREATE TRIGGER guard_{number}_status_slot BEFORE {event} ON status_slot WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
        )


def set_guards(*, forgetting: bool) -> None:
    """Of signed credentials a deletion, of history a change."""
    credential = f"NOT {_ERASED}" if forgetting else "1 = 1"
    history = f"NOT ({_only_forgets()})" if forgetting else "1 = 1"
    _set_guard("guard_01_signed_credential", "signed_credential", "DELETE", credential)
    _set_guard("guard_07_history_entry", "history_entry", "UPDATE", history)


def _only_forgets() -> str:
    """The same deed at the same moment, that says less: no words, perhaps nobody who acted, perhaps about nobody."""
    same = "IS NOT DISTINCT FROM" if not _is_sqlite() else "IS"
    nobody = f"'{_NOBODY[op.get_bind().dialect.name]}'"
    facts = "NEW.facts::text" if not _is_sqlite() else "NEW.facts"
    kept = ("id", "campus_id", "at", "deed", "noun")
    return " AND ".join(
        (
            *(f"NEW.{name} {same} OLD.{name}" for name in kept),
            f"(NEW.noun_id = OLD.noun_id OR NEW.noun_id = {nobody})",
            f"(NEW.actor_id {same} OLD.actor_id OR NEW.actor_id IS NULL)",
            f"{facts} = '{{}}'",
        )
    )


def _set_guard(name: str, table: str, event: str, condition: str) -> None:
    sentence = _SENTENCES[table]
    if _is_sqlite():
        op.execute(f"DROP TRIGGER {name}")
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
        )
        return
    op.execute(f"DROP TRIGGER {name} ON {table}")
    # A trigger's WHEN may not look at other tables; its body may.
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
        f"RAISE EXCEPTION '{sentence}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        f"RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
