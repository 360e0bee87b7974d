"""What people type and paste can be signed, or the sentence says which text stands in the way."""

from __future__ import annotations

import pytest

from app.domain.awards import LineOutcome
from app.domain.campus.audit_log import Actor
from app.errors import InvalidInput
from app.services.awards.awards import AwardRequest, BatchResult
from tests.support.app import App, listed


def award(app: App, text: str, *, evidence: str = "") -> BatchResult:
    request = AwardRequest(
        app.presence.badge.id,
        activity_id=app.activity.id,
        lines=tuple(listed(text)),
        evidence=evidence,
    )
    with app.unit_of_work() as services:
        return services.awards.award(app.campus, request, by=Actor(person_id=app.trainer.id))


def test_a_name_pasted_in_split_letters_is_awarded_like_any_other(app: App) -> None:
    result = award(app, "Lefe\u0300vre;Zoe\u0301;zoe@exemple.fr", evidence="Vu au tra\u0302vail.\u200b")
    assert [line.outcome for line in result.lines] == [LineOutcome.AWARDED]


def test_an_address_in_the_appreciation_is_refused_in_words_before_anything_is_kept(app: App) -> None:
    with pytest.raises(InvalidInput) as refused:
        award(app, "Lefèvre;Zoé;zoe@exemple.fr", evidence="Vu par paul@exemple.fr.")
    assert "adresse e-mail" in refused.value.sentence
    assert [line.outcome for line in award(app, "Lefèvre;Zoé;zoe@exemple.fr").lines] == [LineOutcome.AWARDED]
