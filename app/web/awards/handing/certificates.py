"""What stands on the certificate of an award, in the reader's language."""

from __future__ import annotations

from app.container import Services
from app.domain.badges.badges import Kind
from app.http.pages.saying import said
from app.http.pages.typography import say
from app.http.pages.wording import day
from app.language import N_, current_locale
from app.services.awards.awards import AwardRecord
from app.services.awards.handing.papers import CertificateWords
from app.services.badges.pictures import picture_words
from app.services.publishing.publication import Published
from app.web.verification.answers import AnswerShown, shown

ATTACHED = "badge.json"
_LONGEST_FACT = 180
_MOST_COMPETENCIES = 4
_RECEIVED = {
    Kind.BELONGING: N_("a reçu le badge d’appartenance"),
    Kind.PARTICIPATION: N_("a reçu le badge de participation"),
    Kind.ENGAGEMENT: N_("a reçu le badge d’engagement"),
    Kind.ATTITUDE: N_("a reçu le badge de savoir-être"),
    Kind.COMPETENCY: N_("a reçu le badge de compétence"),
    Kind.REALISATION: N_("a reçu le badge de réalisation"),
}
_RECOGNISES = N_("reconnaît par ce badge, à la personne à qui il a été donné,")


def certificate_of(services: Services, record: AwardRecord) -> Published:
    """The PDF, worded from the signed bytes that were verified just now."""
    answer = shown(services, services.verification.verify_award(record))
    return services.papers.certificate(record, _words(services, record, answer))


def _words(services: Services, record: AwardRecord, answer: AnswerShown) -> CertificateWords:
    campus, version = record.campus, record.version
    badge = answer.badge
    holder = badge.holder if badge else ""
    title = badge.title if badge else version.name
    return CertificateWords(
        title=say(N_("Badge « {title} »")).format(title=title),
        author=say(N_("Campus {name}")).format(name=campus.name),
        by=say(N_("Campus des métiers et des qualifications")),
        campus=campus.name,
        before=say(N_("atteste que")),
        holder=holder,
        after=say(_RECEIVED[version.kind] if holder else _RECOGNISES),
        what=title,
        facts=_facts(record, answer),
        check_title=say(N_("Vérifiez ce badge.")),
        check_words=say(
            N_(
                "Photographiez le code ou tapez l’adresse : la page dit s’il est authentique et s’il est encore "
                "valable aujourd’hui. Le badge signé est joint à ce PDF."
            )
        ),
        fine=say(
            N_("Un badge atteste et reconnaît. Il n’est ni un diplôme ni une certification professionnelle.")
        ),
        badge_words=said(picture_words(campus, version, services.badges.competencies_of(version))),
        code_words=say(N_("Code QR : {address}")).format(
            address=services.addresses.short_in_print(record.award.id)
        ),
        attached=ATTACHED,
        attached_words=say(N_("Le badge signé, à vérifier avec n’importe quel outil Open Badges 3.0")),
        lang=current_locale(),
    )


def _facts(record: AwardRecord, answer: AnswerShown) -> list[tuple[str, str]]:
    zone = record.campus.time_zone
    if answer.badge is None:
        return [(say(N_("Attribué le")), day(record.award.awarded_at, zone))]
    until = record.award.valid_until
    facts = [
        (say(N_("Badge")), answer.badge.kind),
        (say(N_("Attribué le")), answer.badge.awarded),
        (say(N_("Jugé comment")), answer.badge.judged),
        (say(N_("Valable jusqu’au")), day(until, zone) if until else say(N_("sans date de fin"))),
    ]
    facts += [(say(N_("Compétence")), each.name) for each in answer.badge.competencies[:_MOST_COMPETENCIES]]
    return [(label, _short(value)) for label, value in facts]


def _short(value: str) -> str:
    """One page holds no more; the whole is in the badge that is attached."""
    return value if len(value) <= _LONGEST_FACT else value[: _LONGEST_FACT - 1].rstrip() + "…"
