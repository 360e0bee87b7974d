"""The feed of changes of each campus; everything that exists is its first content."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa

from alembic import op

revision = "0094"
down_revision = "0093"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
# In the order in which rows refer to each other; who sees them as the application decides it.
_ORGANISED = "JOIN activity_campus o ON o.activity_id = n.activity_id AND o.accepted_at IS NOT NULL"
_KEPT = "NOT EXISTS (SELECT 1 FROM person_merge m WHERE m.gone_id = n.person_id AND m.undone_at IS NULL)"
_THERE = (
    ("badge", "SELECT id, campus_id FROM badge"),
    ("activity", "SELECT activity_id AS id, campus_id FROM activity_campus WHERE accepted_at IS NOT NULL"),
    (
        "person",
        " ".join(
            (
                "SELECT n.person_id AS id, o.campus_id FROM participation n",
                _ORGANISED,
                "WHERE",
                _KEPT,
                "UNION SELECT n.person_id, n.campus_id FROM award n WHERE",
                _KEPT,
            )
        ),
    ),
    ("participation", " ".join(("SELECT n.id, o.campus_id FROM participation n", _ORGANISED))),
    ("award", "SELECT id, campus_id FROM award"),
)


def upgrade() -> None:
    op.create_table(
        "change_head",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), primary_key=True),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("last_at", MOMENT, nullable=True),
        sa.Column("generation", sa.String(8), nullable=False),
    )
    op.create_table(
        "change",
        sa.Column("noun_id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("change_head.campus_id"), primary_key=True),
        sa.Column(
            "kind",
            sa.Enum(
                "badge",
                "activity",
                "person",
                "participation",
                "award",
                name="changed_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("is_erased", sa.Boolean(), nullable=False),
    )
    _fill()
    op.create_index("changes_of_campus", "change", ["campus_id", "number"], unique=True)


def _fill() -> None:
    connection = op.get_bind()
    now = datetime.now(UTC).replace(microsecond=0)
    campus = sa.table("campus", sa.column("id", sa.Uuid()))
    head = sa.table(
        "change_head",
        sa.column("campus_id", sa.Uuid()),
        sa.column("last", sa.BigInteger()),
        sa.column("last_at", MOMENT),
        sa.column("generation", sa.String()),
    )
    for campus_id in connection.execute(sa.select(campus.c.id)).scalars().all():
        row = {"campus_id": campus_id, "last": 0, "last_at": now, "generation": secrets.token_hex(4)}
        connection.execute(head.insert().values(row))
    written = now if connection.dialect.name == "postgresql" else f"{now:%Y-%m-%d %H:%M:%S.%f}"
    for kind, there in _THERE:
        connection.execute(
            sa.text(
                "INSERT INTO change (noun_id, campus_id, kind, number, first, at, removed, is_erased) "  # noqa: S608 - words of our own
                "SELECT seen.id, seen.campus_id, :kind, h.last + seen.place, h.last + seen.place, :at, :removed, :removed FROM "
                "(SELECT id, campus_id, row_number() OVER (PARTITION BY campus_id ORDER BY id) AS place "
                f"FROM ({there}) there) seen JOIN change_head h ON h.campus_id = seen.campus_id"
            ),
            {"kind": kind, "at": written, "removed": False},
        )
        connection.execute(
            sa.text(
                "UPDATE change_head SET last = coalesce((SELECT max(number) FROM change "
                "WHERE change.campus_id = change_head.campus_id), 0)"
            )
        )


def downgrade() -> None:
    op.drop_table("change")
    op.drop_table("change_head")
