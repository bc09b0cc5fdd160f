"""Carrying a plan out: part by part, so that one that fails stops no other, and no view names what is not there.

Every step can be done twice, and what says that an account is complete comes last: a run that was interrupted
at any point is simply run again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trailhouse.catalog.checked import Checked
from trailhouse.catalog.convergence import FORMER, TABLES
from trailhouse.catalog.draft import actual_digest
from trailhouse.core import desired
from trailhouse.core.descriptor import Digester
from trailhouse.core.desired import Design
from trailhouse.core.layout import Kind
from trailhouse.core.plan import Action, Change, Part, Tally, Target
from trailhouse.core.state import KIND_PARAMETER, SHAPE_PARAMETER, Shape, View
from trailhouse.core.views import account_name, named_tables
from trailhouse.errors import (
    AwsError,
    CatalogError,
    CredentialsError,
    PlanRefusedError,
    StalePlanError,
    TrailhouseError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trailhouse.catalog.port import Catalog

_NAMED = 5


@dataclass(slots=True)
class Failure:
    """What of a part was not carried out.

    Attributes:
        error: the first that was met.
        changes: how many changes are not done, those not tried among them; 0: the part was never planned.
    """

    error: TrailhouseError
    changes: int = 0


@dataclass(slots=True)
class Report:
    """What became of a plan.

    Attributes:
        done: how many changes of each sort are carried out.
        failed: by the part's name.
        left_out: views that were written without some accounts, or not at all, and why.
    """

    done: Counter[tuple[Target, Action]] = field(default_factory=Counter)
    failed: dict[str, Failure] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything is as it was planned."""
        return not self.failed and not self.left_out


class Application:
    """A plan being carried out.

    Attributes:
        report: what became of it so far; true at any moment, after an interruption, too.
    """

    def __init__(
        self,
        catalog: Catalog,
        database: str,
        prefix: str,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Change nothing yet.

        Args:
            catalog: where.
            database: of all tables and views.
            prefix: `table_prefix`.
            advance: hears how many more changes are done.
        """
        self._catalog = Checked(catalog)
        self._design = Design(database, prefix, Shape.PER_ACCOUNT)
        self._advance = advance
        self._missing: set[str] = set()
        self.report = Report()

    def carry_out(self, part: Part) -> None:
        """Carry one part out; its failure is in the report.

        Raises:
            CredentialsError: no call can succeed any more.
            TrailhouseError: what all others need could not be made.
        """
        if part.error is not None:
            self.report.failed[part.name] = Failure(part.error)
            return
        if part.name == FORMER and not self.report.complete:
            self.report.left_out += [
                (change.name, "it goes once all accounts are done") for change in part.changes
            ]
            return
        changes = [one for change in part.changes for one in self._adjusted(change)]
        failed = self._carry_out(changes, part)
        if part.name == TABLES and any(change.target is not Target.INDEX for change in failed):
            raise self.report.failed[TABLES].error  # all others stand on these

    def _carry_out(self, changes: list[Change], part: Part) -> list[Change]:
        """Carry changes out; those that were not."""
        waiting = {id(change): change for change in changes}
        error: TrailhouseError | None = None
        try:
            for outcome in self._catalog.carry_out(changes):
                if outcome.error is not None:
                    error = error or outcome.error
                    continue
                waiting.pop(id(outcome.change), None)
                self.report.done[outcome.change.target, outcome.change.action] += 1
                self._advance(1)
        except AwsError as raised:
            error = error or raised
        if isinstance(error, CredentialsError):
            raise error  # no call can succeed any more
        left = list(waiting.values())
        if error:
            self.report.failed[part.name] = Failure(error, len(left))
        self._missing |= {
            change.name
            for change in left
            if change.action in {Action.CREATE, Action.REPLACE}
            and change.target in {Target.TABLE, Target.VIEW}
        }
        return left

    def _adjusted(self, change: Change) -> list[Change]:
        """A union without the tables that are not there; nothing where nothing of it would be left.

        A copy is written as it is, so that it stays one.
        """
        view = change.after
        if change.source or not isinstance(view, View) or not named_tables(view.sql) & self._missing:
            return [change]
        parameters = dict(view.parameters)
        gone = sorted(named_tables(view.sql) & self._missing)
        named = ", ".join(gone[:_NAMED]) + (", ..." if len(gone) > _NAMED else "")
        if parameters.get(SHAPE_PARAMETER) == Shape.PER_ACCOUNT and parameters.get(KIND_PARAMETER):
            kind = Kind(parameters[KIND_PARAMETER])
            begin = account_name(self._design.prefix, kind, "")
            left = sorted(named_tables(view.sql) - self._missing)
            accounts = [name.removeprefix(begin) for name in left if name.startswith(begin)]
            made = (
                {one.name: one for one in desired.shared_views(self._design, {kind: accounts})}
                if accounts
                else {}
            )
            if view.name in made:
                self.report.left_out.append((view.name, f"it is written without {named}"))
                return [replace(change, after=made[view.name])]
        self.report.left_out.append((view.name, f"it is not written: {named} could not be made"))
        if change.action is not Action.UPDATE:
            self._missing.add(view.name)
        return []


def check(parts: Iterable[Part], catalog: Catalog, name: str, prefix: str) -> Tally:
    """Find out whether a saved plan can be carried out as it is; nothing is changed.

    Args:
        parts: of the plan; read to the end.
        catalog: is read as it was when the plan was made.
        name: the plan's, for messages.
        prefix: what every name in it has to begin with.

    Raises:
        AwsError: the catalog cannot be read.
        CatalogError: the plan names what is not under the prefix.
        PlanRefusedError: the plan refuses itself.
        StalePlanError: the catalog is not any more as it was; names the parts that differ.
    """
    found = catalog.definitions() if catalog.exists() else {}
    tally, digester, stale = Tally(), Digester(), []
    for part in parts:
        tally.add(part)
        for change in part.changes:
            if change.target is not Target.DATABASE and not change.name.startswith(prefix):
                raise CatalogError(f"{name}: {change.name} does not begin with {prefix}: make a new plan")
        if part.error is None and part.actual != actual_digest(part, catalog, found, digester):
            stale.append(part.name)
    refuse(tally)
    if stale:
        more = f" and {len(stale) - _NAMED} more" if len(stale) > _NAMED else ""
        raise StalePlanError(
            f"{name} is stale: since it was made, the catalog changed in {', '.join(stale[:_NAMED])}{more}. "
            "Nothing was done; make a new plan"
        )
    return tally


def refuse(tally: Tally) -> None:
    """Raise PlanRefusedError where a plan must not be carried out, with all the reasons."""
    if tally.refusals:
        reasons = "\n".join(refusal.reason for refusal in tally.refusals)
        raise PlanRefusedError(f"nothing was done, because the plan refuses itself:\n{reasons}")
