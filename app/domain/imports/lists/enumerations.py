"""People one beside another in running text: after a label, between commas, separated by capitals, across lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from app.domain.imports.lists.doubts.notices import status_of_all, tells_success
from app.domain.imports.lists.mentions import mentions_in
from app.domain.imports.lists.model import Reason
from app.domain.imports.lists.vocabulary.addresses import FOUND, LABELS, addresses_in
from app.domain.imports.lists.vocabulary.names import (
    fold,
    is_particle,
    lean_of,
    looks_like_word,
    may_be_given,
    without_civility,
)
from app.domain.imports.lists.vocabulary.remarks import (
    denial_in,
    is_of_others,
    is_of_those_who_took_part,
    is_plain_label,
    meaning_of_label,
    section_status,
)
from app.domain.imports.lists.vocabulary.wording import HEADING_WORDS, ORDINAL, PARTICIPANTS, THINGS

_BULLET = re.compile(
    rf"^\s*(?:[-–—•‣▪▫■□●○◦*·➢➤►▶→§¤\uf0b7\uf0a7\uf0d8\uf0fc+>]+|{ORDINAL}\s?[.)°/\]]-?|{ORDINAL}\s?[-–](?=\s)|\({ORDINAL}\)|\d{{5,9}}(?=\s+[^\W\d_]{{2}})|[a-z]\)|o(?=[\t\u2003])|\d{{1,2}}[a-zè]{{1,3}}(?=\u2003)|(?:n°|#)\s?{ORDINAL})[\s\t]+(?=\S)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"^\s*(?:place|siège|siege|dossard|casier|poste|badge|ticket|billet|matricule|candidat(?:e)?|rang|position|box|bureau|chaise)\s+(?:n[°o]\s?)?(?:[A-Z]-?)?\d{1,6}[A-Z]?(?:\s?[.:)–—-]{1,3})?\s+(?=[^\W\d_]{2})",
    re.IGNORECASE,
)
"""« Dossard 214 », « Siège A12 – »"""
_GLUED_BULLET = re.compile(r"^\s*[•‣▪▫●○◦➢➤►▶\uf0b7\uf0a7\uf0d8\uf0fc](?=\w)")
_PICTURE = re.compile(
    r"^\s*(?:(?![\u2610-\u2612\u2705\u2713-\u2718\u274c\u274e])[\u2600-\u27bf\u2b50\U0001f300-\U0001faff]\ufe0f?)+\s*(?=\w)"
)
"""« 🏅 Emma Durand »; ticks and crosses are no bullets."""
_KEYCAP = re.compile(r"^\s*(?:[0-9]\ufe0f?\u20e3)+\s*|^\s*[\u2460-\u2473\u2776-\u2793]\s*|^\s*🔟\s*")
_STICK = re.compile(r"^\s*[-–—*](?=[^\W\d_]{2})")
_AND = re.compile(r"(?<!\s)\s++(?:et|and|&)\s+")
_GROUPS = frozenset(("groupe", "equipe", "liste", "presentes", "personnes", "binome", "table", "ilot"))


def unbulleted(line: str) -> str:
    bare = _NUMBERED.sub("", _BULLET.sub("", _PICTURE.sub("", _KEYCAP.sub("", line)), count=1))
    return _STICK.sub("", _GLUED_BULLET.sub("", bare))


def circles_as_bullets(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """« o Marie Dupont », where most lines begin so: a kind of bullet."""
    circled = [line for _, line in lines if _CIRCLE.match(line)]
    if len(circled) < 2 or 2 * len(circled) < len(lines):
        return [*lines]
    return [(number, _CIRCLE.sub(f"o{_WIDE_SPACE}", line)) for number, line in lines]


def ranks_as_bullets(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """« 1er Anatole Richer », « 2e Bérénice Simon », where they count the lines; « 2nde B » is a class."""
    ranks = [int(found[1]) for _, line in lines if (found := _RANK.match(line))]
    if len(ranks) < 2 or ranks != [*range(1, len(ranks) + 1)]:
        return [*lines]
    return [(number, _RANK.sub(rf"\1\2{_WIDE_SPACE}", line)) for number, line in lines]


_RANK = re.compile(r"^\s*(\d{1,2})(ers?|[èe]?re|[èe]?me|[eè])[ \t]+(?=[^\W\d_]{2})", re.IGNORECASE)
_CIRCLE = re.compile(r"^\s*o[ \t]+(?=\S)")
_WIDE_SPACE = "\u2003"
_LABELLED = re.compile(r"^[^:@]{2,40}:\s")


def joined_lines(lines: Iterable[tuple[int, str]], *, labelled: bool = False) -> list[tuple[int, str]]:
    """An enumeration that a message or a page broke into lines, in one line again; only after a label where cells may be
    separated by commas."""
    found: list[tuple[int, str]] = []
    for number, line in lines:
        is_open = (
            bool(found)
            and not _LABELLED.match(line)
            and (not labelled or bool(_LABELLED.match(found[-1][1])))
        )
        if is_open and (joint := _joint(found[-1][1], line)) is not None:
            found[-1] = (found[-1][0], joint)
        else:
            found.append((number, line))
    return found


def _joint(before: str, line: str) -> str | None:
    text, more = before.rstrip(), line.strip()
    parts = [part.strip() for part in re.split(r",|\bet\b", _LABELLED.sub("", text))]
    if "@" in text + more or len(text) > 2_000 or not more or not all(map(_is_short, filter(None, parts))):
        return None
    first = re.split(r",|\bet\b", more)[0].strip(" .")
    is_half = len(parts[-1].split()) == 1 and len(first.split()) == 1 and bool(first)
    if (
        len(parts) > 1
        and is_half
        and parts[-1][:1].isupper()
        and first[:1].isupper()
        and ("," in more or more.endswith("."))
    ):
        return f"{text} {more}"
    names = [part for part in parts if len(part.split()) > 1]
    if len(names) > 1 and re.search(r"(?:,|\bet)$", text) and len(first.split()) < 6:
        return f"{text} {more}"
    return None


def _is_short(part: str) -> bool:
    return len(part.split()) < 6 and not any(map(str.isdigit, part))


def name_their_halves(lines: Sequence[str]) -> bool:
    """« García Márquez, Lucía », « Torres Vega, José Luis »: one comma in each line, after a family name."""
    pairs = [
        tuple(half.split() for half in unbulleted(line).split(","))
        for line in lines
        if line.count(",") == 1 and "@" not in line
    ]
    halves = [pair for pair in pairs if all(pair) and ":" not in " ".join(pair[0])]
    single = [pair for pair in halves if len(pair[1]) == 1 or len(pair[0]) == 1]
    return (
        len(halves) > 1
        and 2 * len(halves) >= len(lines)
        and bool(single)
        and 2 * sum(may_be_given(pair[1][0]) for pair in halves) > len(halves)
    )


_CAPITALS = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")


def _apart(text: str) -> list[str]:
    """People separated otherwise than by one comma each; all of them are asked about."""
    if "@" in text or any(map(str.isdigit, text)):
        return []
    text = text.strip(" .")
    beside = re.split(r"\t+|\s{3,}", text)
    is_named = all(1 < len(part.split()) < 6 and all(map(looks_like_word, part.split())) for part in beside)
    if len(beside) > 1 and is_named and any(map(mentions_in, beside)):
        # « LEROY Hana     LEROUX Bérénice »
        return beside
    if ";" in text:
        people = [part.strip() for part in text.split(";") if part.strip()]
        return (
            people
            if len(people) > 1 and all(part.count(",") == 1 and len(part.split()) < 7 for part in people)
            else []
        )
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > 2 and all(looks_like_word(word) for part in parts for word in part.split()):
        long = [part for part in parts if len([word for word in part.split() if not is_particle(word)]) > 1]
        if (
            not long
            and all(part[:1].isupper() for part in parts)
            and not any(fold(part) in THINGS for part in parts)
        ):
            pairs = [*zip(parts[::2], parts[1::2], strict=False)]
            leans = [lean_of(*pair) for pair in pairs]
            alternates = len(parts) % 2 == 0 and (
                sum(lean < 0 for lean in leans) * 2 > len(leans)
                or sum(lean > 0 for lean in leans) * 2 > len(leans)
            )
            if alternates and len(parts) > 3:
                return [", ".join(pair) for pair in pairs]
            return parts if not all(map(may_be_given, parts)) else []
    return _by_capitals(text) if len(parts) == 1 else []


def _by_capitals(text: str) -> list[str]:
    """« DUPRÉ Lucie HADDAD Karim SORIN Lina »"""
    words = text.split()
    if not all(_CAPITALS.fullmatch(word) for word in words) or len(words) < 6:
        return []
    people: list[list[str]] = []
    for index, word in enumerate(words):
        if word.isupper() and (index == 0 or not words[index - 1].isupper()):
            people.append([])
        if not people:
            return []
        people[-1].append(word)
    return (
        [" ".join(one) for one in people]
        if len(people) > 2 and all(not one[-1].isupper() for one in people)
        else []
    )


def are_pairs(lines: Sequence[str]) -> bool:
    """« Tenzin Tran;Steven Louis » above « Léa Petit;Marc Roux »: two columns, the second perhaps of tutors.

    « Marie Dupont, Paul Durand » is a sentence."""
    marks = [re.findall(r"[;/]|,(?!\s)", line) for line in lines]
    return len(marks) > 1 and len(marks[0]) == 1 and all(each == marks[0] for each in marks)


def people_in_one_line(line: str) -> list[tuple[str, str, tuple[Reason, ...]]]:
    """« Présents : Marie Dupont, Paul Durand et Léa Petit »: each person with the state that the label names."""
    label, colon, rest = line.partition(":")
    doubts, is_loose = tuple[Reason, ...](), False
    is_theirs = bool(colon) and (is_of_those_who_took_part(label) or tells_success(label))
    if colon and "@" not in label and (is_theirs or len(label.split()) <= 5):
        is_status, status = section_status(label)
        if not is_status and 1 < len(label.split()) < 4:  # « Présents vocal : »
            is_status, status = section_status(label.split()[0])
        if is_status or is_theirs:
            doubts = (status,) if status else ()
        elif (
            is_of_others(label)
            or fold(label) in LABELS["from"] | LABELS["copy"]
            or set(fold(label).split()) & HEADING_WORDS - PARTICIPANTS - _GROUPS
        ):
            return []
        elif not is_plain_label(label):
            doubts = (Reason.MAYBE_TITLE,)
            is_loose = not set(fold(label).split()) & (PARTICIPANTS | _GROUPS)
        doubts = doubts or ((said,) if (said := meaning_of_label(label)) else ())
    else:
        label, colon, rest = "", "", line
    if said := status_of_all(line):
        doubts = (said,)
    if not colon and any(map(denial_in, unbulleted(rest).split(",")[1:])):
        # « NOÉMIE PASCAL, PAS VENUE »
        return []
    if apart := _apart(unbulleted(rest)):
        # Label and bullet belong to the first person's text.
        before = line[: max(line.find(apart[0], len(line) - len(rest)), 0)].strip()
        shown = [f"{before} {apart[0]}".strip(), *apart[1:]]
        return [(part, text, (*doubts, Reason.SPLIT)) for part, text in zip(apart, shown, strict=True)]
    cut = re.split(r"[;,/]", unbulleted(rest))
    last = _AND.split(cut[-1]) if len(cut) > 1 or colon else cut[-1:]
    joined = found.group().strip() if len(last) > 1 and (found := _AND.search(cut[-1])) else ""
    cut = [*cut[:-1], *last]
    given = [part.strip(" .") for part in cut if part.strip(" .")]
    # « @nina_r » is a name in a program, and no address.
    parts = [part for part in given if not re.fullmatch(r"@\w+", part)]
    if (len(parts) < 2 and not (colon and parts)) or any("@" in part for part in parts):
        return []
    bare = [without_civility(re.sub(r"(?:(?<!\s)\s++)?+\([^()]*\)", "", part)) for part in parts]
    shaped = [
        2 <= len(part.split()) <= 5
        and all(looks_like_word(word) for word in part.split())
        and (part.islower() or part[:1].isupper() or is_particle(part.split()[0]))
        for part in bare
    ]
    alone = (
        bool(colon)
        and len(parts) > 1
        and all(len(part.split()) == 1 and may_be_given(part) for part in parts)
    )
    if is_loose:
        # « Les Requins : Fatim, Zoé R. »
        named = [may_be_given(part.split()[0]) and len(part.split()) < 6 for part in bare if part]
        if len(parts) < 2 or not all(named):
            return []
        alone = True
    if not all(shaped) and not (colon and doubts) and not alone:
        return []
    if len(parts) == 2 and not colon and "," in rest and not all(len(part.split()) >= 2 for part in parts):
        return []
    texts = list(parts)
    for index in range(1, len(last) if joined else 1):
        texts[-index] = f"{joined} {texts[-index]}"
    # Label and bullet belong to the first person's text.
    texts[0] = (line[: line.find(parts[0], len(line) - len(rest))] + parts[0]).strip()
    after = given[given.index(parts[0]) :]
    texts[-1] = " ".join([texts[-1], *(part for part in after if part not in parts)])
    if is_loose:
        # « Les frères Klein : Jules et Léon »: the label may hold their family name.
        texts = [line.strip()] * len(parts)
    return [(part, text, doubts) for part, text in zip(parts, texts, strict=True)]


# --- Recipients of a message.


LABEL = re.compile(r"^\s*([^\W\d_]{1,14})\s*:\s*(.*)$", re.DOTALL)


def is_recipients(line: str) -> bool:
    """Recipients as mail programs write them: `Prénom Nom <mail>; …`, or addresses one after another."""
    found = LABEL.match(line)
    if found and fold(found[1]) in LABELS["to"] | LABELS["copy"] | LABELS["from"] and "@" in found[2]:
        return True
    if re.search(r"<[^<>@]*@[^<>]*>", line):
        return True
    parts = [part for part in re.split(r"[;,]", line) if part.strip()]
    return len(parts) > 1 and all("@" in part for part in parts)


def unwrapped(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Lines of recipients that a mail program broke inside a name or before an address are put together again."""
    pending: tuple[int, str] | None = None
    separated = sum(1 for _, line in lines if re.search(r">\s*[;,]", line)) > 0
    for index, (number, line) in enumerate(lines):
        if pending:
            number, line = pending[0], f"{pending[1].rstrip()} {line.strip()}"
            pending = None
        following = lines[index + 1][1] if index + 1 < len(lines) else ""
        if separated and following and is_recipients(following) and is_recipients(line):
            tail = re.split(r"[;,>]", line)[-1].strip()
            head = re.split(r"[<;,]", following)[0].strip()
            broken = (
                bool(tail)
                and "@" not in tail
                and (len(tail.split()) == 1 or len(head.split()) <= 1)
                # « Marie Dupont <marie@x.fr>, excusée » ends with a remark.
                and not (denial_in(tail) or (tail.islower() and not head.islower()))
            )
            if broken or re.search(r"<[^<>]*$", line):
                pending = (number, line)
                continue
        elif separated and following.lstrip().startswith("<") and not re.search(r"[;,>]\s*$", line):
            pending = (number, line)
            continue
        yield number, line
    if pending:
        yield pending


def may_be_halves(before: str, part: str = "") -> bool:
    return "@" not in before and "<" in part and len(part.split("<")[0].split()) < 3


def _add_recipient(pieces: list[str], text: str) -> None:
    """« Marie Dupont <marie@x.fr> absente », « …, excusée »: a remark belongs to the recipient before it."""
    bare = text.lstrip(";,").strip()
    if not bare:
        return
    is_cut = text[:1] in ";,"
    if pieces and pieces[-1].endswith(">") and "@" not in bare and (not is_cut or denial_in(bare)):
        pieces[-1] += text
    else:
        pieces.append(bare)


def recipient_parts(text: str) -> list[str]:
    """Cut at `;` and `,` outside quotes and brackets; a comma inside « Nom, Prénom <mail> » does not cut."""
    pieces: list[str] = []
    current, quoted, depth = "", False, 0
    marks = ";" if ";" in re.sub(r'"[^"]*"|<[^<>]*>', "", text) else ";,"
    for sign in text:
        if sign == '"':
            quoted = not quoted
        elif sign == "<" and not quoted:
            depth += 1
        elif sign == ">" and not quoted:
            depth = max(0, depth - 1)
        if sign in marks and not quoted and not depth:
            _add_recipient(pieces, current)
            current = sign
            continue
        current += sign
        if sign == ">" and not quoted and depth == 0:
            pieces.append(current.lstrip(";,"))
            current = ""
    if quoted:
        return [part.strip() for part in re.split(r"[;,]", text) if part.strip()]
    _add_recipient(pieces, current)
    pieces = [part.strip() for part in pieces if part.strip(" \t;,.")]
    joined: list[str] = []
    for part in pieces:
        if (
            joined
            and "@" in part
            and "@" not in joined[-1]
            and marks == ";,"
            and "<" in part
            and len(joined[-1].split()) <= 2
            and len(part.split("<")[0].split()) <= 2
            and part.split("<")[0].strip()
            and (len(part.split("<")[0].split()) == 1 or joined[-1].isupper())
        ):
            joined[-1] = f"{joined[-1]}, {part}"
        elif joined and part.startswith("<") and "@" not in joined[-1]:
            joined[-1] = f"{joined[-1]} {part}"
        else:
            joined.append(part)
    # « a@x.fr b@y.fr » without any separator are two.
    found: list[str] = []
    for part in joined:
        addresses, rest = addresses_in(part)
        if len(addresses) > 1 and not any(c.isalnum() for c in rest):
            found += [match.group() for match in FOUND.finditer(part)] or [part]
        else:
            found.append(part)
    return found
