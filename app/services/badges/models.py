"""Models of badges to start from, read from `badge_templates/models.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.domain.badges import BadgeKind, Repeat, join_criteria
from app.domain.badges.rules import rule_of
from app.services.badges.wording import Wording


@dataclass(frozen=True)
class BadgeModel:
    """`ideas`: statements of competencies that such a badge usually attests."""

    slug: str
    wording: Wording
    repeat: Repeat
    accepts_requests: bool
    ideas: Sequence[str]

    @property
    def kind(self) -> BadgeKind:
        return self.wording.kind


@cache
def read_models(folder: Path) -> tuple[BadgeModel, ...]:
    """By kind, in the order of the kinds."""
    found = [_model(each) for each in json.loads((folder / "models.json").read_text("utf-8"))]
    return tuple(sorted(found, key=lambda model: list(BadgeKind).index(model.kind)))


def _model(written: dict[str, Any]) -> BadgeModel:
    return BadgeModel(
        slug=written["slug"],
        wording=Wording(
            BadgeKind(written["kind"]),
            written["name"],
            written["description"],
            join_criteria(written["criteria"], written.get("judging", "")),
            tags=written.get("tags", []),
            validity_days=written.get("validity_days"),
            required_hours=written.get("required_hours"),
            rule=rule_of(written.get("rule")),
        ),
        repeat=Repeat(written["repeat"]),
        accepts_requests=written.get("accepts_requests", False),
        ideas=tuple(written.get("ideas", ())),
    )
