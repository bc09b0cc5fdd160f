"""One piece of a run: parts of the plan are made and carried out in turn, as long as there is time for one more.

A piece stops between two accounts, never within one, and the next begins after the last that is done. All that is
remembered between them is that account's number: what the catalog should hold is found out anew, so a piece that
was cut off anywhere is simply done again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trailhouse.catalog.application import Application
from trailhouse.catalog.convergence import FORMER, TABLES, VIEWS, Convergence
from trailhouse.core.plan import Action
from trailhouse.errors import ConflictError, PlanRefusedError, TrailhouseError
from trailhouse.nightly import findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from trailhouse.catalog.aim import Aim, Surveyor
    from trailhouse.catalog.application import Failure, Report
    from trailhouse.catalog.port import Catalog
    from trailhouse.core.plan import Part
    from trailhouse.core.problem import Problem

RESERVE = 180.0
"""Seconds that have to be left for one more account."""


@dataclass(slots=True)
class Progress:
    """What became of a piece.

    Attributes:
        planned: changes by what they do, such as `create partition`.
        done: those carried out.
        failed: by part.
        refused: by part, why it must not be carried out.
        left_out: by view, why it is not as planned.
        warnings: of the plan, each once.
        after: the last account that is done with.
        finished: nothing of the run is left.
        error: what ended the run, or None.
    """

    planned: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    failed: dict[str, Failure] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    after: str = ""
    finished: bool = False
    error: TrailhouseError | None = None

    def problems(self, now: datetime) -> Iterator[Problem]:
        """What somebody has to look at."""
        if self.error is not None and not isinstance(self.error, PlanRefusedError):
            yield findings.failed(self.error, now)
        for name, failure in self.failed.items():
            if failure.error is not self.error:
                yield findings.failure(name, failure, now)
        for name, reason in self.refused.items():
            yield findings.refused(name, reason, now)
        for view, why in self.left_out.items():
            yield findings.left_out(view, why, now)


class Piece:
    """A piece of work.

    Attributes:
        progress: what became of it so far; true at any moment.
    """

    def __init__(
        self,
        catalog: Catalog,
        surveyor: Surveyor,
        aim: Aim,
        remaining: Callable[[], float],
        *,
        whole: bool = True,
    ) -> None:
        """Change nothing yet.

        Args:
            catalog: where.
            surveyor: finds what is delivered.
            aim: what is asked for; `after` is where the piece begins.
            remaining: seconds that are left.
            whole: nothing was left out by the pieces before. Else nothing of another shape is taken away.
        """
        self._catalog = catalog
        self._surveyor = surveyor
        self._aim = aim
        self._remaining = remaining
        self._whole = whole
        self.progress = Progress(after=aim.after)

    def work(self) -> None:
        """Do as much as there is time for, at least one account; what goes wrong is in the progress."""
        try:
            self.progress.finished = self._carry_out(self._aim)
            self._once_more()
        except TrailhouseError as error:
            self.progress.error = error

    def _carry_out(self, aim: Aim) -> bool:
        """Plan and carry out; whether nothing is left."""
        application = Application(self._catalog, aim.database, aim.prefix)
        accounts = 0
        try:
            for part in Convergence(self._catalog, self._surveyor, aim).parts():
                self._take(part, application)
                if part.name in findings.SHARED:
                    continue
                accounts += 1
                self.progress.after = max(self.progress.after, part.name)
                if not aim.targets and self._remaining() < RESERVE:
                    return False
        finally:
            self._add(application.report)
        return True

    def _take(self, part: Part, application: Application) -> None:
        progress = self.progress
        progress.warnings |= dict.fromkeys(part.warnings)
        if part.refusals:
            progress.refused[part.name] = "\n".join(refusal.reason for refusal in part.refusals)
            if part.name == TABLES:
                raise PlanRefusedError(progress.refused[TABLES])  # all others stand on these
            return
        changes = [change for change in part.changes if change.action is not Action.CHECK]
        if part.name == FORMER and changes and not self._whole:
            progress.left_out |= {one.name: "it goes once all accounts are done" for one in changes}
            return
        progress.planned.update(f"{change.action} {change.target}" for change in changes)
        application.carry_out(part)

    def _add(self, report: Report) -> None:
        for (target, action), count in report.done.items():
            if action is not Action.CHECK:
                self.progress.done[f"{action} {target}"] += count
        self.progress.failed |= report.failed
        self.progress.left_out |= dict(report.left_out)

    def _once_more(self) -> None:
        """Plan and carry out again what somebody else changed meanwhile, and views that lack it."""
        progress = self.progress
        met = [name for name, failure in progress.failed.items() if isinstance(failure.error, ConflictError)]
        again = [name for name in met if name not in {TABLES, FORMER}]
        if again and progress.left_out and VIEWS not in again:
            again.append(VIEWS)
        if not again:
            return
        for name in again:
            progress.failed.pop(name, None)
        if VIEWS in again:
            progress.left_out.clear()
        self._carry_out(replace(self._aim, targets=tuple(again), after=""))
