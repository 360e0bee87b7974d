"""Checks of everything that was signed, and the digests of pictures that they compare with."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "integrity_check",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("done_steps", sa.Integer(), nullable=False),
        sa.Column("checked", sa.JSON(), nullable=False),
        sa.Column("fault_count", sa.Integer(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
    )
    digests = op.create_table(
        "picture_digest",
        sa.Column(
            "version_id", sa.Uuid(), sa.ForeignKey("badge_version.id"), primary_key=True, nullable=False
        ),
        sa.Column("png", sa.String(64), nullable=False),
        sa.Column("svg", sa.String(64), nullable=False),
    )
    connection = op.get_bind()
    version = sa.table(
        "badge_version",
        sa.column("id", sa.Uuid()),
        sa.column("picture_png", sa.LargeBinary()),
        sa.column("picture_svg", sa.Text()),
        sa.column("frozen_at", sa.DateTime(timezone=True)),
    )
    for number in (
        connection.execute(sa.select(version.c.id).where(version.c.frozen_at.is_not(None))).scalars().all()
    ):
        png, svg = connection.execute(
            sa.select(version.c.picture_png, version.c.picture_svg).where(version.c.id == number)
        ).one()
        connection.execute(
            digests.insert().values(
                version_id=number,
                png=hashlib.sha256(png).hexdigest(),
                svg=hashlib.sha256(svg.encode()).hexdigest(),
            )
        )


def downgrade() -> None:
    op.drop_table("picture_digest")
    op.drop_table("integrity_check")
