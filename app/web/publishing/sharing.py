"""How a learner takes a badge elsewhere: a line for a CV, the form of LinkedIn filled in, a code to print."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from app.container import Services
from app.domain.awards.awards import Visibility
from app.domain.people.guardians import is_minor_for, needs_guardian_for
from app.http.pages.typography import say
from app.http.pages.wording import local, month
from app.language import N_
from app.services.awards.awards import AwardRecord
from app.web.publishing.embeds import frame_html

_LINKEDIN = "https://www.linkedin.com/profile/add"


@dataclass(frozen=True)
class Sharing:
    """`linked_in` opens their form with the four fields below in it; nothing is sent before the learner goes there."""

    short: str
    code: str
    line: str
    html: str
    frame: str
    linked_in: str
    title: str
    organisation: str
    month: str
    number: str


def offers_linked_in(record: AwardRecord) -> bool:
    """LinkedIn is for people of 16 or more: a minor of 15 or more is offered it once they opened the page themselves."""
    if needs_guardian_for(record.person, record.activity):
        return False
    return not is_minor_for(record.person, record.activity) or record.award.visibility is Visibility.OPEN


def sharing_of(services: Services, record: AwardRecord, url: str) -> Sharing:
    """`url` is where the learner's own page of the award is."""
    award, campus = record.award, record.campus
    address = services.addresses.award(award.id)
    short = services.addresses.short_in_print(award.id)
    title = record.version.name
    organisation = say(N_("Campus {name}")).format(name=campus.name)
    given = month(local(award.awarded_at, campus.time_zone))
    number = short.rpartition("/")[2]
    line = say(N_("Badge « {title} », {organisation}, {month}. À vérifier : {address}")).format(
        title=title, organisation=organisation, month=given, address=short
    )
    words = say(N_("Badge « {title} », {organisation}, {month}")).format(
        title=title, organisation=organisation, month=given
    )
    return Sharing(
        short=short,
        code=f"{url}/code",
        line=line,
        html=f'<a href="{escape(address)}">{escape(words)}</a>',
        frame=frame_html(services, record),
        linked_in=f"{_LINKEDIN}?{urlencode(_fields(record, organisation, address, number))}"
        if offers_linked_in(record)
        else "",
        title=title,
        organisation=organisation,
        month=given,
        number=number,
    )


def _fields(record: AwardRecord, organisation: str, address: str, number: str) -> dict[str, str | int]:
    award, zone = record.award, record.campus.time_zone
    given = local(award.awarded_at, zone)
    fields: dict[str, str | int] = {
        "startTask": "CERTIFICATION_NAME",
        "name": record.version.name,
        # Their form takes the number of a page or a name: with both it forgets one.
        **(
            {"organizationId": record.campus.linkedin_id}
            if record.campus.linkedin_id
            else {"organizationName": organisation}
        ),
        "issueYear": given.year,
        "issueMonth": given.month,
        "certUrl": address,
        "certId": number,
    }
    if award.valid_until is not None:
        until = local(award.valid_until, zone)
        fields |= {"expirationYear": until.year, "expirationMonth": until.month}
    return fields
