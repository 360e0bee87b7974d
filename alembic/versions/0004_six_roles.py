"""Six roles in a campus."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TWO = ("campus_admin", "trainer")
SIX = ("campus_admin", "designer", "trainer", "reviewer", "auditor", "dpo")


def allow(roles: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("membership_role", "membership", type_="check")
    # On SQLite the table is written anew, and its CHECK is not among what is carried over.
    with op.batch_alter_table("membership", recreate="auto") as batch:
        batch.create_check_constraint("membership_role", f"role IN {roles}")


def upgrade() -> None:
    allow(SIX)


def downgrade() -> None:
    """Roles that were not known then end with it."""
    op.execute(f"DELETE FROM membership WHERE role NOT IN {TWO}")  # noqa: S608 - our own words
    allow(TWO)
