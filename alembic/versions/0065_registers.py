"""Registers of people and awards are read in the order of names, and of one badge, without sorting them all."""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa

from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

_A_BATCH = 1_000
_LIGATURES = (("œ", "oe"), ("æ", "ae"), ("ø", "o"), ("ł", "l"), ("đ", "d"), ("ı", "i"), ("ß", "ss"))
_PERSON = sa.table(
    "person", sa.column("id"), sa.column("family_name"), sa.column("given_name"), sa.column("listed_as")
)


def upgrade() -> None:
    op.add_column("person", sa.Column("listed_as", sa.String(520), nullable=False, server_default=""))
    _fill(op.get_bind())
    op.create_index("people_by_name", "person", ["listed_as", "id"])
    op.create_index("people_by_arrival", "person", ["created_at", "id"])
    op.create_index("awards_of_badge_by_time", "award", ["badge_id", "awarded_at", "id"])
    known = sa.text("revoked_at IS NOT NULL")
    op.create_index(
        "awards_withdrawn",
        "award",
        ["campus_id", "awarded_at", "id"],
        sqlite_where=known,
        postgresql_where=known,
    )


def _fill(connection: sa.Connection) -> None:
    rows = connection.execute(sa.select(_PERSON.c.id, _PERSON.c.family_name, _PERSON.c.given_name)).all()
    update = (
        sa.update(_PERSON).where(_PERSON.c.id == sa.bindparam("row")).values(listed_as=sa.bindparam("name"))
    )
    values = [{"row": row, "name": _listed(f"{family}\t{given}")} for row, family, given in rows]
    for start in range(0, len(values), _A_BATCH):
        connection.execute(update, values[start : start + _A_BATCH])


def _listed(name: str) -> str:
    plain = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", name.lower()))
    for letter, letters in _LIGATURES:
        plain = plain.replace(letter, letters)
    return plain[:520]


def downgrade() -> None:
    op.drop_index("awards_withdrawn", "award")
    op.drop_index("awards_of_badge_by_time", "award")
    op.drop_index("people_by_arrival", "person")
    op.drop_index("people_by_name", "person")
    op.drop_column("person", "listed_as")
