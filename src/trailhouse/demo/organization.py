"""The organization: its accounts, its regions, what stands in them, and where their logs are delivered."""

from dataclasses import dataclass

from trailhouse.demo.dice import LOWER, Dice, uuid

HOME_REGION = "us-east-1"
REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "us-west-2", "ap-southeast-2")

# name, share of the events, share of its regions in the order of REGIONS
_ACCOUNTS = (
    ("management", 0.04, (90, 4, 2, 2, 2)),
    ("security", 0.06, (60, 20, 10, 6, 4)),
    ("log-archive", 0.03, (85, 10, 5, 0, 0)),
    ("network", 0.05, (40, 30, 20, 5, 5)),
    ("shared-services", 0.09, (45, 35, 20, 0, 0)),
    ("prod-web", 0.20, (40, 35, 10, 10, 5)),
    ("prod-data", 0.15, (25, 55, 20, 0, 0)),
    ("prod-payments", 0.14, (30, 10, 60, 0, 0)),
    ("staging", 0.08, (30, 60, 10, 0, 0)),
    ("dev", 0.09, (45, 40, 10, 5, 0)),
    ("sandbox", 0.04, (60, 10, 10, 15, 5)),
    ("ml-research", 0.03, (20, 10, 0, 70, 0)),
)


@dataclass(frozen=True, slots=True)
class Account:
    """One member account.

    `roots` are the log roots that its organization trail and its own trail write to; `moves` says that
    deliveries went to the plain root first and to the organization's root later; `second` names the root
    of a second trail that delivers management events again, or is empty.
    """

    number: str
    name: str
    share: float
    regions: tuple[tuple[str, int], ...]
    moves: bool
    second: str
    things: "Things"


@dataclass(frozen=True, slots=True)
class Things:
    """Resources of one account, by the token that stands for them in a request template."""

    bucket: tuple[str, ...]
    instance: tuple[str, ...]
    volume: tuple[str, ...]
    vpc: tuple[str, ...]
    subnet: tuple[str, ...]
    group: tuple[str, ...]
    interface: tuple[str, ...]
    image: tuple[str, ...]
    kmskey: tuple[str, ...]
    function: tuple[str, ...]
    role: tuple[str, ...]
    table: tuple[str, ...]
    queue: tuple[str, ...]
    secret: tuple[str, ...]
    parameter: tuple[str, ...]
    loggroup: tuple[str, ...]
    cluster: tuple[str, ...]
    database: tuple[str, ...]
    stack: tuple[str, ...]
    repository: tuple[str, ...]
    endpoint: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization and its accounts, the same for the same seed."""

    id: str
    company: str
    accounts: tuple[Account, ...]

    @property
    def root(self) -> str:
        """The log root of the organization's trail."""
        return f"AWSLogs/{self.id}"

    def account(self, name: str) -> Account:
        """Return an account by its name; KeyError when there is none."""
        return {account.name: account for account in self.accounts}[name]


def organization(seed: int) -> Organization:
    """Return the organization of a seed: twelve accounts, one of them with a leading zero."""
    dice = Dice(f"{seed}:organization")
    company = dice.pick(("larkfield", "brightmoor", "tidewater", "oakhollow", "fenwick", "silverbirch"))
    id_ = "o-" + dice.text(10, LOWER)
    accounts = []
    for name, share, weights in _ACCOUNTS:
        first = "0" if name == "shared-services" else dice.text(1, "123456789")
        accounts.append(
            Account(
                number=first + dice.digits(11),
                name=name,
                share=share,
                regions=tuple((r, w) for r, w in zip(REGIONS, weights, strict=True) if w),
                moves=name == "prod-data",
                second=_second_trail(name, f"AWSLogs/{id_}"),
                things=_things(dice, company, name),
            )
        )
    return Organization(id_, company, tuple(accounts))


def _second_trail(name: str, root: str) -> str:
    """Two accounts have a second trail with the same root, one has its own trail under the plain root."""
    if name in {"prod-web", "prod-payments"}:
        return root
    return "AWSLogs" if name == "staging" else ""


def _things(dice: Dice, company: str, name: str) -> Things:
    def ids(prefix: str, count: int, length: int = 17) -> tuple[str, ...]:
        return tuple(f"{prefix}{dice.hex(length)}" for _ in range(count))

    def names(*stems: str) -> tuple[str, ...]:
        return tuple(f"{name}-{stem}" for stem in stems)

    return Things(
        bucket=tuple(
            f"{company}-{name}-{s}" for s in ("assets", "uploads", "exports", "backups", "artifacts", "logs")
        ),
        instance=ids("i-0", 24, 16),
        volume=ids("vol-0", 24, 16),
        vpc=ids("vpc-0", 3, 16),
        subnet=ids("subnet-0", 9, 16),
        group=ids("sg-0", 12, 16),
        interface=ids("eni-0", 24, 16),
        image=ids("ami-0", 6, 16),
        kmskey=tuple(uuid(dice.hex(32)) for _ in range(6)),
        function=names("ingest", "thumbnails", "notify", "webhooks", "rotate-secrets", "nightly-report"),
        role=names("app", "worker", "deploy", "lambda-exec", "backup", "glue-etl"),
        table=names("orders", "sessions", "inventory", "locks"),
        queue=names("jobs", "events", "mail", "jobs-dlq"),
        secret=tuple(f"{name}/{s}-{dice.text(6)}" for s in ("db", "stripe", "smtp", "api-token")),
        parameter=tuple(
            f"/{name}/{s}" for s in ("db/host", "db/user", "feature/flags", "release", "log/level")
        ),
        loggroup=(
            *tuple(f"/aws/lambda/{name}-{s}" for s in ("ingest", "notify", "webhooks")),
            f"/ecs/{name}",
            f"/aws/rds/{name}",
        ),
        cluster=names("main", "batch"),
        database=names("primary", "replica-1", "analytics"),
        stack=names("network", "service", "pipeline", "alarms"),
        repository=(f"{company}/{name}-api", f"{company}/{name}-web", f"{company}/{name}-worker"),
        endpoint=ids("vpce-0", 3, 16),
    )
