"""Registers of networks: whom they recognise, the list they sign, labels as credentials, and lists that are followed."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _rebuild_labels(
        "issuer",
        sa.Column("issuer", sa.String(600), nullable=False),
        "SELECT l.id, c.did, l.network_id, l.category, l.starts_on, l.ends_on, l.note, {nothing} "
        "FROM label l JOIN campus c ON c.id = l.campus_id",
        extra=(
            sa.Column("embedded", sa.LargeBinary(), nullable=False),
            sa.Column("signed_at", MOMENT, nullable=True),
            sa.Column("withdrawn_at", MOMENT, nullable=True),
        ),
        also=", embedded",
    )
    op.create_table(
        "network_key",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id"), nullable=False),
        sa.Column("method_id", sa.String(400), nullable=False, unique=True),
        sa.Column("public_jwk", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kek_id", sa.String(60), nullable=False),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("ix_network_key_network_id", "network_key", ["network_id"])
    op.create_table(
        "recognition",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id"), nullable=False),
        sa.Column("issuer", sa.String(600), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("short_name", sa.String(20), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column(
            "standing",
            _words("recognised", "suspended", "ended", name="recognition_standing"),
            nullable=False,
        ),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.UniqueConstraint("network_id", "issuer", name="recognised_once"),
    )
    for column in ("network_id", "issuer"):
        op.create_index(f"ix_recognition_{column}", "recognition", [column])
    op.create_table(
        "trust_edition",
        sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id"), primary_key=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "followed_list",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("url", sa.String(600), nullable=False, unique=True),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("issuer", sa.String(600), nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.Column("tried_at", MOMENT, nullable=True),
        sa.Column("trouble", sa.String(60), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
    )


def downgrade() -> None:
    for table in ("followed_list", "trust_edition", "recognition", "network_key"):
        op.drop_table(table)
    _rebuild_labels(
        "campus_id",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        "SELECT l.id, c.id, l.network_id, l.category, l.starts_on, l.ends_on, l.note "
        "FROM label l JOIN campus c ON c.did = l.issuer",
    )


def _rebuild_labels(
    whose: str,
    column: sa.Column[object],
    kept: str,
    *,
    extra: tuple[sa.Column[object], ...] = (),
    also: str = "",
) -> None:
    """The table anew under the other way to say whose label it is: SQLite drops no column that a rule names."""
    nothing = "X''" if op.get_bind().dialect.name == "sqlite" else "'\\x'::bytea"
    op.create_table(
        "label_anew",
        sa.Column("id", sa.Uuid(), primary_key=True),
        column,
        sa.Column("network_id", sa.Uuid(), sa.ForeignKey("network.id"), nullable=False),
        sa.Column("category", _words("standard", "excellence", name="label_category"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(300), nullable=False),
        *extra,
        sa.CheckConstraint(
            "ends_on IS NULL OR starts_on IS NULL OR ends_on >= starts_on", name="label_dates_in_order"
        ),
    )
    columns = f"id, {whose}, network_id, category, starts_on, ends_on, note{also}"
    op.execute(f"INSERT INTO label_anew ({columns}) {kept.format(nothing=nothing)}")
    op.drop_table("label")
    op.rename_table("label_anew", "label")
    for name in (whose, "network_id"):
        op.create_index(f"ix_label_{name}", "label", [name])


def _words(*words: str, name: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)
