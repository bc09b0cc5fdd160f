"""The ground truth: counted while the demo is made, without reading anything back."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TextIO

from trailhouse.demo.eventids import EventIds
from trailhouse.demo.logfile import Place
from trailhouse.demo.runs import Run

CLOUDTRAIL = "CloudTrail"
_LIMIT = 50

QUERIES = (
    (
        "SELECT * FROM cloudtrail_{account} WHERE region = '{region}' AND year = '{year}' AND "
        "month = '{month}' AND day = '{day}' LIMIT 5;"
    ),
    (
        "SELECT useridentity.arn, errorcode, count(*) AS count FROM cloudtrail_{account} WHERE "
        "year = '{year}' AND month = '{month}' AND day = '{day}' AND errorcode != '' "
        "GROUP BY errorcode, useridentity.arn ORDER BY count DESC LIMIT 50;"
    ),
    (
        "SELECT eventname, count(*) AS COUNT FROM cloudtrail_{account} WHERE year = '{year}' AND "
        "month = '{month}' and day = '{day}' AND useridentity.arn like '%{user}%' GROUP BY eventname "
        "ORDER BY COUNT DESC"
    ),
    (
        "SELECT recipientaccountid, count(*) AS COUNT FROM cloudtrail WHERE year = '{year}' AND "
        "month = '{month}' AND sourceipaddress = '{address}' GROUP BY recipientaccountid ORDER BY COUNT DESC"
    ),
)


@dataclass(frozen=True, slots=True)
class Questions:
    """What cloudtrail-partitioner's four README queries ask about in this demo."""

    account: str
    region: str
    day: date
    user: str
    address: str

    def parameters(self) -> dict[str, str]:
        """Return the values that the queries are formatted with."""
        return {
            "account": self.account,
            "region": self.region,
            "year": f"{self.day:%Y}",
            "month": f"{self.day:%m}",
            "day": f"{self.day:%d}",
            "user": self.user,
            "address": self.address,
        }


@dataclass(frozen=True, slots=True)
class Truth:
    """What is in a demo's bucket: `document` is what `truth.json` holds."""

    document: dict[str, Any]

    @property
    def delivered(self) -> int:
        """Records of the kind CloudTrail, repeated deliveries counted."""
        return int(self.document["counts"]["cloudtrail"])

    @property
    def distinct(self) -> int:
        """Distinct events of the kind CloudTrail."""
        return int(self.document["counts"]["cloudtrail_events"])


@dataclass(slots=True)
class Tally:
    """Counters that grow with accounts, regions, days and principals, not with events.

    Args:
        ids: where the event ids go.
        files_tsv: gets a line a file; None for no such list.
        answer_ids: gets the event ids that match the first query, one a line; None for no such list.
    """

    questions: Questions
    ids: EventIds
    files_tsv: TextIO | None = None
    answer_ids: TextIO | None = None
    files: Counter[tuple[str, str]] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    compressed: int = 0
    uncompressed: int = 0
    events: int = 0
    folders: int = 0
    late_files: int = 0
    late_records: int = 0
    by_account: Counter[str] = field(default_factory=Counter)
    by_region: Counter[str] = field(default_factory=Counter)
    by_delivery_day: Counter[str] = field(default_factory=Counter)
    by_event_day: Counter[str] = field(default_factory=Counter)
    roots: Counter[str] = field(default_factory=Counter)
    stories: list[dict[str, Any]] = field(default_factory=list)
    _matching: int = 0
    _errors: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    _names: Counter[str] = field(default_factory=Counter)
    _recipients: Counter[str | None] = field(default_factory=Counter)

    def event(self, run: Run) -> None:
        """Count a run when its events happen, once however often they are delivered."""
        count = len(run.texts)
        self.events += count
        self.by_event_day[run.day] += count
        self.ids.add(run)

    def delivery(self, place: Place, runs: Iterable[Run]) -> None:
        """Count the records of one CloudTrail file."""
        asked = self.questions
        here = place.account == asked.account and place.day == asked.day
        month = (place.day.year, place.day.month) == (asked.day.year, asked.day.month)
        total = 0
        for run in runs:
            count = len(run.texts)
            total += count
            if here:
                self._asked(place, run, count)
            if month and run.address == asked.address:
                self._recipients[run.recipient] += count
        self.by_account[place.account] += total
        self.by_region[place.region] += total
        self.by_delivery_day[f"{place.day:%Y-%m-%d}"] += total
        self.roots[place.root] += total

    def _asked(self, place: Place, run: Run, count: int) -> None:
        if run.error:
            self._errors[run.arn, run.error] += count
        if run.arn and self.questions.user in run.arn:
            self._names[run.name] += count
        if place.region == self.questions.region:
            self._matching += count
            if self.answer_ids:
                self.answer_ids.writelines(f"{id_}\n" for id_ in run.event_ids())

    def file(
        self, key: str, kind: str, verdict: str, records: int, sizes: tuple[int, int], sha256: str
    ) -> None:
        """Count a file; `sizes` are its compressed and uncompressed bytes."""
        self.files[kind, verdict] += 1
        self.records[kind] += records
        if verdict == "records":
            self.compressed += sizes[0]
            self.uncompressed += sizes[1]
        if self.files_tsv:
            self.files_tsv.write(f"{key}\t{kind}\t{verdict}\t{records}\t{sizes[0]}\t{sizes[1]}\t{sha256}\n")

    def answers(self) -> list[dict[str, Any]]:
        """Return the four queries with their complete results; equal counts in the order of names."""
        values = self.questions.parameters()
        errors = _ranked({(arn or "", error): n for (arn, error), n in self._errors.items()})
        rows = [[arn or None, error, n] for (arn, error), n in errors]
        names = [[name, n] for name, n in _ranked(self._names)]
        recipients = [
            [number or None, n] for number, n in _ranked({k or "": n for k, n in self._recipients.items()})
        ]
        first: dict[str, Any] = {"matching": self._matching, "eventids_file": "query1_eventids.txt"}
        results = [
            first,
            {"rows": rows[:_LIMIT], "groups": len(rows), "all_rows": rows},
            {"rows": names},
            {"rows": recipients},
        ]
        return [{"sql": sql.format(**values), **result} for sql, result in zip(QUERIES, results, strict=True)]

    def truth(self, parameters: dict[str, Any]) -> Truth:
        """Return the truth of what was counted; `parameters` are the demo's own."""
        count, sha256 = self.ids.digest()
        other = {
            f"cloudtrail_{kind.removeprefix('CloudTrail-').lower()}": n
            for kind, n in sorted(self.records.items())
            if kind not in {CLOUDTRAIL, "CloudTrail-Digest"} and n
        }
        return Truth(
            {
                "parameters": parameters,
                "counts": {"cloudtrail": self.records[CLOUDTRAIL], "cloudtrail_events": self.events, **other},
                "definitions": _DEFINITIONS,
                "distinct_event_ids": count,
                "sha256_of_sorted_event_ids": sha256,
                "duplicates": self.records[CLOUDTRAIL] - self.events,
                "files": [
                    {"kind": kind, "verdict": verdict, "files": n}
                    for (kind, verdict), n in sorted(self.files.items())
                ],
                "compressed_bytes": self.compressed,
                "uncompressed_bytes": self.uncompressed,
                "folder_keys": self.folders,
                "late_files": self.late_files,
                "late_records": self.late_records,
                "by_account": dict(sorted(self.by_account.items())),
                "by_region": dict(sorted(self.by_region.items())),
                "by_delivery_day": dict(sorted(self.by_delivery_day.items())),
                "by_event_day": dict(sorted(self.by_event_day.items())),
                "by_root": dict(sorted(self.roots.items())),
                "questions": self.questions.parameters(),
                "answers": self.answers(),
                "stories": self.stories,
            }
        )


_DEFINITIONS = {
    "cloudtrail": "records of the kind CloudTrail as delivered, duplicates counted",
    "cloudtrail_events": "distinct events: same eventID, eventTime, eventSource, eventName and "
    "recipientAccountId; a record without eventID is an event of its own",
    "by_account": "as delivered, by the account in the key",
    "by_region": "as delivered, by the region in the key",
    "by_delivery_day": "as delivered, by the day in the key",
    "by_event_day": "distinct events, by the UTC day of eventTime",
    "sha256_of_sorted_event_ids": "distinct event ids of the kind CloudTrail, sorted bytewise, each followed "
    "by a newline",
    "compressed_bytes, uncompressed_bytes": "of the files with verdict records",
    "verdict": "records: its records are taken; ignored: no log of CloudTrail records",
}


def _ranked(counts: dict[Any, int]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
