"""People with an address are found by their name, for lists that give another address or none."""

from __future__ import annotations

from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_person_address_name_key", "person_address", ["name_key"])


def downgrade() -> None:
    op.drop_index("ix_person_address_name_key", "person_address")
