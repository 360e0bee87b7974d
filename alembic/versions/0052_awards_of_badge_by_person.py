"""Who holds a badge is found by badge and person, not among all who were ever given it."""

from __future__ import annotations

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_award_badge_id", "award")
    op.create_index("awards_of_badge_by_person", "award", ["badge_id", "person_id"])


def downgrade() -> None:
    op.drop_index("awards_of_badge_by_person", "award")
    op.create_index("ix_award_badge_id", "award", ["badge_id"])
