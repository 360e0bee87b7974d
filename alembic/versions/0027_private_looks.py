"""Who of a campus looked at what is somebody's own."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.Enum(
        "record", "award", "request", "contribution", "file",
        name="private_look_kind", native_enum=False, create_constraint=True, length=32,
    )  # fmt: skip
    op.create_table(
        "private_look",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("viewer_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("looked_at", kind, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.UniqueConstraint("campus_id", "person_id", "viewer_id", "looked_at", "day", name="one_look_a_day"),
    )
    op.create_index("looks_by_day", "private_look", ["day"])


def downgrade() -> None:
    op.drop_table("private_look")
