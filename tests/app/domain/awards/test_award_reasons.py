"""Reasons are kept as facts and said late: numbers and rules as the reader writes them."""

from __future__ import annotations

import json

from app.domain.activities import ActivityKind, PartKind
from app.domain.awards import in_words, rule_facts
from app.domain.badges.rules import Condition, Measure, Period, Rule, missing_words, rule_words
from app.language import speaking
from tests.app.domain.badges.test_badge_rules import TODAY

RULE = Rule(
    (
        (
            Condition(Measure.ACTIVITIES, 3, (ActivityKind.WORKSHOP,), PartKind.RESOURCE),
            Condition(Measure.HOURS, 90),
        ),
        (Condition(Measure.CONTRIBUTIONS, 4),),
    ),
    Period(months=12),
)


def test_a_rule_that_was_kept_is_said_as_it_would_have_been_said_at_once() -> None:
    progress = RULE.progress([], today=TODAY)
    kept = json.loads(json.dumps(rule_facts(progress)))
    for language in ("fr", "en"):
        with speaking(language):
            assert in_words(kept) == {
                "rule": rule_words(RULE),
                "missing": missing_words(progress.nearest),
            }


def test_numbers_have_the_comma_of_the_reader_and_words_stay() -> None:
    values = {"required": 12.0, "noted": 2.5, "campus": "ITIP"}
    assert in_words(values) == {"required": "12", "noted": "2,5", "campus": "ITIP"}
    with speaking("en"):
        assert in_words(values)["noted"] == "2.5"
    assert in_words(None) == {}
