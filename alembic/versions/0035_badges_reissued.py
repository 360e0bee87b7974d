"""Badges signed anew in place of an earlier edition, and names that people ask for."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GUARD = "guard_newer_credential_update"


def upgrade() -> None:
    op.add_column("award", sa.Column("edition", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("award", sa.Column("reissued_at", MOMENT, nullable=True))
    op.create_table(
        "newer_credential",
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), primary_key=True),
        sa.Column("edition", sa.Integer(), primary_key=True),
        sa.Column("embedded", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("embedded_digest", sa.String(64), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
    )
    op.create_table(
        "name_wish",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("given_name", sa.String(120), nullable=False),
        sa.Column("family_name", sa.String(120), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
    )
    for column in ("campus_id", "person_id"):
        op.create_index(f"ix_name_wish_{column}", "name_wish", [column])
    set_guard()


def downgrade() -> None:
    op.drop_table("name_wish")
    lift_guard()
    op.drop_table("newer_credential")
    op.drop_column("award", "reissued_at")
    op.drop_column("award", "edition")


def set_guard() -> None:
    """Signed bytes never change; what comes after them is another edition."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {GUARD} BEFORE UPDATE ON newer_credential "
            "BEGIN SELECT RAISE(ABORT, 'a signed credential never changes'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {GUARD}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
        "'a signed credential never changes' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {GUARD} BEFORE UPDATE ON newer_credential FOR EACH ROW EXECUTE FUNCTION {GUARD}()"
    )


def lift_guard() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {GUARD}")
        return
    op.execute(f"DROP TRIGGER {GUARD} ON newer_credential")
    op.execute(f"DROP FUNCTION {GUARD}()")
