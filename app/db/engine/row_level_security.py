"""Row-level security between campuses, derived from the tables and built by `sceau migrate` on PostgreSQL.

A transaction sets its campus (`app/db/engine/row_level_security.py`). Before that it reads public rows and those needed to
find the campus, and writes nothing of any campus. The owner of the tables bypasses the policies.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Column, Connection, Engine, Table, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, SQLModel

from app.db.engine.queries import tell
from app.domain import (
    activities,
    activity_log,
    awards,
    badges,
    core,
    frameworks,
    messages,
    people,
    publishing,
    trust,
)
from app.domain.accounts import permissions, rate_limits, sessions, sign_in
from app.domain.activities import check_in, files
from app.domain.activity_log import recovery
from app.domain.awards import batches, open_badges, signed_bytes, signing_clock
from app.domain.badges import shared_definitions
from app.domain.campus import audit_log, campus, integration, lti, registers, sender, team
from app.domain.frameworks import pathways
from app.domain.imports import calendars, imports
from app.domain.learners import (
    connected_apps,
    portfolios,
    presentations,
    ratings,
    requests,
    wallet_authorization,
    wallets,
)
from app.domain.people import consents
from app.domain.publishing import catalogue
from app.domain.reports import counts, editions, facts, ledger, network, surveys
from app.domain.trust import organisations

# --- Every table in one list, for Alembic and for tests


MODULES = (
    activities,
    activity_log,
    audit_log,
    awards,
    badges,
    batches,
    calendars,
    campus,
    catalogue,
    check_in,
    connected_apps,
    consents,
    core,
    counts,
    editions,
    facts,
    files,
    frameworks,
    imports,
    integration,
    ledger,
    lti,
    messages,
    network,
    open_badges,
    organisations,
    consents,
    pathways,
    people,
    permissions,
    portfolios,
    presentations,
    publishing,
    rate_limits,
    ratings,
    recovery,
    registers,
    requests,
    sender,
    sessions,
    shared_definitions,
    sign_in,
    signed_bytes,
    signing_clock,
    surveys,
    team,
    trust,
    wallet_authorization,
    wallets,
)
METADATA = SQLModel.metadata


# --- Row-level security between campuses, derived from the tables and built by `sceau migrate` on PostgreSQL


SHARED = {
    "app_grant": "of a person, whose badges are of several campuses",
    "app_secret": "of a person, found by its secret",
    "alembic_version": "the schema's own",
    "brought_badge": "of a person, from no campus of ours",
    "catalogue_entry": "of public pages; a policy would switch the full-text index off",
    "catalogue_term": "the vocabulary of those entries",
    "connected_app": "of the whole service",
    "choice_change": "of people, until the recovery journal holds it; read by the service alone",
    "challenge": "asked of a browser before anybody is known",
    "framework_search": "labels that everybody may read; a policy would switch the full-text index off",
    "framework_term": "the vocabulary of those labels",
    "federated_account": "of a person, who may work for several campuses",
    "erased_portfolio": "a number that was a portfolio's, read by everybody",
    "endorsement_place": "of an organisation, whose words may be about several campuses",
    "followed_list": "of another service, read by everybody",
    "label": "of a network, given to a campus here or elsewhere, read by everybody",
    "integrity_check": "of the whole service",
    "network": "read by everybody",
    "network_administrator": "of a network and a person",
    "network_key": "of a network",
    "organisation": "a partner of several campuses, read by everybody",
    "organisation_key": "of an organisation",
    "operator": "of the whole service",
    "passkey": "of a person",
    "password": "of a person",
    "person": "one human in several campuses, found again by name and address before a campus knows them",
    "person_address": "of a person",
    "portfolio": "of a person",
    "presentation_request": "of an employer without account, found by its secret",
    "portfolio_group": "of a person",
    "portfolio_piece": "of a person, whose badges are of several campuses",
    "rate_count": "of nobody",
    "recognition": "of a network, about a campus here or elsewhere, read by everybody",
    "session": "of a person, found by its secret",
    "shared_badge": "of a network, read by everybody",
    "shared_badge_version": "of a network, read by everybody",
    "signing_clock": "of the service",
    "set_aside": "of a person, found by its secret",
    "sign_in_link": "of a person, found by its secret",
    "trust_edition": "of a network, read by everybody",
    "worker": "of the machine",
}
"""Tables without a campus, and why."""

OPEN = frozenset(
    (
        "activity", "activity_announcement", "activity_campus", "activity_badge", "activity_competency", "award", "award_evidence", "evidence_disclosure", "badge", "badge_competency", "badge_rating",
        "badge_tally",
        "badge_version", "campus", "campus_picture",
        "campus_log", "competency", "competency_version", "definition_adoption", "endorsement", "erased_award", "framework",
        "framework_association", "framework_release", "log_checkpoint", "log_cosignature", "log_entry",
        "log_tile", "log_witness", "membership", "network_member", "newer_credential", "pathway", "pathway_subject", "pathway_version",
        "peer_recommendation", "signed_credential",
        "status_list", "status_slot",
    )
)  # fmt: skip
"""Readable before a transaction sets its campus: content of public pages, and staff memberships."""

_OPENED = {
    "award": "{row}.visibility = 'open'",
    "badge_rating": "{row}.sentence_state = 'shown'",
    "pathway": "{row}.number > 0",
    "peer_recommendation": "{row}.accepted_at IS NOT NULL AND {row}.declined_at IS NULL AND {row}.withdrawn_at IS NULL "
    "AND {row}.set_aside_at IS NULL",
}
"""Which rows of an OPEN table are public, where not all; a child row is public when its parent is."""

APPENDED = frozenset(
    ("history_entry", "log_entry", "log_tile", "log_checkpoint", "log_cosignature", "alembic_version")
)
"""Append-only for the application."""

FORGOTTEN = {"history_entry": ("actor_id", "actor_label", "noun_id", "facts")}
"""Columns an erasure may empty in an append-only table; its trigger allows no other update."""

# Not in a subquery: cheaper for one row, the usual public query. Of tables in LISTED it is one, evaluated once.
HERE = "nullif(current_setting('sceau.campus', true), '')::uuid"
_ASKING = "nullif(current_setting('sceau.person', true), '')::uuid"
_REACH = "coalesce(current_setting('sceau.reach', true), '')"
_ORGANISED = "EXISTS (SELECT 1 FROM activity_campus o WHERE o.activity_id = {} AND o.campus_id = {})"

_ACCEPTED = _ORGANISED.removesuffix(")") + " AND o.accepted_at IS NOT NULL)"

LISTED = frozenset(
    (
        "activity",
        "activity_campus",
        "award",
        "badge_request",
        "campus_activity",
        "campus_person",
        "history_entry",
        "participation",
    )
)
"""Of these, pages read many rows at once: a policy that reads settings for each of 100,000 rows takes 0.3 s."""

# Co-organising campuses see each other's rows of the activity; a policy may not read its own table, so
# functions do.
_FUNCTIONS = {
    "organised_here": _ORGANISED.format("activity", HERE),
    "may_be_organised_here": f"{HERE} IS NOT NULL AND (organised_here(activity) OR NOT "  # noqa: S608 - names of our own
    "EXISTS (SELECT 1 FROM activity_campus o WHERE o.activity_id = activity))",
}
_OF_CAMPUS = {
    "campus": f"{{row}}.id = {HERE}",
    "activity": _ORGANISED.format("{row}.id", HERE),
    "activity_campus": f"({{row}}.campus_id = {HERE} OR organised_here({{row}}.activity_id))",
    **dict.fromkeys(("activity_change", "activity_count"), _ORGANISED.format("{row}.activity_id", HERE)),
    # A campus that was only asked sees no person of the activity.
    "participation": _ACCEPTED.format("{row}.activity_id", HERE),
    # Actions of a person without a campus are visible to each of their campuses.
    "consent": f"(coalesce({{row}}.campus_id, {HERE}) = {HERE})",
    "person_merge": f"(coalesce({{row}}.campus_id, {HERE}) = {HERE})",
}
_MAY_BE_ADDED = {
    "activity": f"{HERE} IS NOT NULL",
    "activity_campus": "may_be_organised_here(activity_id)",
    "history_entry": "campus_id IS NULL OR (noun = 'activity' AND organised_here(noun_id) AND EXISTS (SELECT 1 "
    "FROM activity_campus o WHERE o.activity_id = noun_id AND o.campus_id = history_entry.campus_id))",
    "letter": "campus_id IS NULL",
}
"""Extra INSERT conditions: rows without an owner yet or of several campuses; an invited campus gets an audit
event."""
_MAY_STAND = {"activity_campus": "organised_here(activity_id)"}
"""A campus cannot add itself to another campus's activity."""


_IS_SHARED = "EXISTS (SELECT 1 FROM framework f WHERE f.id = {}.framework_id AND f.campus_id IS NULL)"
_OF_FRAMEWORKS = {
    "framework": "campus_id IS NULL",
    **{
        name: _IS_SHARED.format(name) for name in ("competency", "framework_association", "framework_release")
    },
    "competency_version": "EXISTS (SELECT 1 FROM competency c JOIN framework f ON f.id = c.framework_id "
    "WHERE c.id = competency_version.competency_id AND f.campus_id IS NULL)",
}
"""Every campus reads the public frameworks and those of networks; only commands write them."""

_GRANTED = (
    "SELECT DISTINCT grantee FROM information_schema.role_table_grants WHERE table_schema = current_schema() "
    "AND table_name = 'alembic_version' AND grantee NOT IN (grantor, 'PUBLIC')"
)
_STANDING = (
    "SELECT obj_description(to_regclass('alembic_version'), 'pg_class'), "
    "has_table_privilege(to_regclass('alembic_version'), 'SELECT')"
)


class MissingRowLevelSecurity(Exception):
    """A table with no defined link to a campus."""


def walled() -> list[Table]:
    return [table for table in METADATA.sorted_tables if table.name not in SHARED]


def belongs(table: Table, row: str = "") -> str:
    """SQL condition for rows of the current campus: by their own column, else by their parent row."""
    row = row or table.name
    if table.name in _OF_CAMPUS:
        return _OF_CAMPUS[table.name].format(row=row)
    if "campus_id" in table.c:
        return f"{row}.campus_id = {HERE}"
    column = next(filter(leads_to_a_campus, table.columns), None)
    if column is None:
        raise MissingRowLevelSecurity(
            f"{table.name}: name its campus, or explain in app/db/engine/row_level_security.py why it has none"
        )
    above, alias = next(iter(column.foreign_keys)).column, f"{row}_above"
    found = f"{alias}.{above.name} = {row}.{column.name} AND {belongs(above.table, alias)}"
    return f"EXISTS (SELECT 1 FROM {above.table.name} {alias} WHERE {found})"  # noqa: S608 - names of our own


def leads_to_a_campus(column: Column[object]) -> bool:
    return not column.nullable and any(key.column.table.name not in SHARED for key in column.foreign_keys)


def opened(table: Table, row: str = "") -> str:
    """SQL condition for publicly readable rows of a table in OPEN; empty where all are.

    A child of a private row is private.
    """
    row = row or table.name
    own = _OPENED[table.name].format(row=row) if table.name in _OPENED else ""
    return " AND ".join(filter(None, (own, _opened_with_parent(table, row))))


def _opened_with_parent(table: Table, row: str) -> str:
    for column in table.columns:
        for key in column.foreign_keys:
            above, alias = key.column, f"{row}_opened"
            if above.table.name in _OPENED:
                found = f"{alias}.{above.name} = {row}.{column.name} AND {opened(above.table, alias)}"
                exists = f"EXISTS (SELECT 1 FROM {above.table.name} {alias} WHERE {found})"  # noqa: S608 - names of our own
                return f"({row}.{column.name} IS NULL OR {exists})" if column.nullable else exists
    return ""


def _policies(table: Table) -> Iterator[str]:
    # PostgreSQL evaluates policies by name, the last one first: public reads never evaluate the campus
    # policy.
    name, mine, reach = table.name, belongs(table), _REACH
    check = _MAY_STAND.get(name, mine)
    if name in LISTED:
        # What is written is checked row by row: `check` stays without subqueries.
        mine, reach = mine.replace(HERE, f"(SELECT {HERE})"), f"(SELECT {_REACH})"
    if name == "campus":
        yield f"CREATE POLICY world ON {name} FOR SELECT USING (true)"
    elif name in OPEN:
        shown = " AND ".join(filter(None, (f"{reach} = ''", opened(table))))
        yield f"CREATE POLICY world ON {name} FOR SELECT USING ({shown})"
    yield f"CREATE POLICY campus ON {name} USING ({mine}) WITH CHECK ({check})"
    yield f"CREATE POLICY everywhere ON {name} USING ({reach} = 'everywhere')"
    if name == "person_merge":
        # For one person at several campuses: each of them must know that two records are one person.
        yield f"CREATE POLICY seen ON {name} FOR SELECT USING ({HERE} IS NOT NULL)"
    if name in _OF_FRAMEWORKS:
        yield f"CREATE POLICY shared ON {name} FOR SELECT USING ({_OF_FRAMEWORKS[name]})"
    if name == "membership":
        yield f"CREATE POLICY own ON {name} FOR SELECT USING (person_id = {_ASKING})"
    if name in _MAY_BE_ADDED:
        yield f"CREATE POLICY added ON {name} FOR INSERT WITH CHECK ({_MAY_BE_ADDED[name]})"


_PUBLISHED_KEYS = (
    "CREATE VIEW published_key AS SELECT campus_id, method_id, public_jwk, revoked_at, created_at "
    "FROM signing_key WHERE purpose <> 'activity_log'"
)
"""Public keys, readable by everyone: the view reads as the owner of the tables."""

_NAMED_AWARD = (
    "CREATE FUNCTION award_named(number uuid) RETURNS SETOF award LANGUAGE sql STABLE SECURITY DEFINER "
    "{search_path} AS $$ SELECT * FROM award WHERE id = number $$"
)
"""One award by id, closed or not: the service must know that a page is closed to answer for it."""


def search_path(schema: str) -> str:
    """Of functions that run as the owner: no object of a caller's, not even a temporary one, comes before ours."""
    return f"SET search_path TO pg_catalog, {schema}, pg_temp"


def schema_of(connection: Connection) -> str:
    return str(connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one())


def _statements(schema: str = "current_schema") -> Iterator[str]:
    yield _PUBLISHED_KEYS
    yield _NAMED_AWARD.format(search_path=search_path(schema))
    for name, body in _FUNCTIONS.items():
        yield (
            f"CREATE FUNCTION {name}(activity uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER "
            f"{search_path(schema)} AS $$ SELECT {body} $$"
        )
    for table in walled():
        yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY"
        yield from _policies(table)


def _grants(role: str, work_schema: str) -> Iterator[str]:
    for name in sorted({*METADATA.tables, *APPENDED}):
        privileges = "SELECT" if name == "alembic_version" else "SELECT, INSERT"
        yield f"REVOKE ALL ON {name} FROM {role}"
        yield f"GRANT {privileges if name in APPENDED else privileges + ', UPDATE, DELETE'} ON {name} TO {role}"
    for name, columns in FORGOTTEN.items():
        yield f"GRANT UPDATE ({', '.join(columns)}) ON {name} TO {role}"
    yield f"GRANT SELECT ON published_key TO {role}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
    yield f"CREATE SCHEMA IF NOT EXISTS {work_schema}"
    yield f"GRANT ALL ON SCHEMA {work_schema} TO {role}"


def take_down(connection: Connection) -> None:
    """Drop RLS policies before migrating, which may drop columns they use; restored in the same
    transaction."""
    connection.exec_driver_sql("DROP VIEW IF EXISTS published_key")
    policies = text("SELECT tablename, policyname FROM pg_policies WHERE schemaname = current_schema()")
    for table, policy in connection.execute(policies).all():
        connection.exec_driver_sql(f'DROP POLICY "{policy}" ON "{table}"')
    for name in ("award_named", *reversed(_FUNCTIONS)):
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}(uuid)")


def build(connection: Connection, role: str, work_schema: str, serves: Iterable[str] = ()) -> None:
    """`role`: the application's database role; empty where that is the owner, which bypasses RLS.

    `serves`: the revisions of programs that work on this schema, noted for them.
    """
    roles = {*connection.execute(text(_GRANTED)).scalars(), role} - {""}
    quote = connection.dialect.identifier_preparer.quote
    grants = (each for one in roles for each in _grants(quote(one), work_schema))
    for statement in (*_statements(schema_of(connection)), *grants):
        connection.exec_driver_sql(statement)
    mark = " ".join((_digest(), *serves))
    connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{mark}'")


def stand(connection: Connection) -> bool:
    """Whether the policies match this version, and this connection's role has its grants."""
    if connection.dialect.name != "postgresql":
        return True
    mark, may_read = connection.execute(text(_STANDING)).one()
    return bool(may_read) and str(mark).split()[:1] == [_digest()]


def served(connection: Connection) -> Collection[str]:
    """The revisions of programs that work on this schema, as the program noted that built it; none on SQLite."""
    if connection.dialect.name != "postgresql":
        return ()
    mark, may_read = connection.execute(text(_STANDING)).one()
    return str(mark).split()[1:] if may_read else ()


def hold_back(engine: Engine) -> bool:
    """Whether RLS applies to this connection's role."""
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT row_security_active('award')")).scalar_one())


def _digest() -> str:
    """Digest of the policies: a database with another digest needs `sceau migrate`."""
    return hashlib.sha256("\n".join((*_statements(), *sorted(APPENDED), str(FORGOTTEN))).encode()).hexdigest()


# --- tenant scope of one transaction

_SET = (
    "SELECT set_config('sceau.reach', %(reach)s, true), set_config('sceau.campus', %(campus)s, true), "
    "set_config('sceau.person', %(person)s, true)"
)

_GET = text(
    "SELECT coalesce(current_setting('sceau.reach', true), ''), coalesce(current_setting('sceau.campus', true), ''), "
    "coalesce(current_setting('sceau.person', true), '')"
)

_Found = TypeVar("_Found")

_SCOPE = "tenant scope"
_WORLD = {"reach": "", "campus": "", "person": ""}
_EVERYWHERE = {**_WORLD, "reach": "everywhere"}
WHOLE_DATABASE = "sceau.reach=everywhere"
"""The session setting with which a dump sees the rows of every campus."""


@dataclass(frozen=True, eq=False)
class TenantScope:
    session: Session

    def enter(self, campus_id: uuid.UUID, person_id: uuid.UUID | None = None) -> None:
        """Restricts this transaction to rows of that campus.

        It also reads the memberships of `person_id`, the user, at other campuses.
        """
        self._set("campus", str(campus_id), str(person_id or ""))

    def bypass(self) -> None:
        """For workers and commands, and to find a campus by a secret that identifies it."""
        self._set("everywhere")

    def leave(self) -> None:
        """Back to publicly readable rows."""
        self._set("")

    @contextmanager
    def across_campuses(self) -> Iterator[None]:
        """For one query about a person whom several campuses may know; restores the scope afterwards."""
        self.session.flush()
        connection = self.session.connection()
        before = connection.execute(_GET).one() if connection.dialect.name == "postgresql" else ("", "", "")
        known = self.session.info.get(_SCOPE, _WORLD)
        is_there = before[0] == known["reach"] == _EVERYWHERE["reach"]
        if not is_there:
            self.bypass()
        within = self.session.info.get(_SCOPE)
        try:
            yield
            self.session.flush()
        except BaseException:
            self._set_after_error(*before)
            raise
        if not is_there or self.session.info.get(_SCOPE) is not within:
            self._set(*before)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Afterwards the scope is as before, that of a command too."""
        before = self.session.info.get(_SCOPE, _WORLD)
        try:
            yield
        except BaseException:
            self._set_after_error(**before)
            raise
        self._set(**before)

    def _set_after_error(self, reach: str, campus: str = "", person: str = "") -> None:
        """Where the transaction is gone, its scope is too, and the first error is the one to report."""
        with suppress(SQLAlchemyError):
            self._set(reach, campus, person)

    def _set(self, reach: str, campus: str = "", person: str = "") -> None:
        scope = {"reach": reach, "campus": campus, "person": person}
        self.session.info[_SCOPE] = scope
        _apply(self.session, scope)


@contextmanager
def rows_named(session: Session, of: uuid.UUID | None = None) -> Iterator[None]:
    """For one query by identifiers that the caller already holds: rows of every campus, whatever the
    scope. `of`: the campus of the rows, where known; its own scope suffices."""
    before = session.info.get(_SCOPE, _WORLD)
    is_theirs = of is not None and (before["reach"], before["campus"]) == ("campus", str(of))
    if is_theirs or before["reach"] == _EVERYWHERE["reach"]:
        yield
        return
    _apply(session, _EVERYWHERE)
    yield
    # After an error the transaction is gone, and its scope with it.
    _apply(session, before)


@contextmanager
def rows_named_outside(session: Session) -> Iterator[None]:
    """The same before the transaction sets its campus; afterwards, the query is limited to that campus."""
    if session.info.get(_SCOPE, _WORLD) != _WORLD:
        yield
        return
    with rows_named(session):
        yield


def found_by_name(session: Session, find: Callable[[], _Found | None]) -> _Found | None:
    """The row found by one query by identifier, including a closed award before the transaction sets its
    campus.

    Publicly readable rows are found by the first query, without any other statement.
    """
    found = find()
    if found is None and session.get_bind().dialect.name == "postgresql":
        with rows_named_outside(session):
            return find()
    return found


def _apply(session: Session, scope: dict[str, str]) -> None:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        tell(connection, _SET, scope)
