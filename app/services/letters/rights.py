"""Letters about somebody's own data: the link that has them erased."""

from __future__ import annotations

from app.db.awards import AwardRecord, AwardStore
from app.domain.access import digest_of
from app.domain.addresses import Addresses
from app.domain.erasures import CONFIRM_LIFE, confirm_token
from app.domain.letters import Letter, Occasion, PromisedLetter
from app.domain.people import is_address
from app.language import N_, speaking
from app.language.typography import say
from app.services.letters.notice import Action, Notice, html_of, text_of

RIGHTS = (Occasion.ERASURE,)


class RightsLetters:
    def __init__(self, awards: AwardStore, addresses: Addresses, secret: bytes) -> None:
        self.awards = awards
        self.addresses = addresses
        self.secret = secret

    def written(self, letter: PromisedLetter) -> Letter | None:
        """None where there is nothing to say any more."""
        record = self.awards.find_record(letter.about_id) if letter.about_id else None
        if record is None:
            return None
        language = record.person.language or record.campus.language
        with speaking(language):
            notice = self._erasure(letter, record)
            return Letter(
                to=letter.address,
                to_name=record.person.name,
                subject=notice.subject,
                text=text_of(notice),
                html=html_of(notice),
                sender_name=notice.campus,
                reply_to=record.campus.contact_email if is_address(record.campus.contact_email) else "",
                key=digest_of(letter.once_key)[:40],
                language=language,
            )

    def _erasure(self, letter: PromisedLetter, record: AwardRecord) -> Notice:
        everywhere = letter.once_key.split("/")[2] == "t"
        token = confirm_token(self.secret, record.award.id, letter.promised_at, everywhere=everywhere)
        reach = (
            N_("dans tous les campus de ce service")
            if everywhere
            else N_("au campus {campus}, et à lui seul")
        )
        return Notice(
            subject=say(N_("Confirmez l’effacement de vos données")),
            greeting=say(N_("Bonjour {name},")).format(name=record.person.given_name or record.person.name),
            lines=[
                say(
                    N_("Quelqu’un, vous sans doute, a demandé que vos données soient effacées {reach}.")
                ).format(reach=say(reach).format(campus=record.campus.short_name)),
                say(
                    N_(
                        "Rien n’est encore effacé. La page qui suit dit ce qui part et ce qui reste ; l’effacement "
                        "ne se défait pas."
                    )
                ),
            ],
            badges=[],
            action=Action(say(N_("Lire, puis décider")), self.addresses.erasure(token)),
            after=[
                say(N_("Ce lien vaut {days} jours. Ne le transférez pas.")).format(days=CONFIRM_LIFE.days)
            ],
            small=[say(N_("Vous n’avez rien demandé ? Ne faites rien : rien ne sera effacé."))],
            campus=say(N_("Campus {name}")).format(name=record.campus.name),
            hue=record.campus.hue,
            liveliness=record.campus.liveliness,
        )
