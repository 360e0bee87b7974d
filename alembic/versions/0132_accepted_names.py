"""The name by which a campus knows the holder of a badge, also where the holder removed it from the badge."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from alembic import op

revision = "0132"
down_revision = "0131"
branch_labels = None
depends_on = None
online = True

AT_ONCE = 500
# Badges that contain a name need no row of theirs written: `Award.campus_name` reads it there.
NEVER_RENAMED = """
UPDATE award SET accepted_name = (
  SELECT substr(trim(p.given_name || ' ' || p.family_name), 1, 250) FROM person p WHERE p.id = award.person_id)
WHERE holder_name IS NULL AND accepted_name = ''
AND NOT EXISTS (SELECT 1 FROM person_merge m WHERE m.kept_id = award.person_id OR m.gone_id = award.person_id)
AND NOT EXISTS (SELECT 1 FROM history_entry h WHERE h.noun = 'person' AND h.noun_id = award.person_id
  AND h.action = 'rename' AND (h.campus_id IS NULL OR h.at >= award.awarded_at))
"""
EDITIONS = """
SELECT a.id, n.embedded, s.embedded FROM award a
JOIN signed_credential s ON s.award_id = a.id
LEFT JOIN newer_credential n ON n.award_id = a.id
WHERE a.holder_name IS NULL AND a.edition > 1
ORDER BY a.id, n.edition
"""


def name_in(embedded: bytes | None) -> str:
    """The holder's name in a signed badge; empty without one."""
    subject = json.loads(bytes(embedded)).get("credentialSubject") if embedded else None
    found = subject.get("identifier") if isinstance(subject, dict) else None
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict) and each.get("identityType") == "name" and each.get("hashed") is False:
            return str(each.get("identityHash"))[:250]
    return ""


def removed_names() -> dict[Any, str]:
    """Per badge that contained a name once, the newest of them."""
    found: dict[Any, str] = {}
    rows = op.get_bind().execute(sa.text(EDITIONS).execution_options(yield_per=AT_ONCE))
    for award_id, newer, first in rows:
        if name := name_in(newer) or (name_in(first) if award_id not in found else ""):
            found[award_id] = name
    return found


def upgrade() -> None:
    op.add_column("award", sa.Column("accepted_name", sa.String(250), nullable=False, server_default=""))
    connection = op.get_bind()
    names = [{"id": award_id, "name": name} for award_id, name in removed_names().items()]
    for start in range(0, len(names), AT_ONCE):
        statement = sa.text("UPDATE award SET accepted_name = :name WHERE id = :id")
        connection.execute(statement, names[start : start + AT_ONCE])
    op.execute(NEVER_RENAMED)


def downgrade() -> None:
    op.drop_column("award", "accepted_name")
