"""Taking over cloudtrail-partitioner's tables and view: recognising them, replacing them, giving them back.

Its names are ours too, so nothing can be beside them under the same name, and Glue renames nothing. One name
after the other: what is new is made and read back, the old definition is copied with its partitions under
`<name>__before_trailhouse` and read back, and only then the name changes hands. Whoever is stopped anywhere
has the old definition under one of two names, and the next run goes on from there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trailhouse.core.coverage import Coverage
from trailhouse.core.deliveries import is_account
from trailhouse.core.plan import Action, Change, Part, Refusal, Target, deletion, diff_definition
from trailhouse.core.state import (
    BACKUP_PARAMETER,
    DATE_KEYS,
    MARK,
    VERSION,
    Definition,
    Found,
    Partition,
    Table,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SERDE = "com.amazon.emr.hive.serde.CloudTrailSerde"
INPUT_FORMAT = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
KEYS = ("region", *DATE_KEYS)
_IDENTITY = (
    "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,"
    "username:string,sessioncontext:struct<attributes:struct<mfaauthenticated:string,creationdate:string>,"
    "sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>>>"
)
_TYPES = {"useridentity": _IDENTITY, "resources": "array<struct<arn:string,accountid:string,type:string>>"}
COLUMNS = tuple(
    (name, _TYPES.get(name, "string"))
    for name in (
        "eventversion", "useridentity", "eventtime", "eventsource", "eventname", "awsregion",
        "sourceipaddress", "useragent", "errorcode", "errormessage", "requestparameters",
        "responseelements", "additionaleventdata", "requestid", "eventid", "resources", "eventtype",
        "apiversion", "readonly", "recipientaccountid", "serviceeventdetails", "sharedeventid",
        "vpcendpointid",
    )
)  # fmt: skip
"""The columns of its tables: AWS's of 2019."""

_KEPT = "__before_trailhouse"
_BESIDE = "__beside"
_TABLE_PLACE = re.compile(
    r"s3://[^/]+/(?:.*/)?AWSLogs/(?:o-[a-z0-9]+/)?([0-9]{12})/{1,2}CloudTrail/?", re.ASCII
)
_BRANCHES = re.compile(r"\s+UNION\s+ALL\s+", re.IGNORECASE)
_BRANCH = re.compile(r'\(*\s*SELECT\s+\*\s+FROM\s+\(?\s*([A-Za-z0-9_."`]+)\s*\)*\s*', re.IGNORECASE)


def kept_name(name: str) -> str:
    """Where the old definition of a name is kept."""
    return name + _KEPT


def beside_name(name: str) -> str:
    """Where the new table is made before it may have the name."""
    return name + _BESIDE


def account_of(name: str, prefix: str) -> str:
    """The account that a table of the predecessor's is named for; "" if it is not named like that."""
    account = name.removeprefix(f"{prefix}_")
    return account if account != name and is_account(account) else ""


def why_foreign(found: Found, prefix: str) -> str:
    """Why a table or view is none of the predecessor's, in one clause; "" if it is one.

    A name alone says nothing: columns, keys, SerDe and place all have to be as the predecessor made them.
    """
    held = found.definition
    return _why_no_view(held, prefix) if isinstance(held, View) else _why_no_table(held, found, prefix)


def _why_no_table(held: Table, found: Found, prefix: str) -> str:
    account = account_of(held.name, prefix)
    place = _TABLE_PLACE.fullmatch(held.location)
    parameters = dict(held.parameters)
    kind = found.raw.get("TableType", "EXTERNAL_TABLE")
    checks = (
        (bool(account), f"its name is not {prefix}_ and an account"),
        (
            kind == "EXTERNAL_TABLE" and parameters.get("EXTERNAL", "").upper() == "TRUE",
            "it is no external table",
        ),
        (held.keys == KEYS, f"its partition keys are {_listed(held.keys)}"),
        (held.format.serde == SERDE, f"its SerDe is {held.format.serde or 'none'}"),
        (held.format.input_format == INPUT_FORMAT, f"its input format is {held.format.input_format}"),
        (_plain(held.columns) == COLUMNS, f"its {len(held.columns)} columns are not the predecessor's 23"),
        (place is not None and place[1] == account, f"its location is {held.location}"),
        (not held.projected, "its partitions are projected"),
    )
    return next((why for right, why in checks if not right), "")


def _why_no_view(held: View, prefix: str) -> str:
    if held.name != prefix:
        return f"its name is not {prefix}"
    for branch in _BRANCHES.split(held.sql.strip()):
        read = _BRANCH.fullmatch(branch)
        table = read[1].replace('"', "").replace("`", "").rpartition(".")[2] if read else ""
        if not account_of(table.lower(), prefix):
            return "it is no union of SELECT * over tables of accounts"
    return ""


def _plain(columns: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), type_.lower().replace(" ", "")) for name, type_ in columns)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


# -- taking over -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Former:
    """A table or view of the predecessor's, and how far the takeover of its name has come.

    Attributes:
        found: the definition under the name.
        partitions: its partitions, by values; a view has none.
        kept: what is under the name of its copy, where something is.
        kept_partitions: of the copy.
        beside: what is under the name of the new table beside it, where something is.
        beside_partitions: of that.
        covered: how the new partitions cover the old ones.
    """

    found: Found
    partitions: Mapping[tuple[str, ...], Partition] = field(default_factory=dict)
    kept: Found | None = None
    kept_partitions: Mapping[tuple[str, ...], Partition] = field(default_factory=dict)
    beside: Found | None = None
    beside_partitions: Mapping[tuple[str, ...], Partition] = field(default_factory=dict)
    covered: Coverage = field(default_factory=Coverage)

    @property
    def name(self) -> str:
        """The name that is taken over."""
        return self.found.definition.name


def take_over(part: Part, former: Former, new: Table | None = None) -> Part:
    """The part that takes the name over, from one that would make what is new if the name were free.

    Args:
        part: as `Convergence` makes it where nothing has the name.
        former: what has the name.
        new: the table of all accounts that holds the partitions, where the name becomes a view.

    Returns:
        The same part if it makes nothing of that name.
    """
    made = next((one for one in part.changes if one.name == former.name and one.after), None)
    if made is None or made.action is not Action.CREATE or not isinstance(made.after, Table | View):
        return part
    steps: list[list[Change] | Refusal | None] = [former.covered.refusal(former.name), keep(former)]
    own = [one for one in part.changes if one.name == former.name and one is not made]
    swap = replace(
        made,
        action=Action.REPLACE,
        before=former.found.definition,
        why=_what_goes(former, made.after),
        revision=former.found.revision,
    )
    if isinstance(made.after, Table):
        steps = [_beside(former, made.after, own), *steps, _filled(made.after, swap, own)]
    else:
        filled = new is not None and any(one.name == new.name for one in part.changes)
        steps = [[_check(new)] if new and filled else None, *steps, [swap, *own]]
    refusals = tuple(one for one in steps if isinstance(one, Refusal))
    if refusals:
        return replace(part, changes=(), refusals=(*part.refusals, *refusals))
    others = [one for one in part.changes if one.name != former.name]
    views = [one for one in others if one.target is Target.VIEW]  # these may read what changes hands
    changes = [change for step in steps if isinstance(step, list) for change in step]
    first = [one for one in others if one.target is not Target.VIEW]
    return replace(part, changes=(*first, *changes, *views))


def beside_table(table: Table) -> Table:
    """The new table under another name; it says of no day that it is complete."""
    return replace(table, name=beside_name(table.name))


def keep(former: Former) -> list[Change] | Refusal:
    """What to do so that the old definition and its partitions are kept under another name, and read back."""
    held = former.found.definition
    copy = kept_definition(held)
    made = diff_definition(copy, former.kept)
    if isinstance(made, Refusal):
        return made
    if former.kept and (
        former.kept.backup_of != held.name or any(one.action is not Action.CREATE for one in made)
    ):
        return Refusal(
            copy.name,
            f"{copy.name} keeps another definition than that of {held.name}: rename it before you go on, "
            "so that neither is lost",
        )
    made = [replace(one, source=held.name) if one.after else one for one in made]
    return [*made, *_copied(copy, former.partitions, former.kept_partitions)]


def kept_definition(held: Definition) -> Definition:
    """A definition as it is kept: all that it says, another name, our mark."""
    parameters = {**dict(held.parameters), MARK: str(VERSION), BACKUP_PARAMETER: held.name}
    return replace(held, name=kept_name(held.name), parameters=tuple(sorted(parameters.items())))


def former_definition(kept: Found) -> Definition:
    """The definition that is kept, as it was."""
    held = kept.definition
    parameters = ((key, value) for key, value in held.parameters if key not in {MARK, BACKUP_PARAMETER})
    return replace(held, name=kept.backup_of, parameters=tuple(parameters))


def _beside(former: Former, table: Table, own: Sequence[Change]) -> list[Change] | Refusal:
    """The new table under another name, with its partitions, read back. What is there of it is used."""
    beside = beside_table(table)
    made = diff_definition(beside, former.beside)
    if isinstance(made, Refusal):
        return made
    wanted = {one.values: one.after for one in own if isinstance(one.after, Partition)}
    return [*made, *_copied(beside, wanted, former.beside_partitions)]


def _filled(table: Table, swap: Change, own: Sequence[Change]) -> list[Change]:
    """The name changes hands, gets its partitions, and what stood in for it goes."""
    partitions = [one for one in own if one.target is Target.PARTITION]
    rest = [one for one in own if one.target is not Target.PARTITION]
    gone = Change(Action.DELETE, Target.TABLE, beside_name(table.name), (), beside_table(table))
    return [swap, *partitions, _check(table), *rest, gone]


def _check(table: Table) -> Change:
    return Change(Action.CHECK, Target.TABLE, table.name, after=table)


def _copied(
    table: Definition,
    wanted: Mapping[tuple[str, ...], Partition],
    there: Mapping[tuple[str, ...], Partition],
) -> list[Change]:
    if not isinstance(table, Table):
        return []
    changes = []
    for values, partition in sorted(wanted.items()):
        held = there.get(values)
        if held is None:
            changes.append(Change(Action.CREATE, Target.PARTITION, table.name, values, after=partition))
        elif held != partition:
            changes.append(
                Change(Action.UPDATE, Target.PARTITION, table.name, values, held, partition, ("as kept",))
            )
    return [*changes, _check(table)]


def _what_goes(former: Former, after: Definition) -> tuple[str, ...]:
    """What is replaced, for the plan: one clause each."""
    held = former.found.definition
    kept = f"kept as {kept_name(held.name)}"
    becomes = "a table" if isinstance(after, Table) else "a view"
    count = f"{len(held.columns)} columns become {len(after.columns)} of {becomes}"
    if isinstance(held, View):
        return count, kept
    covered = former.covered
    partitions = (
        f"{covered.partitions:,} partitions, {covered.with_logs:,} of them with logs, all of these covered"
    )
    return count, partitions, f"location {held.location}", kept


# -- giving back -----------------------------------------------------------------------------------------


def give_back(
    name: str,
    kept: Found,
    held: Found | None,
    partitions: Mapping[tuple[str, ...], Partition],
    there: Mapping[tuple[str, ...], Partition],
) -> Part:
    """The part that puts a kept definition back under its name, and only then lets go of the copy.

    Args:
        name: of the part.
        kept: the copy.
        held: what has the name now.
        partitions: the copy's.
        there: of what has the name, if that is the old definition again.
    """
    former = former_definition(kept)
    drop = deletion(kept)
    if held is not None and is_former(held, kept):
        return Part(name, (*_copied(former, partitions, there), drop))
    if held is not None and held.version is None:
        reason = f"{former.name} is neither ours nor what it was: rename it, then run --undo again"
        return Part(name, refusals=(Refusal(former.name, reason),))
    made = diff_definition(former, None)
    if isinstance(made, Refusal):
        return Part(name, refusals=(made,))
    first = replace(made[0], source=kept.definition.name)
    if held is not None:
        why = ("put back",)
        first = replace(first, action=Action.REPLACE, before=held.definition, why=why, revision=held.revision)
    return Part(name, (first, *made[1:], *_copied(former, partitions, {}), drop))


def is_former(held: Found, kept: Found) -> bool:
    """Whether what has a name is what was kept of it."""
    former = former_definition(kept)
    if isinstance(former, Table) and isinstance(held.definition, Table):
        return replace(held.definition, indexes=former.indexes) == former
    return held.definition == former
