"""The slowest test files, which start first, so that no worker runs one alone at the end.

Also the files that need the loaded demo: all run on one worker, since loading takes a quarter of a minute.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

LONGEST = (
    "tests/security/test_matrix.py",
    "tests/journeys/pages/test_every_page.py",
    "tests/repository/test_wheel.py",
    "tests/security/test_every_secret.py",
    "tests/app/jobs/test_renewals_killed.py",
    "tests/app/jobs/test_webhooks_killed.py",
    "tests/app/http/pages/forms/test_every_form.py",
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
ON_THE_DEMO = (
    "tests/journeys/pages/test_every_page.py",
    "tests/journeys/pages/test_page_weight.py",
    "tests/journeys/learners/test_presentation.py",
    "tests/journeys/pages/test_still_pages.py",
    "tests/app/http/pages/forms/test_every_form.py",
    "tests/app/cli/demo/test_demo_loader.py",
    "tests/app/cli/demo/test_demo_witness.py",
    "tests/app/cli/operations/test_lti.py",
    "tests/app/cli/operations/test_mail.py",
    "tests/app/cli/operations/test_tokens_and_keys.py",
    "tests/app/cli/operations/test_transfer.py",
    "tests/app/cli/publishing/test_sites.py",
    "tests/app/cli/publishing/test_sites_of_people.py",
    "tests/app/cli/test_award.py",
    "tests/app/cli/test_command.py",
    "tests/app/cli/test_frameworks.py",
    "tests/app/cli/test_networks.py",
    "tests/app/cli/test_operators.py",
    "tests/app/cli/test_reports.py",
    "tests/app/cli/verification/test_verify.py",
    "tests/app/cli/verification/test_verify_package.py",
)
_PLACE = {path: place for place, path in enumerate(LONGEST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _PLACE.get(_file_of(item.nodeid), len(LONGEST)))
    needing = {
        _file_of(item.nodeid) for item in items if "demo_template" in getattr(item, "fixturenames", ())
    }
    if left := sorted(needing.difference(ON_THE_DEMO)):
        raise pytest.UsageError(f"These need the demo and are missing in ON_THE_DEMO: {', '.join(left)}")


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


class FilesInTurn(LoadFileScheduling):
    """Schedules by file; files on the demo count as one."""

    def _split_scope(self, nodeid: str) -> str:
        file = _file_of(nodeid)
        return "the demo" if file in ON_THE_DEMO else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesInTurn | None:
    return FilesInTurn(config, log) if config.getoption("dist") == "loadfile" else None
