"""The nouns of a campus."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# What the rows say, the database keeps: (table, event, condition on OLD/NEW, sentence).
GUARDS = (
    ("signed_credential", "UPDATE", "1 = 1", "a signed credential never changes"),
    ("signed_credential", "DELETE", "1 = 1", "a signed credential is never deleted"),
    ("status_slot", "DELETE", "1 = 1", "a status slot is never deleted"),
    ("status_slot", "UPDATE", "OLD.raised_at IS NOT NULL", "a revocation is never undone"),
    (
        "status_slot",
        "UPDATE",
        "OLD.list_id <> NEW.list_id OR OLD.position <> NEW.position OR OLD.award_id <> NEW.award_id",
        "a status slot belongs to one award for ever",
    ),
    ("badge_version", "UPDATE", "OLD.frozen_at IS NOT NULL", "a frozen badge version never changes"),
    ("badge_version", "DELETE", "OLD.frozen_at IS NOT NULL", "a frozen badge version is never deleted"),
    ("history_entry", "UPDATE", "1 = 1", "history never changes"),
    ("history_entry", "DELETE", "1 = 1", "history is never deleted"),
    ("campus", "UPDATE", "OLD.slug <> NEW.slug OR OLD.did <> NEW.did", "a campus keeps its address for ever"),
)


def guard_name(number: int) -> str:
    return f"guard_{number:02d}_{GUARDS[number][0]}"


def set_guards() -> None:
    for number, (table, event, condition, sentence) in enumerate(GUARDS):
        name = guard_name(number)
        if op.get_bind().dialect.name == "sqlite":
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            )
            continue
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()"
        )


def lift_guards() -> None:
    for number, (table, *_) in enumerate(GUARDS):
        name = guard_name(number)
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "workshop",
                "event",
                "project",
                "course",
                "immersion",
                name="activity_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("hours", sa.Float(), nullable=True),
        sa.Column("audience", sa.String(length=200), nullable=False),
        sa.Column("declared_size", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name="activity_dates_in_order"),
        sa.CheckConstraint("hours IS NULL OR hours > 0", name="activity_hours_are_positive"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "campus",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("did", sa.String(length=300), nullable=False),
        sa.Column("short_name", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sector", sa.String(length=200), nullable=False),
        sa.Column("carrier", sa.String(length=200), nullable=False),
        sa.Column("site", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("hue", sa.Float(), nullable=False),
        sa.Column("liveliness", sa.Float(), nullable=False),
        sa.Column("names_in_credentials", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("did"),
        sa.UniqueConstraint("slug"),
    )
    op.create_table(
        "network",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("slug"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("given_name", sa.String(length=120), nullable=False),
        sa.Column("family_name", sa.String(length=120), nullable=False),
        sa.Column("allows_name", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "activity_campus",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["activity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.PrimaryKeyConstraint("activity_id", "campus_id"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_digest"),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_campus_id"), ["campus_id"], unique=False)

    op.create_table(
        "badge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column(
            "repeat",
            sa.Enum(
                "once",
                "once_per_activity",
                "always",
                name="badge_repeat",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campus_id", "slug", name="one_badge_per_slug"),
    )
    with op.batch_alter_table("badge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_badge_campus_id"), ["campus_id"], unique=False)

    op.create_table(
        "framework",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campus_id", "code", name="one_framework_per_code"),
    )
    with op.batch_alter_table("framework", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_framework_campus_id"), ["campus_id"], unique=False)

    op.create_table(
        "history_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_label", sa.String(length=120), nullable=False),
        sa.Column("deed", sa.String(length=60), nullable=False),
        sa.Column("noun", sa.String(length=40), nullable=False),
        sa.Column("noun_id", sa.Uuid(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("history_entry", schema=None) as batch_op:
        batch_op.create_index("history_of_campus", ["campus_id", "id"], unique=False)
        batch_op.create_index("history_of_noun", ["noun", "noun_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_history_entry_actor_id"), ["actor_id"], unique=False)

    op.create_table(
        "label",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "standard",
                "excellence",
                name="label_category",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.CheckConstraint(
            "ends_on IS NULL OR starts_on IS NULL OR ends_on >= starts_on", name="label_dates_in_order"
        ),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.ForeignKeyConstraint(
            ["network_id"],
            ["network.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_label_campus_id"), ["campus_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_label_network_id"), ["network_id"], unique=False)

    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "campus_admin",
                "trainer",
                name="membership_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "campus_id", "role", name="one_membership_per_role"),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_campus_id"), ["campus_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_person_id"), ["person_id"], unique=False)

    op.create_table(
        "network_member",
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.ForeignKeyConstraint(
            ["network_id"],
            ["network.id"],
        ),
        sa.PrimaryKeyConstraint("network_id", "campus_id"),
    )
    op.create_table(
        "participation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("line_key", sa.String(length=520), nullable=False),
        sa.Column(
            "part",
            sa.Enum(
                "apprenant",
                "ressource",
                name="participation_part",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("hours", sa.Float(), nullable=True),
        sa.Column("contribution", sa.String(length=1000), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("hours IS NULL OR hours >= 0", name="participation_hours_not_negative"),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["activity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("activity_id", "line_key", name="one_part_per_line"),
        sa.UniqueConstraint("activity_id", "person_id", name="one_part_per_person"),
    )
    with op.batch_alter_table("participation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_participation_activity_id"), ["activity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_participation_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_participation_recorded_by"), ["recorded_by"], unique=False)

    op.create_table(
        "person_address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("name_key", sa.String(length=260), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("address", "name_key", name="one_person_for_name_and_address"),
    )
    with op.batch_alter_table("person_address", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_address_person_id"), ["person_id"], unique=False)

    op.create_table(
        "sign_in_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_digest"),
    )
    with op.batch_alter_table("sign_in_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_link_person_id"), ["person_id"], unique=False)

    op.create_table(
        "signing_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("credential", name="key_purpose", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("algorithm", sa.String(length=10), nullable=False),
        sa.Column("method_id", sa.String(length=400), nullable=False),
        sa.Column("public_jwk", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kek_id", sa.String(length=60), nullable=False),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "active",
                "verify_only",
                "revoked",
                name="key_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("method_id"),
    )
    with op.batch_alter_table("signing_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signing_key_campus_id"), ["campus_id"], unique=False)
        batch_op.create_index(
            "one_active_key",
            ["campus_id", "purpose", "algorithm"],
            unique=True,
            postgresql_where=sa.text("state = 'active'"),
            sqlite_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "status_list",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("status_list", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_status_list_campus_id"), ["campus_id"], unique=False)
        batch_op.create_index(
            "one_open_list",
            ["campus_id"],
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "badge_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("badge_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "appartenance",
                "participation",
                "engagement",
                "savoir-etre",
                "competence",
                "realisation",
                name="badge_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("criteria", sa.String(length=8000), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("validity_days", sa.Integer(), nullable=True),
        sa.Column("required_hours", sa.Float(), nullable=True),
        sa.Column("picture_svg", sa.Text(), nullable=False),
        sa.Column("picture_png", sa.LargeBinary(), nullable=False),
        sa.Column("definition", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "required_hours IS NULL OR required_hours > 0", name="required_hours_are_positive"
        ),
        sa.CheckConstraint("validity_days IS NULL OR validity_days > 0", name="validity_is_positive"),
        sa.ForeignKeyConstraint(
            ["badge_id"],
            ["badge.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("badge_id", "number", name="one_version_per_number"),
    )
    with op.batch_alter_table("badge_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_badge_version_badge_id"), ["badge_id"], unique=False)

    op.create_table(
        "competency",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("framework_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("statement", sa.String(length=500), nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["framework_id"],
            ["framework.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("framework_id", "code", name="one_competency_per_code"),
    )
    with op.batch_alter_table("competency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_competency_framework_id"), ["framework_id"], unique=False)

    op.create_table(
        "award",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("badge_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "issued", "revoked", name="award_state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "visibility",
            sa.Enum(
                "closed",
                "open",
                name="award_visibility",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("holder_name", sa.String(length=250), nullable=True),
        sa.Column("evidence", sa.String(length=4000), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=True),
        sa.Column("hours", sa.Float(), nullable=True),
        sa.Column("contribution", sa.String(length=1000), nullable=False),
        sa.Column("awarded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("awarded_by", sa.Uuid(), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.String(length=500), nullable=False),
        sa.Column("once_key", sa.String(length=120), nullable=True),
        sa.Column("link_generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["activity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["awarded_by"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["badge_id"],
            ["badge.id"],
        ),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["badge_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("once_key"),
    )
    with op.batch_alter_table("award", schema=None) as batch_op:
        batch_op.create_index("awards_of_campus_by_time", ["campus_id", "awarded_at", "id"], unique=False)
        batch_op.create_index("awards_of_person", ["person_id", "awarded_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_activity_id"), ["activity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_awarded_by"), ["awarded_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_badge_id"), ["badge_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_version_id"), ["version_id"], unique=False)

    op.create_table(
        "award_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["activity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["campus_id"],
            ["campus.id"],
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["badge_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campus_id", "idempotency_key", name="one_batch_per_idempotency_key"),
    )
    with op.batch_alter_table("award_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_award_batch_activity_id"), ["activity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_batch_campus_id"), ["campus_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_batch_requested_by"), ["requested_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_batch_version_id"), ["version_id"], unique=False)

    op.create_table(
        "badge_competency",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("competency_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competency_id"],
            ["competency.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["badge_version.id"],
        ),
        sa.PrimaryKeyConstraint("version_id", "competency_id"),
    )
    op.create_table(
        "award_batch_line",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "ready",
                "awarded",
                "already_held",
                "invalid_address",
                "missing_name",
                "missing_evidence",
                "too_few_hours",
                "oneself",
                "repeated_line",
                "unreadable",
                name="line_outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("reason_values", sa.JSON(), nullable=False),
        sa.Column("given_name", sa.String(length=400), nullable=False),
        sa.Column("family_name", sa.String(length=400), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["award_id"],
            ["award.id"],
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["award_batch.id"],
        ),
        sa.PrimaryKeyConstraint("batch_id", "position"),
    )
    with op.batch_alter_table("award_batch_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_award_batch_line_award_id"), ["award_id"], unique=False)

    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["award_id"],
            ["award.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_digest"),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_award_id"), ["award_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "signed_credential",
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("embedded", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("embedded_digest", sa.String(length=64), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["award_id"],
            ["award.id"],
        ),
        sa.PrimaryKeyConstraint("award_id"),
    )
    op.create_table(
        "status_slot",
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("position >= 0", name="slot_position_not_negative"),
        sa.ForeignKeyConstraint(
            ["award_id"],
            ["award.id"],
        ),
        sa.ForeignKeyConstraint(
            ["list_id"],
            ["status_list.id"],
        ),
        sa.PrimaryKeyConstraint("list_id", "position"),
        sa.UniqueConstraint("award_id", name="one_slot_per_award"),
    )

    set_guards()


def downgrade() -> None:
    lift_guards()
    op.drop_table("status_slot")
    op.drop_table("signed_credential")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_person_id"))
        batch_op.drop_index(batch_op.f("ix_session_award_id"))

    op.drop_table("session")
    with op.batch_alter_table("award_batch_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_award_batch_line_award_id"))

    op.drop_table("award_batch_line")
    op.drop_table("badge_competency")
    with op.batch_alter_table("award_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_award_batch_version_id"))
        batch_op.drop_index(batch_op.f("ix_award_batch_requested_by"))
        batch_op.drop_index(batch_op.f("ix_award_batch_campus_id"))
        batch_op.drop_index(batch_op.f("ix_award_batch_activity_id"))

    op.drop_table("award_batch")
    with op.batch_alter_table("award", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_award_version_id"))
        batch_op.drop_index(batch_op.f("ix_award_badge_id"))
        batch_op.drop_index(batch_op.f("ix_award_awarded_by"))
        batch_op.drop_index(batch_op.f("ix_award_activity_id"))
        batch_op.drop_index("awards_of_person")
        batch_op.drop_index("awards_of_campus_by_time")

    op.drop_table("award")
    with op.batch_alter_table("competency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_competency_framework_id"))

    op.drop_table("competency")
    with op.batch_alter_table("badge_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_badge_version_badge_id"))

    op.drop_table("badge_version")
    with op.batch_alter_table("status_list", schema=None) as batch_op:
        batch_op.drop_index(
            "one_open_list",
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_status_list_campus_id"))

    op.drop_table("status_list")
    with op.batch_alter_table("signing_key", schema=None) as batch_op:
        batch_op.drop_index(
            "one_active_key",
            postgresql_where=sa.text("state = 'active'"),
            sqlite_where=sa.text("state = 'active'"),
        )
        batch_op.drop_index(batch_op.f("ix_signing_key_campus_id"))

    op.drop_table("signing_key")
    with op.batch_alter_table("sign_in_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_link_person_id"))

    op.drop_table("sign_in_link")
    with op.batch_alter_table("person_address", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_address_person_id"))

    op.drop_table("person_address")
    with op.batch_alter_table("participation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_participation_recorded_by"))
        batch_op.drop_index(batch_op.f("ix_participation_person_id"))
        batch_op.drop_index(batch_op.f("ix_participation_activity_id"))

    op.drop_table("participation")
    op.drop_table("network_member")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_person_id"))
        batch_op.drop_index(batch_op.f("ix_membership_campus_id"))

    op.drop_table("membership")
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_label_network_id"))
        batch_op.drop_index(batch_op.f("ix_label_campus_id"))

    op.drop_table("label")
    with op.batch_alter_table("history_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_history_entry_actor_id"))
        batch_op.drop_index("history_of_noun")
        batch_op.drop_index("history_of_campus")

    op.drop_table("history_entry")
    with op.batch_alter_table("framework", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_framework_campus_id"))

    op.drop_table("framework")
    with op.batch_alter_table("badge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_badge_campus_id"))

    op.drop_table("badge")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_campus_id"))

    op.drop_table("api_token")
    op.drop_table("activity_campus")
    op.drop_table("person")
    op.drop_table("network")
    op.drop_table("campus")
    op.drop_table("activity")
