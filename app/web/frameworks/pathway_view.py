"""A pathway as pages show it: its graph, and a list of the same stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from textwrap import wrap
from typing import Final

from app.domain.core import duration
from app.domain.frameworks.pathway_progress import (
    ConditionProgress,
    PathwayProgress,
    StageProgress,
)
from app.domain.frameworks.pathways import (
    ChangeKind,
    ConditionKind,
    PathwayChange,
    PathwayContent,
    Stage,
    StageCondition,
    StageState,
)
from app.domain.publishing import CatalogueEntry
from app.http.pages.typography import translated, translated_plural
from app.http.pages.words import ACTIVITY_KINDS, day, listing, number
from app.language import N_
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
            names = listing(
                [translated(N_("« {name} »")).format(name=each.name) for each in condition.badges]
            )
            if len(condition.badges) == 1:
                return translated(N_("Le badge {names}")).format(names=names)
            if condition.least == len(condition.badges):
                return translated(N_("Les badges {names}")).format(names=names)
            words = translated_plural("{n} badge parmi {names}", "{n} badges parmi {names}", condition.least)
            return words.format(n=condition.least, names=names)
        case ConditionKind.COMPETENCY:
            name = condition.competency.name if condition.competency else ""
            if condition.level:
                words = translated(N_("La compétence « {name} », au niveau « {level} » ou plus"))
                return words.format(name=name, level=condition.level)
            return translated(N_("La compétence « {name} »")).format(name=name)
        case ConditionKind.HOURS:
            words = N_("{hours} d’activités : {kinds}") if kinds else N_("{hours} d’activités")
            return translated(words).format(hours=duration(condition.least * 60), kinds=kinds)
        case ConditionKind.ACTIVITIES:
            words = translated_plural("{n} activité", "{n} activités", condition.least)
            shown = words.format(n=number(condition.least))
            return translated(N_("{shown} : {kinds}")).format(shown=shown, kinds=kinds) if kinds else shown
        case ConditionKind.DECISION:
            words = translated(N_("L’avis d’une personne du campus : {text}"))
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
        badge_picture=_picture(badge),
        across=_graph(found, groups, steps, is_complete=is_complete, is_across=True),
        down=_graph(found, groups, steps, is_complete=is_complete, is_across=False),
        done=sum(_is_done(each) for each in groups),
        count=count,
        is_complete=is_complete,
        campuses=sorted(others | {found.campus.short_name}),
    )


def _is_done(group: StageGroup) -> bool:
    return any(each.state == "done" and not each.is_optional for each in group.stages)


def _picture(badge: PickedBadge | None) -> str:
    return f"/badges/{badge.badge.id}/v{badge.version.number}/image.svg" if badge else ""


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
        picture=_picture(badge),
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
    if step is not None and step.state is StageState.DONE and step.since is not None:
        words = translated(N_("Acquis le {day}."))
        return words.format(day=day(step.since, found.campus.time_zone))
    titles = [
        translated(N_("« {name} »")).format(name=each.title)
        for key in stage.after
        if (each := found.content.stage(key)) is not None
    ]
    if step is not None and not step.is_needed and not stage.is_optional:
        return translated(N_("Plus nécessaire : une autre étape du choix est acquise."))
    if not titles:
        return translated(N_("À tout moment."))
    return translated(N_("Après {titles}.")).format(titles=listing(titles))


def _condition(found: ConditionProgress, *, shows_person: bool) -> ConditionShown:
    condition = found.condition
    reached = ""
    if shows_person and not found.is_met and condition.kind is ConditionKind.HOURS:
        words = translated(N_("{reached} sur {least}"))
        reached = words.format(reached=duration(found.reached), least=duration(condition.least * 60))
    elif (
        shows_person
        and not found.is_met
        and condition.kind
        in (
            ConditionKind.BADGES,
            ConditionKind.ACTIVITIES,
        )
    ):
        words = translated(N_("{reached} sur {least}"))
        reached = words.format(reached=number(found.reached), least=number(condition.least))
    links = [(each.name, f"/badges/{each.id}") for each in condition.badges]
    if condition.competency is not None:
        links.append((condition.competency.name, f"/competences/{condition.competency.id}"))
    return ConditionShown(condition_words(condition), reached, found.is_met, links)


# --- drawing

_STEP, _LANE, _MARGIN, _RADIUS = 170, 170, 86, 46
_LINE, _LONGEST_LINE, _MOST_LINES = 19, 19, 3


def depths_of(content: PathwayContent) -> dict[str, int]:
    """The longest way to each stage; a stage after a choice comes after all of its alternatives."""
    found: dict[str, int] = {}
    before = {
        stage.key: [
            one.key
            for key in stage.after
            if (each := content.stage(key)) is not None
            for one in content.together(each)
        ]
        for stage in content.stages
    }
    # A draft may hold a circle: as many rounds as there are stages suffice without one.
    for _ in content.stages:
        for stage in content.stages:
            found[stage.key] = max((found.get(key, 0) + 1 for key in before[stage.key]), default=0)
    most = len(content.stages)
    return {key: min(depth, most) for key, depth in found.items()}


def _graph(
    found: PublicPathway,
    groups: Sequence[StageGroup],
    steps: Mapping[str, StageProgress],
    *,
    is_complete: bool,
    is_across: bool,
) -> Graph:
    content, depths = found.content, depths_of(found.content)
    lanes: dict[int, int] = {}
    cells: dict[str, tuple[int, int]] = {}
    for stage in content.stages:
        depth = depths[stage.key]
        cells[stage.key] = depth, lanes.get(depth, 0)
        lanes[depth] = lanes.get(depth, 0) + 1
    last = max(depths.values(), default=-1) + 1
    widest = max(lanes.values(), default=1)

    def place(depth: int, lane: int, of: int) -> tuple[int, int]:
        along = _MARGIN + depth * _STEP
        beside = _MARGIN + round((lane + (widest - of) / 2) * _LANE)
        return (along, beside) if is_across else (beside, along)

    at = {key: place(depth, lane, lanes[depth]) for key, (depth, lane) in cells.items()}
    whole = place(last, 0, 1)
    shown = {each.key: each for group in groups for each in group.stages}
    nodes = [
        Node(*at[key], each.picture, each.state, _lines(each.title, at[key][1]))
        for key, each in shown.items()
    ]
    badge = found.badges.get(content.badge.id) if content.badge else None
    state = "" if not steps else "open" if is_complete else "later"
    label = content.badge.name if content.badge else translated(N_("Le badge de l’ensemble"))
    nodes.append(Node(*whole, _picture(badge), state, _lines(label, whole[1]), is_whole=True))
    edges, followed = [], set[str]()
    for stage in content.stages:
        for key in stage.after:
            before = content.stage(key)
            for one in content.together(before) if before else ():
                followed.add(one.key)
                edges.append(
                    (_curve(at[one.key], at[stage.key], is_across), _edge(shown[one.key], shown[stage.key]))
                )
    edges += [
        (_curve(at[stage.key], whole, is_across), _edge(shown[stage.key], None))
        for stage in content.stages
        if stage.key not in followed
    ]
    long, short = _MARGIN * 2 + last * _STEP, _MARGIN * 2 + (widest - 1) * _LANE
    width, height = (long, short + 40) if is_across else (short, long + 40)
    return Graph(width, height, nodes, edges, _description(groups, label, has_states=bool(steps)))


def _edge(start: StageShown, end: StageShown | None) -> str:
    if start.state != "done":
        return "later" if start.state else "plain"
    return "done" if end is not None and end.state == "done" else "open"


def _curve(start: tuple[int, int], end: tuple[int, int], is_across: bool) -> str:
    (x1, y1), (x2, y2) = start, end
    if is_across:
        x1, x2 = x1 + _RADIUS, x2 - _RADIUS
        middle = (x1 + x2) // 2
        return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    y1, y2 = y1 + _RADIUS + 62, y2 - _RADIUS
    middle = (y1 + y2) // 2
    return f"M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}"


def _lines(title: str, y: int) -> list[tuple[int, str]]:
    lines = wrap(title, _LONGEST_LINE) or [""]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][: _LONGEST_LINE - 1] + "…"]
    return [(y + _RADIUS + 22 + at * _LINE, line) for at, line in enumerate(lines)]


def _description(groups: Sequence[StageGroup], badge: str, *, has_states: bool) -> str:
    """What the graph shows, in one sentence for each state."""
    titles = [each for group in groups for each in group.stages]
    if not has_states:
        words = translated(N_("{stages}, puis {badge}. La liste plus bas dit la même chose."))
        return words.format(stages=listing([each.title for each in titles]), badge=badge)
    parts = [
        f"{translated(words)} : {listing([each.title for each in titles if each.state == state.value])}."
        for state, words in STATES.items()
        if any(each.state == state.value for each in titles)
    ]
    words = translated(N_("À la fin : {badge}. La liste plus bas dit la même chose."))
    return " ".join([*parts, words.format(badge=badge)])
