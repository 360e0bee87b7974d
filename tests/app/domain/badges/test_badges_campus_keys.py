"""Frozen versions, label dates, key states, tokens and sessions: the small rules of the house."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.accounts.sessions import (
    ApiToken,
    Proof,
    Scope,
    Session,
    check_session_lives,
    check_token,
    check_token_request,
    learner_link_proof,
)
from app.domain.accounts.sign_in import OtherBrowser, SignInLink, use_link
from app.domain.activities import Activity, ActivityKind, check_activity
from app.domain.badges import (
    ArchivedBadge,
    Badge,
    BadgeKind,
    BadgeVersion,
    FrozenVersion,
    check_may_change,
    check_open,
    check_version,
    next_number,
)
from app.domain.campus.campus import (
    KeyMoveRefused,
    KeyState,
    Label,
    LabelCategory,
    LabelState,
    SealedKey,
    check_label_dates,
    check_slug,
    label_state,
    move_key,
)
from app.domain.frameworks import Competency, check_level
from app.errors import InvalidInput, NotAllowed, NotSignedIn

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def version(**more: object) -> BadgeVersion:
    facts: dict[str, object] = {
        "badge_id": uuid.uuid4(),
        "number": 1,
        "kind": BadgeKind.PARTICIPATION,
        "name": "Idéathon",
        "description": "Deux jours d’idées.",
        "criteria": "La personne a présenté un projet au jury.",
        "created_at": NOON,
    }
    return BadgeVersion(**(facts | more))


def test_a_version_says_enough_to_be_understood() -> None:
    check_version(version(), [])
    for wrong in (
        {"name": " "},
        {"description": ""},
        {"criteria": "Présent."},
        {"validity_days": 0},
        {"name": "n" * 121},
    ):
        with pytest.raises(InvalidInput):
            check_version(version(**wrong), [])


def test_a_badge_of_competency_names_a_competency() -> None:
    with pytest.raises(InvalidInput):
        check_version(version(kind=BadgeKind.COMPETENCY), [])


def test_a_version_that_somebody_holds_never_changes() -> None:
    check_may_change(version())
    with pytest.raises(FrozenVersion):
        check_may_change(version(frozen_at=NOON))


def test_an_archived_badge_is_no_longer_given() -> None:
    badge = Badge(campus_id=uuid.uuid4(), slug="ideathon", created_at=NOON)
    check_open(badge)
    badge.archived_at = NOON
    with pytest.raises(ArchivedBadge):
        check_open(badge)


def test_versions_are_numbered_one_after_the_other() -> None:
    assert next_number([]) == 1
    assert next_number([version(number=3), version(number=2)]) == 4


def test_a_label_holds_from_its_first_day_to_its_last() -> None:
    label = Label(
        issuer="did:web:badges.exemple.fr:campus:itip",
        network_id=uuid.uuid4(),
        category=LabelCategory.EXCELLENCE,
        starts_on=date(2022, 4, 15),
        ends_on=date(2024, 4, 15),
    )
    check_label_dates(label)
    assert label_state(label, on=date(2022, 4, 14)) is LabelState.FUTURE
    assert label_state(label, on=date(2022, 4, 15)) is LabelState.CURRENT
    assert label_state(label, on=date(2024, 4, 15)) is LabelState.CURRENT
    assert label_state(label, on=date(2024, 4, 16)) is LabelState.EXPIRED


def test_a_label_cannot_end_before_it_begins() -> None:
    label = Label(
        issuer="did:web:badges.exemple.fr:campus:itip",
        network_id=uuid.uuid4(),
        category=LabelCategory.STANDARD,
        starts_on=date(2022, 1, 2),
        ends_on=date(2022, 1, 1),
    )
    with pytest.raises(InvalidInput):
        check_label_dates(label)


@pytest.mark.parametrize("slug", ["", "ITIP", "a b", "-a", "a--b", "..", "a/b", "é", "a" * 61])
def test_a_slug_fits_a_did_and_an_address(slug: str) -> None:
    with pytest.raises(InvalidInput):
        check_slug(slug)


def test_an_activity_does_not_end_before_it_begins() -> None:
    activity = Activity(
        kind=ActivityKind.EVENT,
        title="Idéathon",
        starts_on=date(2022, 1, 14),
        ends_on=date(2022, 1, 13),
        created_at=NOON,
    )
    with pytest.raises(InvalidInput):
        check_activity(activity)


def test_a_level_is_one_of_the_competency() -> None:
    competency = Competency(
        framework_id=uuid.uuid4(), code="C1", statement="Souder", levels=["initié", "autonome"]
    )
    check_level(competency, None)
    check_level(competency, 2)
    for wrong in (0, 3):
        with pytest.raises(InvalidInput):
            check_level(competency, wrong)


def key(state: KeyState) -> SealedKey:
    return SealedKey(
        campus_id=uuid.uuid4(),
        algorithm="EdDSA",
        method_id="did:web:exemple.fr#k",
        public_jwk={},
        sealed=b"",
        kek_id="k",
        state=state,
        created_at=NOON,
    )


def test_a_key_moves_only_forward() -> None:
    row = key(KeyState.PENDING)
    for state in (KeyState.ACTIVE, KeyState.VERIFY_ONLY, KeyState.REVOKED):
        move_key(row, state, at=NOON)
    assert (row.activated_at, row.retired_at, row.revoked_at) == (NOON, NOON, NOON)
    for state in KeyState:
        with pytest.raises(KeyMoveRefused):
            move_key(row, state, at=NOON)


def test_a_retired_key_never_signs_again() -> None:
    with pytest.raises(KeyMoveRefused):
        move_key(key(KeyState.VERIFY_ONLY), KeyState.ACTIVE, at=NOON)


def test_a_sign_in_link_opens_once_and_for_ten_minutes() -> None:
    link = SignInLink(person_id=uuid.uuid4(), secret_digest="d", expires_at=NOON + timedelta(minutes=10))
    late = SignInLink(person_id=uuid.uuid4(), secret_digest="d", expires_at=NOON)
    use_link(link, browser_digest="", at=NOON)
    for used in (link, late):
        with pytest.raises(NotSignedIn):
            use_link(used, browser_digest="", at=NOON)


def test_a_link_stays_unused_in_another_browser_than_the_one_that_asked() -> None:
    end = NOON + timedelta(minutes=10)
    link = SignInLink(person_id=uuid.uuid4(), secret_digest="d", browser_digest="ours", expires_at=end)
    with pytest.raises(OtherBrowser):
        use_link(link, browser_digest="another", at=NOON)
    use_link(link, browser_digest="ours", at=NOON)


def session_of(*, until: datetime) -> Session:
    return Session(
        secret_digest="d", person_id=uuid.uuid4(), created_at=NOON, seen_at=NOON, expires_at=until,
        proved_by=Proof.LINK, proved_at=NOON,
    )  # fmt: skip


def test_a_session_ends_at_its_hour_or_when_nobody_comes_any_more() -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    for session, end in (
        (session_of(until=NOON + hour), NOON + hour),
        (session_of(until=NOON + day), NOON + 2 * hour),
    ):
        check_session_lives(session, idle=2 * hour, at=end - timedelta(seconds=1))
        with pytest.raises(NotSignedIn):
            check_session_lives(session, idle=2 * hour, at=end)


def test_a_token_opens_its_scopes_until_it_ends() -> None:
    token = ApiToken(
        campus_id=uuid.uuid4(),
        label="ENT",
        secret_digest="d",
        scopes=["read"],
        created_at=NOON,
        expires_at=NOON + timedelta(days=1),
    )
    check_token(token, Scope.READ, at=NOON)
    with pytest.raises(NotAllowed):
        check_token(token, Scope.AWARD_CREATE, at=NOON)
    with pytest.raises(NotSignedIn):
        check_token(token, Scope.READ, at=NOON + timedelta(days=1))
    token.revoked_at = NOON
    with pytest.raises(NotSignedIn):
        check_token(token, Scope.READ, at=NOON)


@pytest.mark.parametrize(("scopes", "days"), [([], 90), (["keys:read"], 90), (["read"], 0), (["read"], 366)])
def test_a_token_asks_for_known_rights_for_a_year_at_most(scopes: list[str], days: int) -> None:
    with pytest.raises(InvalidInput):
        check_token_request(scopes, timedelta(days=days))


def test_a_private_link_fits_one_award_one_generation_and_one_secret() -> None:
    award, other = uuid.uuid4(), uuid.uuid4()
    proofs = {
        learner_link_proof(b"s" * 32, award, 0),
        learner_link_proof(b"s" * 32, award, 1),
        learner_link_proof(b"s" * 32, other, 0),
        learner_link_proof(b"t" * 32, award, 0),
    }
    assert len(proofs) == 4
    assert all(len(proof) == 40 for proof in proofs)
