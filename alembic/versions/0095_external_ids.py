"""Identifiers of people, activities and awards in a campus's own system."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0095"
down_revision = "0094"
branch_labels = None
depends_on = None

_KINDS = sa.Enum(
    "person",
    "activity",
    "award",
    name="external_id_kind",
    native_enum=False,
    create_constraint=True,
    length=32,
)


def upgrade() -> None:
    op.create_table(
        "external_id",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), primary_key=True),
        sa.Column("kind", _KINDS, primary_key=True),
        sa.Column("value", sa.String(200), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True, index=True),
        sa.Column("activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), nullable=True, index=True),
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), nullable=True, index=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind <> 'person' OR person_id IS NOT NULL) AND (kind <> 'activity' OR activity_id IS NOT NULL) "
            "AND (kind <> 'award' OR award_id IS NOT NULL)",
            name="external_id_names_its_kind",
        ),
    )


def downgrade() -> None:
    op.drop_table("external_id")
