"""What a calendar writes: activities and their sessions, through the services that everybody uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.db.activities.plans import ActivityPlanStore
from app.db.imports.imports import ImportStore
from app.domain.activities.activities import Activity, ActivityKind
from app.domain.activities.plans import ActivitySession
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.imports.imports import Fate, Imported, ImportRun
from app.services.activities.plans import AMENDED, ActivityPlans
from app.services.activities.series import SeriesService
from app.services.activities.sessions import ActivitySessions
from app.services.imports.calendar_judging import CalendarJudging, Foreseen


class CalendarWriting:
    def __init__(
        self,
        imports: ImportStore,
        plans: ActivityPlanStore,
        judging: CalendarJudging,
        planning: ActivityPlans,
        attendance: ActivitySessions,
        series: SeriesService,
    ) -> None:
        self.imports = imports
        self.plans = plans
        self.judging = judging
        self.planning = planning
        self.attendance = attendance
        self.series = series

    def write(
        self, campus: Campus, run: ImportRun, lines: Sequence[Foreseen], kind: ActivityKind, *, by: Actor
    ) -> None:
        groups: dict[str, list[Foreseen]] = {}
        for one in lines:
            if one.fate is not Fate.REFUSED:
                groups.setdefault(one.meeting.uid, []).append(one)
        for group in groups.values():
            self._write(campus, run, group, kind, by)

    def _write(
        self, campus: Campus, run: ImportRun, group: Sequence[Foreseen], kind: ActivityKind, by: Actor
    ) -> None:
        first = next((one for one in group if not one.is_removed), group[0])
        is_new = first.activity is None
        if is_new and first.meeting.cancelled:
            return
        activity = first.activity or self._created(campus, first, kind, by)
        self.planning.activities.lock(activity.id)
        if not is_new and first.meeting.occurrence:
            self.series.begin_if_used(campus, activity, by=by)
        facts = {name: value for one in group for name, value in one.activity_news.items()}
        touched = [each for one in group if (each := self._session(campus, run, activity, one))]
        if touched:
            facts |= self._sums(activity)
        if facts and self.planning.correct(campus, activity.id, facts, by=by) and not is_new:
            self.planning.deeds.retold(activity, AMENDED)
        if touched and self.planning.activities.counts_attendance(activity.id):
            self.attendance.count_hours(activity)
        self._keep(campus, run, first.meeting.activity_key, activity.id, first.meeting.told().said())

    def _created(self, campus: Campus, first: Foreseen, kind: ActivityKind, by: Actor) -> Activity:
        meeting = first.meeting
        assert meeting.starts_on is not None, "a line without a date was refused"
        activity = Activity(
            kind=meeting.kind or kind,
            title=meeting.title,
            starts_on=meeting.starts_on,
            ends_on=meeting.ends_on or meeting.starts_on,
            place=meeting.place,
            hours=meeting.hours or None,
            created_at=self.planning.clock(),
        )
        return self.planning.activity_service.create(activity, [campus], by=by)

    def _session(self, campus: Campus, run: ImportRun, activity: Activity, one: Foreseen) -> bool:
        """Whether the sessions of the activity are others than before."""
        meeting, session = one.meeting, one.session
        if one.is_removed:
            assert session is not None
            for link in self.imports.standing_for(campus.id, run.source, [session.id]).get(session.id, ()):
                link.said, link.row_id, link.run_id = {**link.said, "withdrawn": True}, None, run.id
                self.imports.keep([link])
            self.plans.remove_session(session)
            return True
        if not meeting.occurrence or meeting.cancelled:
            return False
        assert meeting.starts_on is not None
        if session is None:
            there = self.plans.sessions_of(activity.id)
            session = next((each for each in there if each.held_on == meeting.starts_on), None)
        if session is None:
            session = ActivitySession(
                activity_id=activity.id, held_on=meeting.starts_on, hours=meeting.hours or None
            )
            self.plans.add_sessions([session])
        what = one.values.get("what", ())
        if "held_on" in what:
            session.held_on = meeting.starts_on
        if "hours" in what:
            session.hours = meeting.hours or None
        self.plans.add_sessions([session])
        self._keep(campus, run, meeting.own_key, session.id, meeting.said())
        return one.fate is Fate.CREATED or bool({"held_on", "hours"} & set(what))

    def _sums(self, activity: Activity) -> dict[str, Any]:
        """The days and hours of a series are those of its sessions."""
        sessions = self.plans.sessions_of(activity.id)
        if not sessions:
            return {}
        facts: dict[str, Any] = {
            "starts_on": sessions[0].held_on.isoformat(),
            "ends_on": sessions[-1].held_on.isoformat(),
        }
        if all(each.hours for each in sessions):
            facts["hours"] = round(sum(each.hours or 0 for each in sessions), 2)
        return facts

    def _keep(
        self, campus: Campus, run: ImportRun, own_key: Sequence[str], row_id: Any, said: Mapping[str, Any]
    ) -> None:
        """What the identifier stands for from now on, and what the calendar said under it."""
        key = self.judging.key(campus, run.source, own_key)
        link = self.imports.known(campus.id, [key]).get(key) or Imported(
            campus_id=campus.id, key=key, source=run.source, run_id=run.id, at=run.asked_at
        )
        if link.said != said or link.row_id != row_id:
            link.said, link.row_id, link.run_id, link.at = dict(said), row_id, run.id, run.asked_at
        self.imports.keep([link])
