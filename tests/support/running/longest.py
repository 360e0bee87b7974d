"""Which test files take longest: they are begun first, so that no worker stands alone with one at the end."""

from __future__ import annotations

import pytest

LONGEST = (
    "tests/security/test_matrix.py",
    "tests/journeys/test_every_page.py",
    "tests/repository/test_wheel.py",
    "tests/security/test_every_secret.py",
    "tests/app/jobs/test_renewals_killed.py",
    "tests/app/jobs/test_webhooks_killed.py",
    "tests/app/cli/demo/test_demo_loader.py",
    "tests/journeys/test_company_recommends.py",
    "tests/journeys/test_employer_checks.py",
    "tests/torture/test_torture.py",
    "tests/app/cli/operations/test_serve.py",
    "tests/app/cli/operations/test_several_workers.py",
    "tests/app/db/engine/test_migrations.py",
    "tests/sceau_credentials/published/test_hostile_badges.py",
    "tests/journeys/awards/test_trainer_awards.py",
    "tests/app/services/reports/test_counting.py",
    "tests/app/web/activities/test_check_in_crowd.py",
    "tests/app/services/activity_log/test_integrity.py",
    "tests/app/services/activity_log/test_restoring.py",
)
_PLACE = {path: place for place, path in enumerate(LONGEST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _PLACE.get(item.nodeid.partition("::")[0], len(LONGEST)))
