"""Each sentence that pages show about data is there, in both languages, and a named test holds it against what happens."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.pofile import read_po

from app.language import gettext as _
from app.language import speaking
from sceau_credentials.verification.run_checks import verify
from tests.support.app import App
from tests.support.badges.documents import Documents
from tests.support.running.every import for_each

ROOT = Path(__file__).parents[2]
FORMS, MINORS = "tests/privacy/test_disclosure_in_every_form.py", "tests/privacy/test_minors.py"
GUARDIANS, ERASURES = (
    "tests/app/services/people/test_guardians.py",
    "tests/app/services/people/test_erasures.py",
)
REISSUING, LEARNER = (
    "tests/app/services/awards/test_reissuing.py",
    "tests/app/web/learners/test_learner_pages.py",
)
PORTFOLIO, OLDER = (
    "tests/app/web/learners/test_portfolio_pages.py",
    "tests/app/web/accounts/test_own_addresses.py",
)
MY_DATA = "tests/app/web/people/test_my_data_pages.py"

HELD_BY = {
    "La page ne montre ni nom, ni adresse, ni âge, ni classe, ni école.": (
        MINORS, "test_the_guardians_page_is_what_everybody_would_read"),
    "De votre enfant, la page ne montre ni nom, ni adresse, ni âge, ni classe, ni école.": (
        MINORS, "test_the_guardians_page_is_what_everybody_would_read"),
    "Les moteurs de recherche sont priés de ne pas l'afficher, sauf si votre enfant le choisit. Elle se "
    "ferme d'un clic, mais ce qui a été téléchargé entre-temps ne peut plus être effacé.": (
        FORMS, "test_search_engines_find_only_what_the_holder_lets_them_find"),
    "Vous avez dit non : la page est fermée.": (GUARDIANS, "test_parent_who_withdraws_consent_closes_the_page"),
    "Depuis une autre adresse, la réponse a été non. Elle compte jusqu'au %(day)s : d'ici là, la page reste fermée.": (
        "tests/app/services/people/test_two_parents.py",
        "test_consent_opens_nothing_while_another_parent_refuses"),
    "Avant 15 ans, aucun nom n'est écrit dans un badge : il n'y en a pas besoin pour le vérifier.": (
        MINORS, "test_a_learner_under_15_is_offered_neither_opening_nor_a_name_nor_linkedin"),
    "Avant 18 ans, le titre de l'activité, le lieu et les commentaires ne sont jamais montrés. Ils pourraient dire une "
    "classe ou une école.": (
        MINORS, "test_the_signed_badge_and_page_of_a_minor_contain_no_class_school_or_comment"),
    "Jamais montrés : l'adresse, l'âge, la classe, le public de l'activité, les autres badges.": (
        FORMS, "test_what_a_holder_hides_is_in_no_public_form_of_any_process"),
    "Le badge est signé de nouveau à la même adresse : la page, les fichiers, les images et les paquets ne contiendront que "
    "cela. Un fichier téléchargé avant garde ce qu'il disait.": (
        FORMS, "test_what_a_holder_hides_is_in_no_public_form_of_any_process"),
    "Toute personne qui a le lien voit ce badge. Les moteurs de recherche sont priés de ne pas l'afficher.": (
        FORMS, "test_search_engines_find_only_what_the_holder_lets_them_find"),
    "La page est fermée. Le lien, l’image et les fichiers publics ne montrent plus rien. Une copie en "
    "mémoire peut rester visible une minute.": (FORMS, "test_a_closed_badge_is_in_no_public_form_of_any_process"),
    "Seulement si elle l'accepte aussi, et jamais avant 15 ans. Sinon le badge ne contient qu'un numéro aléatoire.": (
        FORMS, "test_a_signed_badge_contains_no_address_and_no_digest_of_one"),
    "Un badge est fermé tant que son titulaire ne l’a pas ouvert. Ouvert, il ne montre de l’activité que "
    "ce que son titulaire a choisi. Le badge signé ne contient ni adresse e-mail, ni empreinte d’adresse."
    " Seule sa version Open Badges 2.0 contient une empreinte, si son titulaire le demande.": (
        FORMS, "test_a_signed_badge_contains_no_address_and_no_digest_of_one"),
    "Certaines, en Open Badges 2.0, ne reconnaissent un badge qu'à l'empreinte d'une adresse. Qui connaît l'adresse, ou "
    "la devine, peut la reconnaître.": (
        OLDER, "test_the_hash_of_an_address_stands_in_the_older_rendition_only_while_its_holder_asks"),
    "Les fichiers déjà téléchargés répondront « remplacé ».": (
        REISSUING, "test_earlier_files_read_as_replaced_and_not_as_withdrawn"),
    "Ces fichiers sont à vous, et se vérifient même quand la page est fermée. Le paquet ZIP garde de quoi le faire plus tard "
    "sans ce site, pour qui connaît la clé du campus.": (
        LEARNER, "test_the_files_are_the_stored_badge_and_are_served_while_the_page_is_closed"),
    "Toute personne qui a le lien. Les moteurs de recherche sont priés de ne pas l'afficher.": (
        PORTFOLIO, "test_search_engines_are_excluded_until_the_holder_admits_them"),
    "Sa page est fermée : il n'est pas montré.": (
        PORTFOLIO, "test_only_badges_that_are_open_themselves_are_shown"),
    "Nous lui écrivons à ta demande, pour lui montrer ce qui serait visible et lui demander son avis.": (
        GUARDIANS, "test_a_parent_who_does_not_answer_may_be_reminded_after_a_week"),
    "Le lien de l'archive part à votre adresse : un lien privé qu'on vous aurait emprunté n'y suffit pas.": (
        MY_DATA, "test_the_archive_leaves_by_the_persons_own_mailbox"),
    "Nous vous écrivons d'abord : c'est le lien de cet e-mail qui efface. Ainsi, personne n'efface vos "
    "badges à votre place.": (ERASURES, "test_erasure_waits_until_the_person_confirms_by_the_link"),
    "Ce motif n'est publié nulle part. Pour en parler, écrivez au campus.": (
        FORMS, "test_what_a_revoked_badge_shows_can_still_be_narrowed"),
    "Ce badge nomme {name}, et ce n’est pas le nom que vous avez ici : il ne se montre pas. S’il est à vous, ajoutez à votre "
    "compte l’adresse qu’il contient et confirmez-la, ou demandez à son émetteur un badge à votre nom.": (
        "tests/app/services/learners/test_imported_badges.py",
        "test_badge_with_another_name_is_hidden_unless_it_contains_a_verified_address"),
}  # fmt: skip


@for_each("sentence", HELD_BY, ids=lambda each: each[:40])
def test_a_sentence_about_data_is_shown_in_both_languages_and_has_its_test(sentence: str) -> None:
    path, name = HELD_BY[sentence]
    assert f"def {name}(" in (ROOT / path).read_text()
    with speaking("en"):
        assert _(sentence) != sentence


WITHOUT_US = re.compile("sans ce (?:site|service)|ce service fermait")


def test_sentence_about_files_without_the_service_says_that_the_key_must_be_known(app: App) -> None:
    """A signed file alone is undetermined where the campus's keys cannot be read."""
    award_id = app.award("Zoé Martin; zoe@exemple.fr").lines[0].award_id
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        for form in ("json", "jwt"):
            body = services.publication.award_file(record, form).body
            report = verify(body, documents=Documents(), at=app.clock())
            assert report.verdict.value == "undetermined", form
    catalogue = read_po((ROOT / "app/language/locales/en/LC_MESSAGES/sceau.po").open("rb"))
    said = [str(each.id) for each in catalogue if WITHOUT_US.search(str(each.id))]
    assert said
    assert [each for each in said if "vérifi" in each and "clé" not in each] == []
