"""Organisations, their keys and status places, and the endorsements they are asked for and sign."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0038"
down_revision = "0041"
branch_labels = None
depends_on = None

_ABOUT = ("badge", "award", "campus")


def _about(name: str) -> sa.Column[str]:
    kind = sa.Enum(*_ABOUT, name=name, native_enum=False, create_constraint=True, length=32)
    return sa.Column("about", kind, nullable=False)


def _to(table: str, *, nullable: bool = False, name: str = "") -> sa.Column[object]:
    return sa.Column(name or f"{table}_id", sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("mailbox", sa.String(64), nullable=False),
        sa.Column("did", sa.String(300), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("site", sa.String(200), nullable=False),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("did"),
        sa.UniqueConstraint("domain", "mailbox", name="one_organisation_of_a_domain"),
    )
    op.create_table(
        "organisation_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        _to("organisation"),
        sa.Column("method_id", sa.String(400), nullable=False),
        sa.Column("public_jwk", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kek_id", sa.String(60), nullable=False),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        _moment("created_at"),
        _moment("retired_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("method_id"),
    )
    op.create_index(
        "one_organisation_key",
        "organisation_key",
        ["organisation_id"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
        sqlite_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "endorsement_place",
        _to("organisation"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("endorsement_id", sa.Uuid(), nullable=False),
        _moment("raised_at", nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "position"),
        sa.UniqueConstraint("endorsement_id", name="one_place_per_endorsement"),
    )
    op.create_table(
        "endorsement_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        _to("campus"),
        _about("endorsement_request_about"),
        _to("badge_version", nullable=True, name="version_id"),
        _to("award", nullable=True),
        _to("person", nullable=True, name="asked_by"),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("organisation_name", sa.String(120), nullable=False),
        sa.Column("why", sa.String(300), nullable=False),
        _moment("asked_at"),
        _moment("expires_at"),
        _moment("answered_at", nullable=True),
        sa.Column("refusal", sa.String(8), nullable=False),
        sa.Column("endorsement_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("endorsement_requests_to", "endorsement_request", ["address", "asked_at"])
    for column in ("campus_id", "version_id", "award_id", "asked_by"):
        op.create_index(f"ix_endorsement_request_{column}", "endorsement_request", [column])
    op.create_table(
        "endorsement",
        sa.Column("id", sa.Uuid(), nullable=False),
        _to("organisation"),
        _to("campus"),
        _about("endorsement_about"),
        _to("badge_version", nullable=True, name="version_id"),
        _to("award", nullable=True),
        sa.Column("subject", sa.String(400), nullable=False),
        sa.Column("organisation_name", sa.String(120), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("foreign_issuer", sa.String(400), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        _moment("checked_at", nullable=True),
        _moment("check_again_at", nullable=True),
        sa.Column("wording", sa.Integer(), nullable=False),
        _moment("signed_at"),
        sa.Column("changes", sa.Integer(), nullable=False),
        _moment("withdrawn_at", nullable=True),
        _moment("hidden_at", nullable=True),
        _moment("set_aside_at", nullable=True),
        sa.Column("set_aside_reason", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("organisation_id", "campus_id", "version_id", "award_id", "check_again_at"):
        op.create_index(f"ix_endorsement_{column}", "endorsement", [column])


def downgrade() -> None:
    for table in (
        "endorsement",
        "endorsement_request",
        "endorsement_place",
        "organisation_key",
        "organisation",
    ):
        op.drop_table(table)
