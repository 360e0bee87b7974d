"""Everything outside the process except the database."""

from app.language import translated


class Unusable(Exception):
    """A setting cannot be used; the sentence, in the operator's language, contains the remedy."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(translated(sentence).format(**values))
