"""Sessions have a kind, which each query asks for; a person may turn private links to their badges off.

A session that named an award was opened by a private link; every other one is of an account.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

KIND = "kind IN ('account', 'award_link')"
FITS = "(kind = 'award_link') = (award_id IS NOT NULL)"
PROOF = "proved_by IN ('link', 'password', 'passkey', 'oidc', 'private_link')"


def upgrade() -> None:
    op.add_column(
        "session", sa.Column("kind", sa.String(length=32), nullable=False, server_default="account")
    )
    op.execute("UPDATE session SET kind = 'award_link' WHERE award_id IS NOT NULL")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("session_proof", "session", type_="check")
    # On SQLite the table is written anew, and its CHECK is not among what is carried over.
    with op.batch_alter_table("session", recreate="auto") as session:
        session.alter_column("kind", server_default=None)
        session.create_check_constraint("session_kind", KIND)
        session.create_check_constraint("session_kind_fits_award", FITS)
        session.create_check_constraint("session_proof", PROOF)
    op.add_column(
        "person", sa.Column("accepts_links", sa.Boolean(), nullable=False, server_default=sa.true())
    )


def downgrade() -> None:
    op.drop_column("person", "accepts_links")
    with op.batch_alter_table("session") as session:
        session.drop_constraint("session_kind", type_="check")
        session.drop_constraint("session_kind_fits_award", type_="check")
        session.drop_column("kind")
