"""What an integrator's program does with the generated client: person, activity, award, read, verify."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import TypeVar
from uuid import UUID

from client.api.activities import create_activity
from client.api.awards import award_badge, get_award, get_credential
from client.api.people import upsert_person
from client.api.verification import verify_credential
from client.client import AuthenticatedClient
from client.models.activity_creation import ActivityCreation
from client.models.activity_kind import ActivityKind
from client.models.activity_view import ActivityView
from client.models.award_batch_view import AwardBatchView
from client.models.award_view import AwardView
from client.models.awards_request import AwardsRequest
from client.models.get_credential_response_200 import GetCredentialResponse200
from client.models.person_facts import PersonFacts
from client.models.receipt_view import ReceiptView
from client.models.recipient_line import RecipientLine
from client.models.report_view import ReportView
from client.models.verify_credential_json_body_type_0 import VerifyCredentialJsonBodyType0

SLUG = "itip"
Answer = TypeVar("Answer")


def good(answer: object, kind: type[Answer]) -> Answer:
    if not isinstance(answer, kind):
        raise TypeError(f"{kind.__name__} was expected: {answer}")
    return answer


def main(base_url: str, token: str, badge: str) -> None:
    with AuthenticatedClient(base_url=base_url, token=token) as client:
        facts = PersonFacts(given_name="Maël", family_name="Kervran", address="mael.kervran@exemple.fr")
        person = good(upsert_person.sync(SLUG, "PY-1", client=client, body=facts), ReceiptView)
        day = date(2026, 11, 24)
        wanted = ActivityCreation(kind=ActivityKind.WORKSHOP, title="Atelier", starts_on=day, ends_on=day)
        activity = good(create_activity.sync(SLUG, client=client, body=wanted), ActivityView)
        people = [RecipientLine.from_dict(facts.to_dict())]
        request = AwardsRequest(badge=UUID(badge), activity=activity.id, people=people)
        batch = good(award_badge.sync(SLUG, client=client, body=request), AwardBatchView)
        award_id = good(batch.lines[0].award, UUID)
        award = good(get_award.sync(SLUG, award_id, client=client), AwardView)
        credential = good(get_credential.sync(SLUG, award_id, client=client), GetCredentialResponse200)
        presented = VerifyCredentialJsonBodyType0.from_dict(credential.to_dict())
        report = good(verify_credential.sync(client=client, body=presented), ReportView)
    print(json.dumps({"person": str(person.id), "award": str(award.id), "verdict": report.verdict}))


if __name__ == "__main__":
    main(*sys.argv[1:])
