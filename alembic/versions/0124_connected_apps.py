"""Applications that learners connect (Open Badges API 3.0), their consents and secrets."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0124"
down_revision = "0111"
branch_labels = None
depends_on = None
online = True

_KINDS = sa.Enum(
    "code", "access", "refresh", name="app_secret_kind", native_enum=False, create_constraint=True, length=32
)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "connected_app",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("secret_digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("host", sa.String(253), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("redirects", sa.JSON(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("registered_itself", sa.Boolean(), nullable=False),
        _at("registered_at"),
    )
    op.create_table(
        "app_grant",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("app_id", sa.Uuid(), sa.ForeignKey("connected_app.id"), nullable=False, index=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        _at("given_at"),
        _at("used_at", nullable=True),
    )
    op.create_table(
        "app_secret",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kind", _KINDS, nullable=False),
        sa.Column("grant_id", sa.Uuid(), sa.ForeignKey("app_grant.id"), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("challenge", sa.String(64), nullable=True),
        sa.Column("redirect", sa.String(400), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=True),
        _at("expires_at"),
        _at("used_at", nullable=True),
    )
    op.create_index("ix_app_secret_expires_at", "app_secret", ["expires_at"])
    op.add_column("brought_badge", sa.Column("app_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("brought_badge", "app_id")
    for table in ("app_secret", "app_grant", "connected_app"):
        op.drop_table(table)
