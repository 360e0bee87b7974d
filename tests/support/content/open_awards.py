"""The awards of a campus that have a public page, as an export lists them."""

from __future__ import annotations

from collections.abc import Iterator

from app.container import Services
from app.db.awards import AwardRecord


def open_awards(services: Services, slug: str) -> Iterator[AwardRecord]:
    """Includes revoked awards: their page states that they are no longer valid."""
    for award_id, _ in services.site_inputs.of_open_awards(services.campuses.get(slug)):
        yield services.publication.record(award_id)
