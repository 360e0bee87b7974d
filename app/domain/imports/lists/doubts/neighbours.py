"""Lines beside a person: titles above, remarks and records below, signatures and recipients of a message."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from app.domain.imports.lists.doubts.notices import is_decorated
from app.domain.imports.lists.mentions import is_one_name, mentions_in
from app.domain.imports.lists.model import Reason
from app.domain.imports.lists.suspicion import Candidate, common_word_in
from app.domain.imports.lists.vocabulary.addresses import LABELS, addresses_in
from app.domain.imports.lists.vocabulary.names import (
    CIVILITIES,
    TITLES,
    fold,
    is_less_common_word,
    may_be_given,
)
from app.domain.imports.lists.vocabulary.remarks import (
    affirms,
    announces_participants,
    denial_in,
    is_class,
    is_of_document,
    is_plain_label,
    is_ticked,
    section_status,
    status_in,
)
from app.domain.imports.lists.vocabulary.wording import (
    CLOSINGS,
    LEADERS,
    ORDINAL,
    OTHER_PARTS,
    PARTICIPANTS,
    holds_judgement,
)


def doubt_neighbours(lines: Sequence[Candidate], *, is_text: bool) -> None:
    _doubt_only_one_under(lines)
    _doubt_labelled(lines)
    if is_text:
        _doubt_introduced(lines)
        _doubt_signature(lines)
        _doubt_letterhead(lines)
        _doubt_records(lines)
        _doubt_alternating(lines)
        _doubt_above(lines)
        _doubt_recipients(lines)


_TIMES_OF_DAY = (6, 22)
_TIME_FIRST = re.compile(r"\s*\d{1,2} ?[hH:]")
"""« 8h30 ; KOFFI Merveille »: before a name, it is no duration."""


def doubt_times(people: Sequence[Candidate]) -> None:
    """Rising hours without a heading may be times of day: « 9h », « 9h20 », « 9h40 »."""
    timed = [one for one in people if one.line.hours]
    hours = [one.line.hours or 0.0 for one in timed]
    first, last = _TIMES_OF_DAY
    if len(set(hours)) > 1 and hours == sorted(hours) and first <= hours[0] and hours[-1] <= last:
        for one, number in zip(timed, hours, strict=True):
            if _TIME_FIRST.match(one.line.text):
                one.line = replace(one.line, hours=None)
                continue
            written = f"{int(number)}h{round(number % 1 * 60):02d}"
            one.line = replace(one.line, hours=None, hours_as_written=written).doubting(
                Reason.HOURS_UNREADABLE, written
            )


def doubt_not_among_present(people: Sequence[Candidate]) -> None:
    """Where some stand under « Présents », the others were perhaps invited only."""
    if any(one.is_of_present and not one.line.doubts for one in people):
        for one in people:
            if not one.is_of_present:
                one.line = one.line.doubting(Reason.UNTICKED)


def _doubt_recipients(lines: Sequence[Candidate]) -> None:
    """Of a message that names people in its text, whom it was sent to is no participant yet."""
    to = {
        one.line.line
        for one in lines
        if ":" in one.line.text and fold(one.line.text.partition(":")[0]) in LABELS["to"]
    }
    below = sum(
        one.is_person
        and any(map(may_be_given, _name_of(one).split()))
        and not {Reason.COPIED, Reason.SENDER} & {doubt.reason for doubt in one.line.doubts}
        and one.line.line > max(to, default=0)
        for one in lines
    )
    for one in lines:
        if one.is_person and below > 1 and {one.line.line, one.line.line + 1} & to:
            one.line = one.line.doubting(Reason.MAYBE_TITLE)


def _doubt_signature(lines: Sequence[Candidate]) -> None:
    """A name alone at the end of a message may be its writer's."""
    if len(lines) < 2 or not any(
        one.line.doubts and one.line.doubts[0].reason is Reason.SENTENCE for one in lines
    ):
        return
    last, before = lines[-1], lines[-2]
    if last.is_person and (not before.is_person or last.line.line > before.line.line + 1):
        last.line = last.line.doubting(Reason.MAYBE_TITLE)


def _doubt_letterhead(lines: Sequence[Candidate]) -> None:
    """A name with a line of its own below it, apart from all others: « Corinne Vial », « Mission locale »."""
    people = [
        index
        for index, one in enumerate(lines)
        if one.is_person and any(map(may_be_given, _name_of(one).split()))
    ]
    if len(people) < 4:
        return
    first, second = people[:2]
    if second > first + 1 and lines[second].line.line > lines[second - 1].line.line + 1:
        lines[first].line = lines[first].line.doubting(Reason.MAYBE_TITLE)
    last = people[-1]
    is_apart = lines[last].line.line > lines[last - 1].line.line + 1
    others = [lines[b].line.line - lines[a].line.line for a, b in pairwise(people[:-1])]
    if is_apart and last + 1 < len(lines) and all(gap == 1 for gap in others):
        lines[last].line = lines[last].line.doubting(Reason.MAYBE_TITLE)


def _name_of(one: Candidate) -> str:
    return one.whole or one.line.name


def _doubt_only_one_under(lines: Sequence[Candidate]) -> None:
    """« Technicienne », and below it one name before a gap: whatever the title means, it sets this person apart."""
    if sum(one.is_person and not _stands_over(one) for one in lines) < 3:
        return
    series = Counter(fold(one.line.text).split(" ")[0] for one in lines if _stands_over(one))
    for index, title in enumerate(lines[:-1]):
        below = lines[index + 1]
        after = lines[index + 2] if index + 2 < len(lines) else None
        if (
            _stands_over(title)
            and series[fold(title.line.text).split(" ")[0]] < 2
            and below.is_person
            and not _stands_over(below)
            and 0 < below.line.line - title.line.line < 3
            and (
                after is None
                or not after.is_person
                or _stands_over(after)
                or after.line.line > below.line.line + 1
            )
        ):
            below.line = below.line.doubting(Reason.UNDER, title.line.text)
    _doubt_below_only_title(lines)


def _doubt_below_only_title(lines: Sequence[Candidate]) -> None:
    """« Pensées pour » apart between names, and no other title like it: whatever it means, it sets apart all below it."""
    people = [index for index, one in enumerate(lines) if one.is_person and not _stands_over(one)]
    between = [
        index
        for index, one in enumerate(lines)
        if people and people[0] < index < people[-1] and _stands_over(one)
    ]
    if len(between) != 1 or not between[0]:
        return
    at = between[0]
    title = lines[at].line
    above = [
        one for one in lines[: people[0]] if fold(one.line.text).split()[:1] == fold(title.text).split()[:1]
    ]
    is_apart = (
        title.line > lines[at - 1].line.line + 1
        or is_decorated(title.text)
        or (_form_of(lines[at - 1]) == _form_of(lines[people[0]]) != _form_of(lines[at]))
    )
    if is_apart and not above:
        for one in lines[at + 1 :]:
            if one.is_person:
                one.line = one.line.doubting(Reason.UNDER, title.text)


def _stands_over(one: Candidate) -> bool:
    """A row that may be a title over others, and is none of a group or of participants."""
    text = one.line.text
    reasons = {doubt.reason for doubt in one.line.doubts}
    bare = re.sub(rf"^\s*{ORDINAL}[.)]\s|\(suite\)", "", text).strip(" ;:|\t~=*_-–—#")
    if one.is_person:
        name = _name_of(one).strip(" ~=*_-–—#[](){}")
        is_title = (
            not one.line.address
            and (len(name.split()) < 2 or Reason.MAYBE_TITLE in reasons or bool(common_word_in(name)))
            and not any(map(may_be_given, name.split()))
        )
    else:
        is_title = bool(reasons & {Reason.TITLE, Reason.SIGNATURE, Reason.SENTENCE}) and not is_of_document(
            bare
        )
    return (
        is_title
        and 0 < len(bare.split()) < 7
        and not re.search(r"[;|:]\s*\S|\t|\d", bare)
        and not is_plain_label(bare)
        and not announces_participants(bare)
        and not section_status(bare)[0]
    )


_NAMING = frozenset(("nom", "prenom", "noms", "prenoms", "a", "to", "pour", "destinataires"))


def _doubt_labelled(lines: Sequence[Candidate]) -> None:
    """« Équipe : Léa Petit » among names without such a label."""
    for one in lines:
        label, colon, rest = one.line.text.partition(":")
        words = fold(label).split()
        if (
            colon
            and one.is_person
            and "\n" not in one.line.text
            and 0 < len(words) < 5
            and "@" not in rest
            and not rest.startswith("//")
            and not any(map(str.isdigit, label))
            and not set(words) & (_NAMING | PARTICIPANTS)
            and not section_status(label)[0]
            and sum(other.is_person and other.line.line == one.line.line for other in lines) == 1
            and not mentions_in(label)
            and set(fold(_name_of(one)).split()) != set(words)
        ):
            one.line = one.line.doubting(Reason.EXTRA, label)


def _doubt_introduced(lines: Sequence[Candidate]) -> None:
    """« Le Maire, » and below it « Odile BRUN », where few lines end so: a signature."""
    ends = [one for one in lines if one.line.text.rstrip().endswith(",")]
    for one, below in pairwise(lines) if 3 * len(ends) <= len(lines) else ():
        if one in ends and below.is_person and not one.line.address:
            below.line = below.line.doubting(Reason.MAYBE_TITLE)


def _doubt_records(lines: Sequence[Candidate]) -> None:
    """« Moyenne : 7,1 », « Décision : refusé » below a name, where other names have the like below them."""
    below: dict[int, list[str]] = {}
    at = None
    for index, one in enumerate(lines):
        if (one.is_person and not re.match(r"[^:@]{3,30}:\s", one.line.text)) or (
            one.is_person and any(map(may_be_given, (one.whole or one.line.name).split()))
        ):
            at = index
        elif at is not None and ":" in one.line.text:
            below.setdefault(at, []).append(one.line.text)
    labels = Counter(fold(text.partition(":")[0]) for texts in below.values() for text in texts)
    for index, texts in below.items():
        for text in texts:
            label, _, value = text.partition(":")
            number = re.match(r"\s*(\d{1,2}(?:[.,]\d+)?)", value)
            is_mark = bool(set(fold(label).split()) & {"moyenne", "note"})
            is_low = is_mark and number is not None and float(number[1].replace(",", ".")) < 10
            judged = holds_judgement(label) and not affirms(value) and not number
            if labels[fold(label)] > 1 and (is_low or judged or denial_in(value)):
                lines[index].line = lines[index].line.doubting(Reason.EXTRA, text.strip())


def _doubt_alternating(lines: Sequence[Candidate]) -> None:
    """« ✅ », « ❌ », « 18/20 », « oui » in a line of its own after each name, or before each; « 14:02 » may stand between."""
    at = [index for index, one in enumerate(lines) if one.is_person and not _may_be_reply(one)]
    strides = {after - before for before, after in pairwise(at)}
    if len(lines) < 4 or strides not in ({2}, {3}):
        return
    stride = strides.pop()
    if at[0] not in (0, stride - 1):
        return
    for index in at:
        other = index + stride - 1 if at[0] == 0 else index - 1
        one, said = lines[index], lines[other].line.text if other < len(lines) else ""
        share = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,3})\s*", said)
        is_good = 2 * int(share[1]) >= int(share[2]) if share else is_ticked(said) or affirms(said)
        if said and not is_good and len(said.split()) < 5 and "@" not in said:
            one.line = one.line.doubting(Reason.EXTRA, said.strip())


def _may_be_reply(one: Candidate) -> bool:
    """« non », « je peux pas », read as if it were a name"""
    words = one.line.text.split()
    return (
        len(words) < 5 and not any(map(str.isupper, "".join(words)[1:])) and not any(map(may_be_given, words))
    )


def _doubt_above(lines: Sequence[Candidate]) -> None:
    """« organisateur », « absente » alone in a line may be about the person above."""
    for one, below in pairwise(lines):
        text = below.line.text
        words = fold(text).split()
        if (
            one.is_person
            and below.line.line == one.line.line + 1
            and words
            and re.fullmatch(r"\(.*\)", text.strip())
        ):
            # « (remplacée par Paul Roux) »
            one.line = one.line.doubting(Reason.MENTIONED, line=below.line.line)
        if (
            one.is_person
            and below.line.line == one.line.line + 1
            and 0 < len(words) < 4
            and not re.search(r"(?::|\(\d{1,3}\))\s*$", text)
            and not mentions_in(text)
            and not is_one_name(text)
            and (
                status_in(text)
                or denial_in(text)
                or _is_role(text)
                or set(words) & (LEADERS | OTHER_PARTS | _OPTIONAL)
            )
            and (not words[0].endswith("s") or text.isupper())
            and words[0] != "liste"
        ):
            one.line = one.line.doubting(Reason.MENTIONED, line=below.line.line)


def _is_role(text: str) -> bool:
    """« AVS », « infirmière », « Coach » alone in a line: a term, and no name."""
    return (
        len(text.split()) == 1
        and "@" not in text
        and fold(text) not in _SIGN_OFFS
        and (
            fold(text) in TITLES
            or (text.isupper() and 1 < len(text) < 6 and text.isalpha())
            or (
                (text.islower() or is_less_common_word(text))
                and not may_be_given(text)
                and not is_class(text)
            )
        )
    )


_SIGN_OFFS = CLOSINGS | {"cdt", "cdlt", "cldt", "bise"}
_OPTIONAL = frozenset(("facultatif", "facultative", "optional", "non", "peut", "provisoire"))


_MARK = re.compile(
    r"\+ ?\d(?!\d)|^//|\[[a-z]\]|…|\.\.\.|\u0336|[*†‡§#!¹²³⁴←→↗…✝❌❗❓⚠🚫⛔➖🟥🔴🟠✗✘👎❎]|[\U0001f612-\U0001f64a\U0001f910-\U0001f92f]"
)


def doubt_marked(people: Sequence[Candidate]) -> None:
    """A sign beside some names has a meaning that the reader does not know; so has a tick that one lacks."""
    if len(people) < 2:
        return
    texts = [addresses_in(_unbulleted(one.line.text))[1] for one in people]
    arrows = sum(bool(_ARROW.match(one.line.text)) for one in people)
    marks = [
        frozenset(
            (
                *_MARK.findall(text),
                *_symbols_in(text),
                *_ALONE.findall(_unbulleted(one.line.text).rstrip()),
                *_frame_of(one.line.text),
                *_RUN_FIRST.findall(one.line.text),
                *(_ARROW.findall(one.line.text) if 5 * arrows < 4 * len(people) else ()),
            )
        )
        for text, one in zip(texts, people, strict=True)
    ]
    if any(_EMPTY_BOX.search(one.line.text) for one in people):
        # « [x] » beside « [ ] » is a tick
        marks = [frozenset(mark for mark in found if mark.strip("[] ") not in ("x", "X")) for found in marks]
    counts = Counter(mark for found in marks for mark in found)
    signs = [one.line.text[:1] for one in people]
    if "+" in signs and set(signs) & {"-", "–", "—"}:
        # « + Léa Martin », « - Tom Petit »
        marks = [found | {"-"} if sign in "-–—" else found for found, sign in zip(marks, signs, strict=True)]
        counts["-"] = 0
    # « ☒ » is a ticked box, or a cross beside « ☑ ».
    box = "☒" if not any("☑" in one.line.text or "✓" in one.line.text for one in people) else ""
    ticked = [bool(_TICK.search(one.line.text)) or (box in one.line.text and bool(box)) for one in people]
    said = [one.free and bool(_TICK_IN_WORDS.search(one.line.text)) for one in people]
    if sum(said) > 1 or 2 * sum(said) >= sum(one.free and not one.line.doubts for one in people) > 0:
        ticked = [tick or word or not one.free for tick, word, one in zip(ticked, said, people, strict=True)]
    # A cross under « Absent » is no tick.
    prefixed = [
        None
        if any(doubt.reason is Reason.ABSENT for doubt in one.line.doubts)
        else _MARK_FIRST.match(one.line.text) or _MARK_LAST.search(one.line.text)
        for one in people
    ]
    written = {found[0].strip().lower() for found in prefixed if found}
    counts_rows = any(re.match(r"\s*[2-9]", one.line.text) for one in people)
    if not any(ticked) and (
        (written == {"0", "1"} and not counts_rows) or (written == {"x"} and not all(prefixed))
    ):
        ticked = [found is not None and found[0].strip() != "0" for found in prefixed]
    signed = [_LINE_TO_SIGN.search(one.line.text) for one in people]
    if any(found and found[1] for found in signed):
        # « BRUN Odile ......... » beside « PETIT Léa ......... LP »
        ticked = [tick or found is None or bool(found[1]) for tick, found in zip(ticked, signed, strict=True)]
    empty_box = [bool(_EMPTY_BOX.search(one.line.text)) and not _TICK.search(one.line.text) for one in people]
    ticked = [tick and not empty for tick, empty in zip(ticked, empty_box, strict=True)]
    if any(empty_box) and not any(ticked):
        ticked = [not empty for empty in empty_box]
    hollow = [bool(re.match(r"\s*[○◯□▢☐◇]", one.line.text)) for one in people]
    if any(hollow) and any(re.match(r"\s*[●■☑☒✓✔◆]", one.line.text) for one in people):
        crossed = [not box and "☒" in one.line.text for one in people]
        ticked = [
            tick or not (empty or cross) for tick, empty, cross in zip(ticked, hollow, crossed, strict=True)
        ]
    for one, found, is_marked in zip(people, marks, ticked, strict=True):
        # « Moussa Keïta (2) » is another person of that name.
        # Bare numbers of running text are asked about where they are no marks.
        is_asked = one.free and not one.line.address
        found = frozenset(
            mark for mark in found if mark != str(one.line.homonym) and not (is_asked and mark.isdigit())
        )
        rare = next((mark for mark in sorted(found) if counts[mark] < len(people)), "")
        rare = rare or next((mark for mark in sorted(found) if mark in _NEVER), "")
        if rare and not one.line.doubts:
            one.line = one.line.doubting(Reason.EXTRA, rare)
        elif (any(ticked) or any(empty_box)) and not is_marked and not one.line.doubts:
            one.line = one.line.doubting(Reason.UNTICKED)
        elif is_marked and sum(ticked) == 1 < len(people) - 2 and _CROSS.search(one.line.text):
            # « Léa MARTIN x » alone: ticked, or crossed out.
            one.line = one.line.doubting(Reason.EXTRA, "x")


_ARROW = re.compile(r"^\s*([>→➜➔⇒↳↪])")
_RUN_FIRST = re.compile(rf"^\s*(?:{ORDINAL}\s?[.)°]?\s*)?([-–—=_~]{{2,}}|%)\s*(?=[^\W_]|\()")
"""« 4. ------- CHEVALIER Blanche », « -- (12, 'Brun', 'Odile') »"""
_LINE_TO_SIGN = re.compile(r"[^\W\d_]\s*[.…_]{4,}\s*(\S?)")


_CIVIL = re.compile(
    r"(?:^|[\s;,|(])(?<!\bet )(?:M\.|Mr\.?|Mme|Mlle|Monsieur|Madame|Mademoiselle|Dr\.?|Pr\.?|Me)(?:\s+|\s*[;|]\s*)(?=[A-ZÀ-Þ])"
)
_FORMS = (
    re.compile(rf"^\s*+(?:{ORDINAL}\s?[.)°]|\({ORDINAL}\)|[a-z][.)])\s"),
    re.compile(r"^\s*+[-–—•‣▪●○◦*·>+]\s?(?=\w)"),
    re.compile(r"^\s*+[*–—-]{2,}\s?(?=\w)"),
)


def doubt_unlike_form(people: Sequence[Candidate]) -> None:
    """Among numbered or listed names, one without number or sign may be a title, a signature or the head of a group.

    So may one without the note that stands behind all others, and one with a sign that no other has. « Mme Brun » among
    pupils is their teacher, perhaps."""
    civil = [one for one in people if _CIVIL.search(one.line.text)]
    for one in civil if 3 * len(civil) <= len(people) else ():
        if not one.line.doubts:
            one.line = one.line.doubting(Reason.LEADER)
    rows = Counter(one.line.line for one in people)
    free = [one for one in people if one.free]
    beside = [_beside(one) if rows[one.line.line] == 1 else ("", "") for one in free]
    noted = [
        0 < sum(map(str.isdigit, after)) < 6 or (bool(after) and beside.count(("", "")) == 1)
        for _, after in beside
    ]
    forms = list(map(_form_of, free))
    usual, most = Counter(forms).most_common(1)[0] if forms else (-1, 0)
    for one, form, is_noted in zip(free, forms, noted, strict=True):
        lacks_note = len(free) > 3 and 3 * sum(noted) >= 2 * len(free) and not is_noted
        lacks_form = usual >= 0 and most > 1 and 5 * most >= 3 * len(free) and form != usual
        if (lacks_form or (lacks_note and not one.line.address)) and not one.line.doubts:
            one.line = one.line.doubting(Reason.MAYBE_TITLE)
    doubtful = {one.line.line for one in free if {doubt.reason for doubt in one.line.doubts} & _OF_MORE}
    others = [one for one in free if one.line.line not in doubtful]
    if len(others) == 1 and len(doubtful) > 3 and not others[0].line.doubts:
        others[0].line = others[0].line.doubting(Reason.MAYBE_TITLE)
    _doubt_odd_notes(free, beside)
    bare = beside.count(("", ""))
    if len(free) > 3 and bare == len(free) - 1:
        one, sign = next(
            (one, "".join(around)) for one, around in zip(free, beside, strict=True) if any(around)
        )
        is_end = one is free[-1] and sign in ".;,"
        if not any(map(str.isalnum, sign)) and not is_end and not one.line.doubts:
            one.line = one.line.doubting(Reason.EXTRA, sign)


def _doubt_odd_notes(free: Sequence[Candidate], beside: Sequence[tuple[str, str]]) -> None:
    are_numbered = 2 * sum(before[:1].isdigit() for before, _ in beside) >= len(free)
    notes = [
        " ".join(word for word in fold(note).split() if word not in CIVILITIES)
        for note in (
            f"{before.lstrip('0123456789') if are_numbered else before} {after}" for before, after in beside
        )
    ]
    odd = [bool(_ODD_NOTE.fullmatch(note)) for note in notes]
    if len(free) < 3 or notes.count("") < sum(odd):
        return
    for one, note, is_odd in zip(free, notes, odd, strict=True):
        if is_odd and not one.line.doubts and not one.line.homonym:
            one.line = one.line.doubting(Reason.EXTRA, note)


_ODD_NOTE = re.compile(
    r"[^\W\d_]|\d{1,3}|(?:le )?(?:matin|apres midi|soir|am|pm|j ?\d|jour \d|\d{1,2} ?h(?: ?\d\d)?|\d{1,2} \d{1,2}(?: \d{2,4})?)|invitee?s?|guest"
)
"""« A », « 0 », « matin », « invité » beside few names, where most have nothing: an absence, a part of the time, another role."""


def _form_of(one: Candidate) -> int:
    return next((index for index, form in enumerate(_FORMS) if form.match(one.line.text)), -1)


_OF_MORE = frozenset((Reason.EXTRA, Reason.SPLIT, Reason.COUPLE, Reason.DIGITS, Reason.SIGNS))
"""Something stands beside the name."""


def _beside(one: Candidate) -> tuple[str, str]:
    """What stands before and behind the name, but for addresses."""
    text = addresses_in(one.line.text)[1]
    name = r"\W+".join(map(re.escape, sorted(_name_of(one).split(), key=text.find)))
    found = re.search(rf"(?<!\w){name}(?!\w)", text, re.IGNORECASE) if name else None
    return (text[: found.start()].strip(), text[found.end() :].strip()) if found else ("", "")


_EMPTY_BOX = re.compile(r"^\W{0,4}\[ ?\]")
_TICK = re.compile(r"[✅✔✓☑👍🙋]")
_MARK_FIRST = re.compile(r"\s*(?:[xX]|[01])\s+(?=[^\W\d_])")
_MARK_LAST = re.compile(r"(?<=\w)\s+[xX]\s*$")
_CROSS = re.compile(r"^\s*[xX]\s|\s[xX]\s*$|☒")
_EMPTY_BOX = re.compile(r"\[\s?\]|\(\s\)|[☐□]")
_NEVER = frozenset(("❌", "✗", "✘", "👎", "🔴", "❎", "🚫", "⛔", "➖", "0", ":(", ":-("))
"""No reason for a badge, even where everybody has it."""
_TICK_IN_WORDS = re.compile(
    r"[\s;:(=](?:vue?|fait|oui|yes|x|ok|valid[ée]e?|acquise?|admise?|re[çc]ue?|obtenue?|r[ée]ussie?|pr[ée]sente?|sign[ée]e?|[ée]marg[ée]e?)\W*$",
    re.IGNORECASE,
)
"""« UGHETTO Salomé oui »"""
_ALONE = re.compile(
    r"(?:(?<=\s)|(?<=[(\[]))(?:[-–—/_]{1,3}|:-?\(|[A-Z]?0|\d/\d|[Øø∅])(?=[)\]]|$)|(?<=[(\[])[^\W\d_](?=[)\]])|(?<=\()\d{1,2}(?=\)$)|:(?=$)"
)
"""« Léa Martin / », « (0/2) Léa Martin »"""


def _frame_of(text: str) -> list[str]:
    """« –– Odile Brun –– »"""
    bare = text.strip()
    first = bare[:2]
    if len(bare) > 5 and set(first) <= set("-–—=_") and set(bare[-2:]) <= set("-–—=_"):
        return [first]
    # « -Odile Brun- »
    return [bare[0]] if re.fullmatch(r"([-–—=_~/])(?!\s)[^@]+(?<!\s)\1", bare) else []


def _symbols_in(text: str) -> frozenset[str]:
    """Pictures and drawn signs that are no tick."""
    return frozenset(
        sign for sign in text if unicodedata.category(sign) == "So" and not _TICK.match(sign) and sign != "☒"
    )


def _unbulleted(text: str) -> str:
    return re.sub(r"^[\s•·*–—\-‣◦▪▫■□●○►▶➢➤>→]+", "", text)
