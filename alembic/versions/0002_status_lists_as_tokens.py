"""Status lists as tokens, beside the lists with a proof inside.

Lists already there have no token yet: they are signed again when somebody next reads them.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("status_list", sa.Column("token", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("status_list", "token")
