"""Letters about somebody's own data: the link that has them erased."""

from __future__ import annotations

from app.db.awards.awards import AwardRecord, AwardStore
from app.db.people.guardians import GuardianStore
from app.domain.accounts.mailbox_links import LINK_LIFE, Wish, mailbox_token
from app.domain.messages.letters import Letter, Occasion, PromisedLetter
from app.domain.people.guardians import ParentAgreement, parent_proof
from app.domain.publishing.addresses import Addresses
from app.language import N_, speaking
from app.language.typography import say
from app.services.messages.notice import Action, Notice, carrying

_ASKED = (
    N_("{child} a reçu le badge « {title} » du campus {campus}, et voudrait en montrer la page."),
    N_(
        "Avant 15 ans, l’accord d’un parent est nécessaire. Le lien montre ce que tout le monde "
        "verrait ; vous dites oui ou non, et vous pouvez changer d’avis plus tard avec le même lien."
    ),
)
_ASKED_AGAIN = (
    N_(
        "Vous avez accepté que la page du badge « {title} » du campus {campus} s’ouvre. {child} voudrait aussi le "
        "montrer dans son portfolio, ou laisser les moteurs de recherche le trouver."
    ),
    N_(
        "Votre accord ne le disait pas : il faut vous le redemander. Le lien montre la phrase entière. Si vous ne "
        "répondez pas, votre accord reste ce qu’il était."
    ),
)
RIGHTS = (Occasion.ERASURE, Occasion.ARCHIVE, Occasion.PARENT)


class RightsLetters:
    def __init__(
        self, awards: AwardStore, guardians: GuardianStore, addresses: Addresses, secret: bytes
    ) -> None:
        self.awards = awards
        self.guardians = guardians
        self.addresses = addresses
        self.secret = secret

    def written(self, letter: PromisedLetter) -> Letter | None:
        """None where there is nothing to say any more."""
        agreement = None
        if letter.occasion == Occasion.PARENT and letter.about_id:
            agreement = self.guardians.find(letter.about_id)
        award_id = agreement.award_id if agreement else letter.about_id
        record = self.awards.find_record(award_id) if award_id else None
        if record is None:
            return None
        language = record.person.language or record.campus.language
        with speaking(language):
            if agreement:
                notice = self._parent(agreement, record)
            elif letter.occasion == Occasion.ARCHIVE:
                notice = self._archive(letter, record)
            else:
                notice = self._erasure(letter, record)
            to_name = "" if agreement else record.person.name
            return carrying(notice, letter, language=language, to_name=to_name, campus=record.campus)

    def _parent(self, agreement: ParentAgreement, record: AwardRecord) -> Notice:
        token = f"{agreement.id}.{parent_proof(self.secret, agreement.id)}"
        child = record.person.given_name or record.person.name
        values = {"child": child, "title": record.version.name, "campus": record.campus.name}
        asked = _ASKED_AGAIN if agreement.agreed else _ASKED
        return Notice(
            subject=say(N_("{child} vous demande un accord, pour un badge")).format(**values),
            greeting=say(N_("Bonjour,")),
            lines=[
                *(say(line).format(**values) for line in asked),
            ],
            badges=[],
            action=Action(say(N_("Voir la page, puis répondre")), self.addresses.parent(token)),
            after=[say(N_("Gardez cette lettre : son lien sert aussi à reprendre votre accord."))],
            small=[
                say(
                    N_(
                        "Vous n’êtes pas le parent de cette personne ? Ne faites rien : la page reste fermée. Votre "
                        "adresse ne sert qu’à cette question."
                    )
                )
            ],
            campus=say(N_("Campus {name}")).format(name=record.campus.name),
            hue=record.campus.hue,
            liveliness=record.campus.liveliness,
        )

    def _archive(self, letter: PromisedLetter, record: AwardRecord) -> Notice:
        token = mailbox_token(self.secret, record.award.id, letter.promised_at, Wish.ARCHIVE)
        return Notice(
            subject=say(N_("Vos données, à emporter")),
            greeting=say(N_("Bonjour {name},")).format(name=record.person.given_name or record.person.name),
            lines=[
                say(
                    N_(
                        "Vous avez demandé tout ce que ce service garde de vous. L’archive se fait quand vous ouvrez "
                        "le lien : elle est à jour."
                    )
                )
            ],
            badges=[],
            action=Action(say(N_("Emporter mes données")), self.addresses.archive(token)),
            after=[say(N_("Ce lien vaut {days} jours. Ne le transférez pas.")).format(days=LINK_LIFE.days)],
            small=[say(N_("Vous n’avez rien demandé ? Ne faites rien, et gardez cette lettre pour vous."))],
            campus=say(N_("Campus {name}")).format(name=record.campus.name),
            hue=record.campus.hue,
            liveliness=record.campus.liveliness,
        )

    def _erasure(self, letter: PromisedLetter, record: AwardRecord) -> Notice:
        wish = Wish(letter.once_key.split("/")[2])
        token = mailbox_token(self.secret, record.award.id, letter.promised_at, wish)
        everywhere = wish is Wish.ERASURE_EVERYWHERE
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
            after=[say(N_("Ce lien vaut {days} jours. Ne le transférez pas.")).format(days=LINK_LIFE.days)],
            small=[say(N_("Vous n’avez rien demandé ? Ne faites rien : rien ne sera effacé."))],
            campus=say(N_("Campus {name}")).format(name=record.campus.name),
            hue=record.campus.hue,
            liveliness=record.campus.liveliness,
        )
