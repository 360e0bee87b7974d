"""The models for new badges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.core import resource_folder
from app.services.badges.wording import BadgeModel, read_models
from tests.support.app import App
from tests.support.running.every import for_each

MODELS = read_models(resource_folder("badge_templates"))


def test_each_kind_has_two_models_at_least_with_a_name_of_their_own():
    assert (
        len({model.slug for model in MODELS}) == len({model.wording.name for model in MODELS}) == len(MODELS)
    )
    for kind in BadgeKind:
        assert sum(model.kind is kind for model in MODELS) >= 2


@for_each("model", MODELS, ids=lambda model: model.slug)
def test_a_badge_made_from_a_model_lacks_at_most_its_competency(app: App, model: BadgeModel):
    wording = replace(model.wording, name=f"{model.wording.name} du jour")
    with app.unit_of_work() as services:
        page = services.badges.create(app.campus, wording, draft=True, by=Actor(app.admin.id))
        lacks = {lack.field for lack in services.badges.manuscript(app.campus, page.badge.id).lacks}
    assert lacks == ({"competences"} if model.kind is BadgeKind.COMPETENCY else set())
    assert bool(model.ideas) is model.kind.is_assessed


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.slug)
def test_sentences_of_models_are_short(model: BadgeModel):
    text = f"{model.wording.description} {model.wording.criteria.replace(chr(10), ' . ')}"
    assert all(len(sentence.split()) <= 21 for sentence in text.replace(":", ".").split("."))
    assert "'" not in text
