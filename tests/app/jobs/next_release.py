"""A later release than this one: the same program, with one more migration than it has.

Run as a program it is the command line of that release: `next_release.py FOLDER COMMAND …`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from alembic.script import ScriptDirectory

from app.db.engine import session

NEXT = "9999"
_MIGRATION = '''"""What a later release adds."""

import sqlalchemy as sa

from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
{declared}


def upgrade():
    op.create_table("of_a_later_release", sa.Column("id", sa.Uuid(), primary_key=True))
    op.add_column("award", sa.Column("of_a_later_release", sa.String(20), nullable=True))
    op.create_index("awards_of_a_later_release", "award", ["campus_id", "of_a_later_release"])


def downgrade():
    op.drop_index("awards_of_a_later_release", "award")
    with op.batch_alter_table("award") as batch:
        batch.drop_column("of_a_later_release")
    op.drop_table("of_a_later_release")
'''


def scripts_of_next_release(folder: Path, *, declared: str = "online = True") -> Path:
    """Its migrations: ours and one more."""
    before = ScriptDirectory.from_config(session.configuration("")).get_current_head()
    scripts = shutil.copytree(
        session.SCRIPTS, folder / "alembic", ignore=shutil.ignore_patterns("__pycache__")
    )
    text = _MIGRATION.format(revision=NEXT, before=before, declared=declared)
    (scripts / "versions" / f"{NEXT}_later.py").write_text(text)
    return scripts


if __name__ == "__main__":
    from app.cli.__main__ import main

    session.SCRIPTS = Path(sys.argv[1])
    main(sys.argv[2:])
