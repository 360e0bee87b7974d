"""Sign-in links wait in the queue of messages; a message that came back says when."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0092"
down_revision = "0091"
branch_labels = None
depends_on = None

BEFORE = ("passkey_sign_in", "passkey_enrol", "oidc", "address")


def purposes(words: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("challenge_asked", "challenge", type_="check")
    # On SQLite the table is written anew, and its CHECK is not among what is carried over.
    with op.batch_alter_table("challenge", recreate="auto") as batch:
        batch.create_check_constraint("challenge_asked", f"asked IN {words}")


def upgrade() -> None:
    purposes((*BEFORE, "link"))
    op.add_column("letter", sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM letter WHERE occasion = 'sign_in'")
    op.execute("DELETE FROM challenge WHERE asked = 'link'")
    op.drop_column("letter", "bounced_at")
    purposes(BEFORE)
