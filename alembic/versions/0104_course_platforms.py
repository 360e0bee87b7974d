"""Course platforms (LTI 1.3): registrations, keys, courses, linked accounts and launches."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0104"
down_revision = "0107"
branch_labels = None
depends_on = None
online = True

BEFORE = ("passkey_sign_in", "passkey_enrol", "oidc", "address", "link")
_KINDS = sa.Enum(
    "resource", "deep_linking", name="lti_launch_kind", native_enum=False, create_constraint=True, length=32
)


def purposes(words: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("challenge_asked", "challenge", type_="check")
    # On SQLite the table is written anew, and its CHECK is not among what is carried over.
    with op.batch_alter_table("challenge", recreate="auto") as batch:
        batch.create_check_constraint("challenge_asked", f"asked IN {words}")


def _key(name: str, table: str, *, nullable: bool = False, index: bool = True) -> sa.Column:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    purposes((*BEFORE, "lti"))
    op.create_table(
        "lti_platform",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key("campus_id", "campus"),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("issuer", sa.String(400), nullable=False),
        sa.Column("client_id", sa.String(200), nullable=False),
        sa.Column("deployments", sa.JSON(), nullable=False),
        sa.Column("keys_url", sa.String(400), nullable=False),
        sa.Column("token_url", sa.String(400), nullable=False),
        sa.Column("authorization_url", sa.String(400), nullable=False),
        _at("created_at"),
        _at("removed_at", nullable=True),
        _at("token_at", nullable=True),
        _at("token_until", nullable=True),
        sa.Column("trouble", sa.String(60), nullable=False),
        _at("trouble_at", nullable=True),
    )
    in_use = sa.text("removed_at IS NULL")
    op.create_index(
        "lti_platform_in_use", "lti_platform", ["campus_id", "issuer", "client_id"],
        unique=True, sqlite_where=in_use, postgresql_where=in_use,
    )  # fmt: skip
    op.create_table(
        "lti_key",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key("campus_id", "campus"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kek_id", sa.String(16), nullable=False),
        sa.Column("public_jwk", sa.JSON(), nullable=False),
        _at("created_at"),
    )
    op.create_table(
        "lti_course",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key("campus_id", "campus"),
        _key("platform_id", "lti_platform"),
        sa.Column("deployment", sa.String(255), nullable=False),
        sa.Column("context", sa.String(255), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("memberships_url", sa.String(2000), nullable=False),
        sa.Column("line_items_url", sa.String(2000), nullable=False),
        _key("activity_id", "activity", nullable=True),
        _at("seen_at"),
        _at("roster_at", nullable=True),
        sa.UniqueConstraint("platform_id", "deployment", "context", name="lti_course_once"),
    )
    op.create_table(
        "lti_account",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key("campus_id", "campus"),
        _key("platform_id", "lti_platform"),
        sa.Column("subject", sa.String(255), nullable=False),
        _key("person_id", "person"),
        _at("linked_at"),
        sa.UniqueConstraint("platform_id", "subject", name="lti_account_once"),
    )
    op.create_table(
        "lti_launch",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key("campus_id", "campus", index=False),
        _key("platform_id", "lti_platform"),
        sa.Column("secret_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("kind", _KINDS, nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("teaches", sa.Boolean(), nullable=False),
        _key("course_id", "lti_course", nullable=True),
        sa.Column("deployment", sa.String(255), nullable=False),
        sa.Column("badge_id", sa.Uuid(), nullable=True),
        sa.Column("return_url", sa.String(2000), nullable=False),
        sa.Column("return_data", sa.Text(), nullable=False),
        _at("expires_at"),
    )
    op.create_index("lti_launch_by_end", "lti_launch", ["campus_id", "expires_at"])


def downgrade() -> None:
    op.execute("DELETE FROM challenge WHERE asked = 'lti'")
    for table in ("lti_launch", "lti_account", "lti_course", "lti_key", "lti_platform"):
        op.drop_table(table)
    purposes(BEFORE)
