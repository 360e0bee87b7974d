"""The people of a pathway are counted by index alone."""

from __future__ import annotations

from alembic import op

revision = "0097"
down_revision = "0096"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("enrolments_of_pathway", "pathway_enrolment")
    op.create_index("enrolments_of_pathway", "pathway_enrolment", ["pathway_id", "number", "proposal"])


def downgrade() -> None:
    op.drop_index("enrolments_of_pathway", "pathway_enrolment")
    op.create_index("enrolments_of_pathway", "pathway_enrolment", ["pathway_id", "number", "changed_at"])
