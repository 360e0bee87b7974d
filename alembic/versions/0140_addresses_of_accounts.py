"""Old batches forget addresses that people added to their accounts: no list of the campus ever had them."""

from __future__ import annotations

from alembic import op

revision = "0140"
down_revision = "0139"
branch_labels = None
depends_on = None
online = True

_LISTED = """
EXISTS (
    SELECT 1 FROM participation JOIN activity_campus ON activity_campus.activity_id = participation.activity_id
    JOIN award_batch ON award_batch.campus_id = activity_campus.campus_id
    WHERE participation.person_id = award_batch_line.person_id AND award_batch.id = award_batch_line.batch_id
    AND substr(participation.line_key, 1, length(award_batch_line.address) + 1) = award_batch_line.address || '|'
)
"""
_ASKED = """
EXISTS (
    SELECT 1 FROM badge_request JOIN award_batch ON award_batch.campus_id = badge_request.campus_id
    WHERE badge_request.person_id = award_batch_line.person_id AND award_batch.id = award_batch_line.batch_id
    AND badge_request.address = award_batch_line.address
)
"""
_READABLE = """
EXISTS (
    SELECT 1 FROM person_address AS its
    WHERE its.person_id = award_batch_line.person_id AND its.address = award_batch_line.address
    AND (
        its.verified_at IS NULL
        OR NOT EXISTS (
            SELECT 1 FROM person_address AS other WHERE other.person_id = its.person_id AND other.address <> its.address
        )
    )
)
"""


def upgrade() -> None:
    op.execute(
        "UPDATE award_batch_line SET address = '' WHERE participation_id IS NOT NULL AND address <> ''"  # noqa: S608 - parts of this file
        f" AND NOT {_LISTED} AND NOT {_ASKED} AND NOT {_READABLE}"
    )


def downgrade() -> None:
    """What was forgotten stays so."""
