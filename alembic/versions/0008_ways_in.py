"""Ways in: passwords, passkeys, accounts elsewhere, and how each session was proved.

Sessions of before go on as proved by a link when they began; links of before are good in any browser.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BEGINNING = "1970-01-01 00:00:00+00:00"


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    proof = word("session_proof", "link", "password", "passkey", "oidc", "private_link")
    with op.batch_alter_table("session") as session:
        session.add_column(sa.Column("seen_at", MOMENT, nullable=False, server_default=BEGINNING))
        session.add_column(sa.Column("proved_by", proof, nullable=False, server_default="link"))
        session.add_column(sa.Column("proved_at", MOMENT, nullable=False, server_default=BEGINNING))
        session.add_column(sa.Column("browser", sa.String(length=80), nullable=False, server_default=""))
    op.execute("UPDATE session SET seen_at = created_at, proved_at = created_at")
    op.execute("UPDATE session SET proved_by = 'private_link' WHERE award_id IS NOT NULL")
    with op.batch_alter_table("sign_in_link") as link:
        link.add_column(sa.Column("browser_digest", sa.String(length=64), nullable=False, server_default=""))
        link.add_column(sa.Column("codes_tried", sa.Integer(), nullable=False, server_default="0"))
        link.create_index("ix_sign_in_link_browser_digest", ["browser_digest"])
    op.create_table(
        "password",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("hash", sa.String(length=300), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "challenge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "asked",
            word("challenge_asked", "passkey_sign_in", "passkey_enrol", "oidc", "address"),
            nullable=False,
        ),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("browser_digest", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_digest"),
    )
    op.create_index("ix_challenge_person_id", "challenge", ["person_id"])
    op.create_index("ix_challenge_expires_at", "challenge", ["expires_at"])
    op.create_table(
        "passkey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("credential_id"),
    )
    op.create_index("ix_passkey_person_id", "passkey", ["person_id"])
    op.create_table(
        "federated_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("issuer", sa.String(length=400), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("linked_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("issuer", "subject", name="one_person_for_issuer_and_subject"),
        sa.UniqueConstraint("issuer", "person_id", name="one_subject_for_issuer_and_person"),
    )
    op.create_index("ix_federated_account_person_id", "federated_account", ["person_id"])
    op.create_table(
        "rate_count",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("window", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", "window"),
    )
    op.create_index("ix_rate_count_expires_at", "rate_count", ["expires_at"])


def downgrade() -> None:
    for table in ("rate_count", "federated_account", "passkey", "challenge", "password"):
        op.drop_table(table)
    with op.batch_alter_table("sign_in_link") as link:
        link.drop_index("ix_sign_in_link_browser_digest")
        link.drop_column("codes_tried")
        link.drop_column("browser_digest")
    with op.batch_alter_table("session") as session:
        session.drop_constraint("session_proof", type_="check")
        for column in ("browser", "proved_at", "proved_by", "seen_at"):
            session.drop_column(column)
