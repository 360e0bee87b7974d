"""A person may let a campus's programs read their competencies: one more matter of consent."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None

_BEFORE = ("room", "publication", "name", "reminders", "parent")


def _allow(*matters: str) -> None:
    listed = ", ".join(f"'{each}'" for each in matters)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("consent_about", "consent", type_="check")
        op.create_check_constraint("consent_about", "consent", f"about IN ({listed})")
        return
    # SQLite writes the table anew.
    with op.batch_alter_table("consent", recreate="always") as consent:
        consent.alter_column(
            "about",
            existing_type=sa.Enum(*_BEFORE, name="consent_about", native_enum=False, length=32),
            type_=sa.Enum(
                *matters, name="consent_about", native_enum=False, create_constraint=True, length=32
            ),
            existing_nullable=False,
        )


def upgrade() -> None:
    _allow(*_BEFORE, "competencies")


def downgrade() -> None:
    op.execute("DELETE FROM consent WHERE about = 'competencies'")
    _allow(*_BEFORE)
