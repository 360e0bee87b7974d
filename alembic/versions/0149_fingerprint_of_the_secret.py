"""A changed SCEAU_SECRET is noticed by its fingerprint."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0149"
down_revision = "0148"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column("signing_clock", sa.Column("secret_fingerprint", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("signing_clock", "secret_fingerprint")
