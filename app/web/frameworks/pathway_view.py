"""A pathway as pages show it: its graph, and a list of the same stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from textwrap import wrap
from typing import Final

from app.domain.campus.signed_terms import duration
from app.domain.frameworks.pathway_progress import ConditionProgress, PathwayProgress, StageProgress
from app.domain.frameworks.pathways import (
    ChangeKind,
    ConditionKind,
    PathwayChange,
    PathwayContent,
    Stage,
    StageCondition,
    StageState,
)
from app.domain.publishing.catalogue import CatalogueEntry
from app.http.pages.words import ACTIVITY_KINDS, day, listing, number
from app.language import N_, labelled, translated, translated_plural
from app.services.frameworks.pathways import PickedBadge, PublicPathway

STATES: Final = {
    StageState.DONE: N_("Acquis"),
    StageState.OPEN: N_("Possible maintenant"),
    StageState.LATER: N_("Plus tard"),
}
_CHANGES: Final = {
    ChangeKind.ADDED: N_("Nouvelle étape : « {title} »"),
    ChangeKind.REMOVED: N_("L’étape « {title} » disparaît"),
    ChangeKind.RENAMED: N_("L’étape « {old} » s’appelle maintenant « {title} »"),
    ChangeKind.CONDITIONS: N_("« {title} » demande autre chose"),
    ChangeKind.ORDER: N_("« {title} » n’attend plus les mêmes étapes"),
    ChangeKind.OPTIONAL: N_("« {title} » change de choix, ou devient facultative ou nécessaire"),
    ChangeKind.BADGE: N_("Le badge de l’ensemble devient « {title} »"),
}


@dataclass(frozen=True)
class ConditionShown:
    words: str
    reached: str
    """How far the person is; empty in public."""
    is_met: bool
    links: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class ActivityShown:
    title: str
    path: str
    day: str
    place: str


@dataclass(frozen=True)
class StageShown:
    key: str
    rank: str
    title: str
    summary: str
    picture: str
    campus: str
    """Of its badge, where that is another campus."""
    state: str
    state_words: str
    why: str
    conditions: Sequence[ConditionShown]
    is_optional: bool
    is_needed: bool
    activity: ActivityShown | None = None


@dataclass(frozen=True)
class StageGroup:
    """One stage, or the alternatives of a choice."""

    rank: str
    stages: Sequence[StageShown]
    is_choice: bool


@dataclass(frozen=True)
class Node:
    x: int
    y: int
    picture: str
    state: str
    lines: Sequence[tuple[int, str]]
    """(y, text)"""
    is_whole: bool = False


@dataclass(frozen=True)
class Graph:
    width: int
    height: int
    nodes: Sequence[Node]
    edges: Sequence[tuple[str, str]]
    """(path, state)"""
    description: str


@dataclass(frozen=True)
class PathwayShown:
    title: str
    summary: str
    groups: Sequence[StageGroup]
    badge: str
    badge_path: str
    badge_picture: str
    across: Graph
    down: Graph
    done: int
    count: int
    is_complete: bool
    campuses: Sequence[str]


def condition_words(condition: StageCondition) -> str:
    kinds = listing([translated(ACTIVITY_KINDS[each]).lower() for each in condition.kinds])
    match condition.kind:
        case ConditionKind.BADGES:
            names = listing([translated("« {name} »").format(name=each.name) for each in condition.badges])
            if len(condition.badges) == 1:
                return translated("Le badge {names}").format(names=names)
            if condition.least == len(condition.badges):
                return translated("Les badges {names}").format(names=names)
            words = translated_plural("{n} badge parmi {names}", "{n} badges parmi {names}", condition.least)
            return words.format(n=condition.least, names=names)
        case ConditionKind.COMPETENCY:
            name = condition.competency.name if condition.competency else ""
            if condition.level:
                words = translated("La compétence « {name} », au niveau « {level} » ou plus")
                return words.format(name=name, level=condition.level)
            return translated("La compétence « {name} »").format(name=name)
        case ConditionKind.HOURS:
            words = N_("{hours} d’activités : {kinds}") if kinds else N_("{hours} d’activités")
            return translated(words).format(hours=duration(condition.least * 60), kinds=kinds)
        case ConditionKind.ACTIVITIES:
            words = translated_plural("{n} activité", "{n} activités", condition.least)
            shown = words.format(n=number(condition.least))
            return translated("{shown} : {kinds}").format(shown=shown, kinds=kinds) if kinds else shown
        case ConditionKind.DECISION:
            words = translated("L’avis d’une personne du campus : {text}")
            return words.format(text=condition.text)


def change_words(change: PathwayChange) -> str:
    old = change.before.title if change.before else ""
    return translated(_CHANGES[change.kind]).format(title=change.title, old=old)


def change_details(change: PathwayChange) -> list[str]:
    """Before and after, for what a stage asks."""
    if change.kind is not ChangeKind.CONDITIONS or change.before is None or change.after is None:
        return []
    return [
        translated(words).format(conditions=listing([condition_words(each) for each in stage.conditions]))
        for words, stage in (
            (N_("Avant : {conditions}."), change.before),
            (N_("Maintenant : {conditions}."), change.after),
        )
    ]


def shown_pathway(
    found: PublicPathway,
    progress: PathwayProgress | None = None,
    activities: Mapping[str, CatalogueEntry] | None = None,
) -> PathwayShown:
    content = found.content
    steps = {each.stage.key: each for each in progress.stages} if progress else {}
    groups = _groups(found, steps, activities or {})
    badge = found.badges.get(content.badge.id) if content.badge else None
    others = {each.campus.short_name for each in found.badges.values()}
    count = len(groups) - sum(all(one.is_optional for one in each.stages) for each in groups)
    is_complete = progress.is_complete if progress else False
    return PathwayShown(
        title=content.title,
        summary=content.summary,
        groups=groups,
        badge=content.badge.name if content.badge else "",
        badge_path=f"/badges/{badge.badge.id}" if badge else "",
        badge_picture=picture_of(badge),
        across=_graph(found, groups, steps, is_complete=is_complete, is_across=True),
        down=_graph(found, groups, steps, is_complete=is_complete, is_across=False),
        done=sum(_is_done(each) for each in groups),
        count=count,
        is_complete=is_complete,
        campuses=sorted(others | {found.campus.short_name}),
    )


def _is_done(group: StageGroup) -> bool:
    return any(each.state == "done" and not each.is_optional for each in group.stages)


def picture_of(badge: PickedBadge | None) -> str:
    """Pictures are public from the first award on."""
    if badge is None or badge.version.frozen_at is None:
        return ""
    return f"/badges/{badge.badge.id}/v{badge.version.number}/image.svg"


def _groups(
    found: PublicPathway,
    steps: Mapping[str, StageProgress],
    activities: Mapping[str, CatalogueEntry],
) -> list[StageGroup]:
    groups: list[StageGroup] = []
    seen = set[str]()
    for stage in found.content.stages:
        if stage.key in seen:
            continue
        together = found.content.together(stage)
        seen |= {each.key for each in together}
        rank = number(len(groups) + 1)
        shown = [
            _stage(found, each, rank, steps.get(each.key), activities.get(each.key)) for each in together
        ]
        groups.append(StageGroup(rank, shown, is_choice=len(together) > 1))
    return groups


def _stage(
    found: PublicPathway,
    stage: Stage,
    rank: str,
    step: StageProgress | None,
    activity: CatalogueEntry | None,
) -> StageShown:
    badge = _badge_of(found, stage)
    conditions = step.conditions if step else [ConditionProgress(each, 0, None) for each in stage.conditions]
    return StageShown(
        key=stage.key,
        rank=rank,
        title=stage.title,
        summary=stage.summary,
        picture=picture_of(badge),
        campus=badge.campus.short_name if badge and badge.campus.id != found.campus.id else "",
        state=step.state.value if step else "",
        state_words=translated(STATES[step.state]) if step else "",
        why=_why(found, stage, step),
        conditions=[_condition(each, shows_person=step is not None) for each in conditions],
        is_optional=stage.is_optional,
        is_needed=step.is_needed if step else True,
        activity=activity_shown(activity) if activity else None,
    )


def activity_shown(entry: CatalogueEntry) -> ActivityShown:
    assert isinstance(entry.starts_on, date), "an activity has a day"
    return ActivityShown(entry.title, entry.path, day(entry.starts_on), entry.place)


def _badge_of(found: PublicPathway, stage: Stage) -> PickedBadge | None:
    names = (badge.id for each in stage.conditions for badge in each.badges)
    return next((found.badges[one] for one in names if one in found.badges), None)


def _why(found: PublicPathway, stage: Stage, step: StageProgress | None) -> str:
    """In every state what it comes after: the list has each edge of the graph."""
    titles = [
        translated("« {name} »").format(name=each.title)
        for key in stage.after
        if (each := found.content.stage(key)) is not None
    ]
    after = translated("Après {titles}.").format(titles=listing(titles)) if titles else ""
    state = ""
    if step is not None and step.state is StageState.DONE and step.since is not None:
        state = translated("Acquis le {day}.").format(day=day(step.since, found.campus.time_zone))
    elif step is not None and not step.is_needed and not stage.is_optional:
        state = translated("Plus nécessaire : une autre étape du choix est acquise.")
    return " ".join(filter(None, (state, after))) or translated("À tout moment.")


def _condition(found: ConditionProgress, *, shows_person: bool) -> ConditionShown:
    condition = found.condition
    reached = ""
    if shows_person and not found.is_met and condition.kind is ConditionKind.HOURS:
        words = translated("{reached} sur {least}")
        reached = words.format(reached=duration(found.reached), least=duration(condition.least * 60))
    elif (
        shows_person
        and not found.is_met
        and condition.least > 1
        and condition.kind in (ConditionKind.BADGES, ConditionKind.ACTIVITIES)
    ):
        words = translated("{reached} sur {least}")
        reached = words.format(reached=number(found.reached), least=number(condition.least))
    links = [(each.name, f"/badges/{each.id}") for each in condition.badges]
    if condition.competency is not None:
        links.append((condition.competency.name, f"/competences/{condition.competency.id}"))
    return ConditionShown(condition_words(condition), reached, found.is_met, links)


# --- drawing

_STEP, _LANE, _MARGIN, _RADIUS = 170, 170, 86, 46
_DOWN, _BESIDE = 200, 190
_LINE, _LONGEST_LINE, _MOST_LINES = 19, 19, 3
_WHOLE = "whole"


@dataclass(frozen=True)
class Layout:
    """Where each stage stands, by column and lane, and each edge as the cells that it passes."""

    cells: Mapping[str, tuple[int, float]]
    edges: Sequence[tuple[str, str, Sequence[tuple[int, float]]]]
    depth: int
    width: int


def layout_of(content: PathwayContent) -> Layout:
    """In layers: a stage comes after all it waits for; an edge over several layers has a lane of its own."""
    links = _links(content)
    depths = _depths([each.key for each in content.stages], links)
    last = max(depths.values(), default=-1) + 1
    depths[_WHOLE] = last
    ended = {start for start, _ in links}
    links += [(each.key, _WHOLE) for each in content.stages if each.key not in ended]
    layers: list[list[str]] = [[] for _ in range(last + 1)]
    for key, depth in depths.items():
        layers[depth].append(key)
    before: dict[str, list[str]] = {}
    ways: list[tuple[str, str, list[str]]] = []
    for start, end in links:
        passed = [f"{start}>{end}@{depth}" for depth in range(depths[start] + 1, depths[end])]
        for depth, each in enumerate(passed, start=depths[start] + 1):
            layers[depth].append(each)
        for one, other in pairwise([start, *passed, end]):
            before.setdefault(other, []).append(one)
        ways.append((start, end, passed))
    width, lanes = max(map(len, layers)), dict[str, float]()
    for layer in layers:
        # Beside what comes before it, so that few edges cross.
        ordered = sorted(layer, key=lambda key: _mean([lanes[one] for one in before.get(key, ())]))
        for at, key in enumerate(ordered):
            lanes[key] = at + (width - len(layer)) / 2
    cells = {key: (depths[key], lanes[key]) for key in depths}
    edges = [
        (start, end, [(depth, lanes[each]) for depth, each in enumerate(passed, start=depths[start] + 1)])
        for start, end, passed in ways
    ]
    return Layout(cells, edges, last, width)


def _links(content: PathwayContent) -> list[tuple[str, str]]:
    """A stage after a choice comes after all of its alternatives."""
    return [
        (one.key, stage.key)
        for stage in content.stages
        for key in stage.after
        if (each := content.stage(key)) is not None
        for one in content.together(each)
    ]


def _depths(keys: Sequence[str], links: Sequence[tuple[str, str]]) -> dict[str, int]:
    found = dict.fromkeys(keys, 0)
    for _ in keys:
        for start, end in links:
            found[end] = min(max(found[end], found[start] + 1), len(keys))
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _graph(
    found: PublicPathway,
    groups: Sequence[StageGroup],
    steps: Mapping[str, StageProgress],
    *,
    is_complete: bool,
    is_across: bool,
) -> Graph:
    layout = layout_of(found.content)

    def place(cell: tuple[int, float]) -> tuple[int, int]:
        beside = _MARGIN + round(cell[1] * (_BESIDE if is_across else _LANE))
        return (_MARGIN + cell[0] * _STEP, beside) if is_across else (beside, _MARGIN + cell[0] * _DOWN)

    shown = {each.key: each for group in groups for each in group.stages}
    at = {key: place(cell) for key, cell in layout.cells.items()}
    nodes = [
        Node(*at[key], each.picture, each.state, _lines(each.title, at[key][1]))
        for key, each in shown.items()
    ]
    content = found.content
    badge = found.badges.get(content.badge.id) if content.badge else None
    state = "" if not steps else "open" if is_complete else "later"
    label = content.badge.name if content.badge else translated("Le badge de l’ensemble")
    nodes.append(Node(*at[_WHOLE], picture_of(badge), state, _lines(label, at[_WHOLE][1]), is_whole=True))
    foot = {key: _RADIUS + 16 + len(_lines(each.title, 0)) * _LINE for key, each in shown.items()}
    edges = [
        (
            _way(at[start], [place(cell) for cell in passed], at[end], 0 if is_across else foot[start]),
            _edge(shown[start], shown.get(end)),
        )
        for start, end, passed in layout.edges
    ]
    beside = _MARGIN * 2 + (layout.width - 1) * (_BESIDE if is_across else _LANE)
    along = _MARGIN * 2 + layout.depth * (_STEP if is_across else _DOWN)
    width, height = (along, beside + 40) if is_across else (beside, along + 40)
    return Graph(width, height, nodes, edges, _description(groups, label, has_states=bool(steps)))


def _edge(start: StageShown, end: StageShown | None) -> str:
    if start.state != "done":
        return "later" if start.state else "plain"
    return "done" if end is not None and end.state == "done" else "open"


def _way(start: tuple[int, int], passed: Sequence[tuple[int, int]], end: tuple[int, int], foot: int) -> str:
    """Across from side to side, or down from below the label (`foot`); straight through lanes of its own."""
    points: list[tuple[int, int]] = []
    if foot:
        points.append((start[0], start[1] + foot))
        for x, y in passed:
            points += [(x, y - _RADIUS), (x, y + _RADIUS + 40)]
        points.append((end[0], end[1] - _RADIUS))
    else:
        points.append((start[0] + _RADIUS, start[1]))
        for x, y in passed:
            points += [(x - _RADIUS, y), (x + _RADIUS, y)]
        points.append((end[0] - _RADIUS, end[1]))
    drawn = f"M{points[0][0]} {points[0][1]}"
    for at, ((x1, y1), (x2, y2)) in enumerate(pairwise(points)):
        if at % 2:
            drawn += f"L{x2} {y2}"
        elif foot:
            middle = (y1 + y2) // 2
            drawn += f"C{x1} {middle} {x2} {middle} {x2} {y2}"
        else:
            middle = (x1 + x2) // 2
            drawn += f"C{middle} {y1} {middle} {y2} {x2} {y2}"
    return drawn


def _lines(title: str, y: int) -> list[tuple[int, str]]:
    lines = wrap(title, _LONGEST_LINE) or [""]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][: _LONGEST_LINE - 1] + "…"]
    return [(y + _RADIUS + 22 + at * _LINE, line) for at, line in enumerate(lines)]


def _description(groups: Sequence[StageGroup], badge: str, *, has_states: bool) -> str:
    """What the graph shows, in one sentence for each state."""
    titles = [each for group in groups for each in group.stages]
    if not has_states:
        words = translated("{stages}, puis {badge}. La liste plus bas dit la même chose.")
        return words.format(stages=listing([each.title for each in titles]), badge=badge)
    parts = [
        f"{labelled(translated(words), listing([each.title for each in titles if each.state == state.value]))}."
        for state, words in STATES.items()
        if any(each.state == state.value for each in titles)
    ]
    words = translated("À la fin : {badge}. La liste plus bas dit la même chose.")
    return " ".join([*parts, words.format(badge=badge)])
