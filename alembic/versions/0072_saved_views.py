"""A query of a register is saved under a name, by one person in one campus."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_REGISTERS = ("attributions", "activites", "repertoire", "demandes")


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column(
            "register",
            sa.Enum(
                *_REGISTERS, name="saved_view_register", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("query", sa.String(1_000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("campus_id", "person_id", "register", "name", name="one_view_per_name"),
    )
    op.create_index("ix_saved_view_person_id", "saved_view", ["person_id"])


def downgrade() -> None:
    op.drop_index("ix_saved_view_person_id", "saved_view")
    op.drop_table("saved_view")
