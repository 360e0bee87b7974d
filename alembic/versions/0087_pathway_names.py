"""People on a pathway in the order of lists, by index."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "pathway_enrolment", sa.Column("listed_as", sa.String(520), nullable=False, server_default="")
    )
    op.execute(
        "UPDATE pathway_enrolment SET listed_as = (SELECT p.listed_as FROM person p "
        "WHERE p.id = pathway_enrolment.person_id)"
    )
    op.create_index("enrolments_by_name", "pathway_enrolment", ["pathway_id", "listed_as", "id"])


def downgrade() -> None:
    op.drop_index("enrolments_by_name", "pathway_enrolment")
    op.drop_column("pathway_enrolment", "listed_as")
