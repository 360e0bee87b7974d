"""One place for all files that people hand in; photos that lie there already lose what their camera wrote."""

from __future__ import annotations

import hashlib
from io import BytesIO

import sqlalchemy as sa
from PIL import Image, ImageOps

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

PLAIN = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    file = op.create_table(
        "stored_file",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("noun", word("file_noun", "request", "contribution", "activity"), nullable=False),
        sa.Column("noun_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True, index=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", word("file_state", "waiting", "clean", "refused"), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("files_of_noun", "stored_file", ["noun", "noun_id"])
    content = op.create_table(
        "stored_file_content",
        sa.Column("file_id", sa.Uuid(), sa.ForeignKey("stored_file.id"), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("preview", sa.LargeBinary(), nullable=True),
    )
    _move(file, content)
    op.drop_table("request_file_content")
    op.drop_table("request_file")


def _move(file: sa.Table, content: sa.Table) -> None:
    there = op.get_bind()
    # Written out, not read from the database: SQLite would hand ids over as text.
    ids = ("id", "request_id", "file_id", "campus_id", "person_id")

    def table(name: str, *columns: str) -> sa.TableClause:
        typed = [sa.column(each, sa.Uuid()) if each in ids else sa.column(each) for each in columns]
        return sa.table(name, *typed, sa.column("added_at", sa.DateTime(timezone=True)))

    old = table("request_file", "id", "request_id", "name", "media_type")
    bytes_of = table("request_file_content", "file_id", "content")
    request = table("badge_request", "id", "campus_id", "person_id")
    rows = there.execute(
        sa.select(old, request.c.campus_id, request.c.person_id).join(
            request, request.c.id == old.c.request_id
        )
    ).mappings()
    for row in rows.all():
        kept = there.execute(
            sa.select(bytes_of.c.content).where(bytes_of.c.file_id == row["id"])
        ).scalar_one()
        whole, preview = _without_metadata(kept, row["media_type"])
        there.execute(
            file.insert().values(
                id=row["id"],
                campus_id=row["campus_id"],
                noun="request",
                noun_id=row["request_id"],
                person_id=row["person_id"],
                name=row["name"],
                words="",
                media_type=row["media_type"],
                size=len(whole),
                digest=hashlib.sha256(whole).hexdigest(),
                state="clean",
                added_at=row["added_at"],
            )
        )
        there.execute(content.insert().values(file_id=row["id"], content=whole, preview=preview))


def _without_metadata(content: bytes, media_type: str) -> tuple[bytes, bytes | None]:
    """What does not open as a picture is left as it was: it was never shown, and is not now."""
    if media_type not in PLAIN:
        return content, None
    try:
        image = ImageOps.exif_transpose(Image.open(BytesIO(content), formats=(PLAIN[media_type],)))
        plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
        plain.info = {}
        whole, small = BytesIO(), BytesIO()
        plain.save(whole, PLAIN[media_type])
        plain.thumbnail((720, 720))
        plain.convert("RGB").save(small, "JPEG")
    except Exception:
        return content, None
    return whole.getvalue(), small.getvalue()


def downgrade() -> None:
    """Files of requests go back to a place of their own; others have none there."""
    old = op.create_table(
        "request_file",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("request_id", sa.Uuid(), sa.ForeignKey("badge_request.id"), nullable=False, index=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    )
    bytes_of = op.create_table(
        "request_file_content",
        sa.Column("file_id", sa.Uuid(), sa.ForeignKey("request_file.id"), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    there, tables = op.get_bind(), sa.MetaData()
    file = sa.Table("stored_file", tables, autoload_with=there)
    content = sa.Table("stored_file_content", tables, autoload_with=there)
    of_requests = (file.c.noun == "request") & (file.c.state == "clean")
    columns = [file.c[name] for name in ("id", "noun_id", "name", "media_type", "size", "digest", "added_at")]
    names = ["id", "request_id", "name", "media_type", "size", "digest", "added_at"]
    there.execute(old.insert().from_select(names, sa.select(*columns).where(of_requests)))
    kept = sa.select(content.c.file_id, content.c.content).join(file, file.c.id == content.c.file_id)
    there.execute(bytes_of.insert().from_select(["file_id", "content"], kept.where(of_requests)))
    op.drop_table("stored_file_content")
    op.drop_table("stored_file")
