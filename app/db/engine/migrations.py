"""Bring a database to the newest schema, or back, with Alembic."""

from __future__ import annotations

from functools import cache

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from alembic import command
from app.domain.core.resources import resource_folder
from app.tenancy import row_level_security as walls

_FOLDER = resource_folder("alembic")


def configuration(url: str, *, granted_to: str = "") -> Config:
    """`granted_to`: the role that the application connects as, where that is not the owner of the tables."""
    config = Config()
    config.set_main_option("granted_to", granted_to.replace("%", "%%"))
    config.set_main_option("script_location", str(_FOLDER))
    # Alembic interpolates %, which may stand in a password.
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head", *, granted_to: str = "") -> None:
    command.upgrade(configuration(url, granted_to=granted_to), revision)


def downgrade(url: str, revision: str = "base") -> None:
    command.downgrade(configuration(url), revision)


def is_current(engine: Engine) -> bool:
    """Whether the database stands at the newest revision and behind the walls that this program knows."""
    with engine.connect() as connection:
        return (
            walls.stand(connection)
            and MigrationContext.configure(connection).get_current_revision() == _newest()
        )


@cache
def _newest() -> str | None:
    """Read once: the scripts of a release do not change, and reading them costs as much as a page."""
    return ScriptDirectory.from_config(configuration("")).get_current_head()
