"""What to do next: the few things that one can advise."""

from __future__ import annotations

from typing import Final

from app.language import N_

ASK_FOR_THE_ADDRESS: Final = N_(
    "Demandez à la personne l’adresse de la page de son badge, puis ouvrez-la ici."
)
ASK_FOR_THE_FILE: Final = N_(
    "Demandez le fichier d’origine, ou l’adresse de la page du badge : une copie d’écran ne suffit pas."
)
COME_BACK: Final = N_("Refaites la vérification dans une heure. Si c’est urgent, écrivez à l’émetteur.")
ISSUER_MUST_MEND: Final = N_("C’est à l’émetteur de corriger : la personne n’y peut rien.")
NOT_FOR_US: Final = N_("Demandez à l’émetteur où ce badge se vérifie.")
DO_NOT_RELY: Final = N_("Ne vous fiez à rien de ce que ce fichier affiche.")
