"""Who acts: AWS services, instances, functions, pipelines, people and users with keys."""

import json
from dataclasses import dataclass
from typing import Any

from trailhouse.demo import actions
from trailhouse.demo.actions import Action
from trailhouse.demo.dice import BASE32, Dice
from trailhouse.demo.organization import Account, Organization

FIRST_NAMES = [
    "alice",
    "nadia",
    "tomas",
    "ingrid",
    "rafael",
    "yuki",
    "priya",
    "marek",
    "selma",
    "dmitri",
    "chloe",
    "omar",
    "hanna",
    "jonas",
    "leila",
    "mateo",
    "sofia",
    "viktor",
    "amara",
    "pavel",
]
LAST_NAMES = [
    "okafor",
    "lindqvist",
    "moreau",
    "tanaka",
    "novak",
    "herrera",
    "kovacs",
    "bianchi",
    "schmidt",
    "osei",
    "petrov",
    "larsen",
    "costa",
    "haddad",
    "murphy",
    "jensen",
    "silva",
    "weber",
    "ito",
    "dubois",
]

_CONSOLE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/137.0.0.0 Safari/537.36"
)
_TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.94.1 "
    "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.23.8 md/GOOS#linux md/GOARCH#amd64 api/{service}#1.210.0"
)
_LAMBDA = (
    "Boto3/1.24.59 Python/3.12.9 Linux/5.10.236-248.880.amzn2.x86_64 exec-env/AWS_Lambda_python3.12 "
    "Botocore/1.27.59"
)
_CLI = (
    "aws-cli/2.27.22 md/awscrt#0.26.1 ua/2.1 os/linux#6.8.0-60-generic md/arch#x86_64 lang/python#3.13.3 "
    "md/command#{service}"
)
_AGENT = "aws-sdk-go/1.55.5 (go1.23.7; linux; amd64) amazon-ssm-agent/3.3.2299.0"


@dataclass(frozen=True, slots=True)
class Actor:
    """One principal in one account.

    `identity` is its userIdentity without what changes from session to session; `key` is the prefix of its
    access keys, "ASIA" for keys that a session brings, "" for none, else the whole lasting key. `agents` may
    hold `{service}`. `errors` says whether its calls are refused now and then; people sleep at night, and
    work at the console or on the command line.
    """

    identity: dict[str, Any]
    addresses: tuple[str, ...]
    agent: str
    repertoire: tuple[Action, ...]
    weight: int
    key: str = ""
    person: bool = False
    errors: bool = False
    version: str = "1.11"
    mfa: bool = False
    console: bool = False

    @property
    def arn(self) -> str | None:
        """The principal's ARN; AWS services have none."""
        arn: str | None = self.identity.get("arn")
        return arn

    def head(self, dice: Dice, when: str) -> str:
        """Return the text of a record up to its event time, for a session that began at `when`."""
        identity = dict(self.identity)
        if self.key:
            identity["accessKeyId"] = "ASIA" + dice.text(16, BASE32) if self.key == "ASIA" else self.key
        if "sessionContext" in identity:
            context = dict(identity["sessionContext"])
            context["attributes"] = {"creationDate": when, "mfaAuthenticated": str(self.mfa).lower()}
            identity["sessionContext"] = context
        text = json.dumps(identity, separators=(",", ":"), ensure_ascii=False)
        return f'{{"eventVersion":"{self.version}","userIdentity":{text},"eventTime":"'


def user_identity(account: Account, name: str, dice: Dice) -> dict[str, Any]:
    """Return the userIdentity of an IAM user."""
    return {
        "type": "IAMUser",
        "principalId": "AIDA" + dice.text(17, BASE32),
        "arn": f"arn:aws:iam::{account.number}:user/{name}",
        "accountId": account.number,
        "userName": name,
    }


def role_identity(account: Account, role: str, session: str, dice: Dice, path: str = "") -> dict[str, Any]:
    """Return the userIdentity of a role's session."""
    principal = "AROA" + dice.text(17, BASE32)
    return {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session}",
        "arn": f"arn:aws:sts::{account.number}:assumed-role/{role}/{session}",
        "accountId": account.number,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal,
                "arn": f"arn:aws:iam::{account.number}:role/{path}{role}",
                "accountId": account.number,
                "userName": role,
            },
            "webIdFederationData": {},
        },
    }


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody who acts in the demo. `people` are names like `nadia.novak`, `office` their address."""

    people: tuple[str, ...]
    office: str
    actors: dict[str, tuple[Actor, ...]]

    def users(self, account: Account) -> list[Actor]:
        """Return the account's IAM users."""
        return [actor for actor in self.actors[account.number] if actor.identity["type"] == "IAMUser"]


def cast(organization: Organization, seed: int) -> Cast:
    """Return the actors of a seed's organization."""
    dice = Dice(f"{seed}:actors")
    names = zip(dice.mixed(FIRST_NAMES), dice.mixed(LAST_NAMES), strict=True)
    people = tuple(f"{first}.{last}" for first, last in names)
    office = dice.address("203.0.113")
    actors = {}
    for at, account in enumerate(organization.accounts):
        team = [people[(at * 3 + i) % len(people)] for i in range(4)]
        actors[account.number] = (
            *_services(account),
            *_instances(account, dice),
            *_functions(account, dice),
            *_pipelines(account, dice),
            *(_employee(account, name, organization, office, dice) for name in team),
            *_users(account, people[(at * 3 + 5) % len(people)], office, dice),
        )
    return Cast(people, office, actors)


def _service(name: str, weight: int, *repertoire: Action) -> Actor:
    host = f"{name}.amazonaws.com"
    return Actor({"type": "AWSService", "invokedBy": host}, (host,), host, repertoire, weight, version="1.08")


def _services(account: Account) -> tuple[Actor, ...]:
    busy = 2 if account.name.startswith("prod") else 1
    return (
        _service("lambda", 14 * busy, actions.ASSUME_BY_SERVICE, actions.DECRYPT),
        _service("ecs-tasks", 10, actions.ASSUME_BY_SERVICE),
        _service("cloudtrail", 6, actions.BUCKET_ACL, actions.DATA_KEY),
        _service("config", 8, actions.ASSUME_BY_SERVICE, *actions.BUCKET_READS),
        _service("delivery.logs", 5, actions.PUT_OBJECT),
    )


def _instances(account: Account, dice: Dice) -> tuple[Actor, ...]:
    role = account.things.role[0]
    repertoire = (
        actions.INSTANCE_PING,
        *(actions.GET_OBJECT,) * 2,
        actions.PUT_OBJECT,
        *(actions.DECRYPT_OBJECT,) * 3,
        *(actions.SECRET_VALUE,) * 2,
        *(actions.MESSAGE,) * 2,
        actions.PARAMETER,
        actions.GET_ITEM,
        actions.CALLER,
        actions.LIST_OBJECTS,
    )
    result = []
    for at, instance in enumerate(account.things.instance[:4]):
        identity = role_identity(account, role, instance, dice)
        identity["sessionContext"]["ec2RoleDelivery"] = "2.0"
        address = dice.address("18.201") if at % 2 else f"10.0.{dice.between(0, 99)}.{dice.between(4, 250)}"
        agent = (
            _AGENT
            if at % 2
            else "aws-sdk-java/2.31.50 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.134 lang/java#21.0.7"
        )
        result.append(Actor(identity, (address,), agent, repertoire, 9, "ASIA", errors=at == 0))
    return tuple(result)


def _functions(account: Account, dice: Dice) -> tuple[Actor, ...]:
    role = account.things.role[3]
    repertoire = (
        *(actions.LOG_STREAM,) * 3,
        *(actions.GET_ITEM,) * 3,
        *(actions.GET_OBJECT,) * 2,
        actions.PUT_OBJECT,
        actions.DELETE_OBJECT,
        actions.HEAD_OBJECT,
        actions.INVOKE,
        *(actions.SIGN,) * 2,
        *(actions.DECRYPT,) * 2,
        actions.SECRET_VALUE,
    )
    return tuple(
        Actor(
            role_identity(account, role, function, dice),
            (dice.address("3.250"), dice.address("34.244")),
            _LAMBDA,
            repertoire,
            10,
            "ASIA",
            errors=at == 0,
            version="1.09",
        )
        for at, function in enumerate(account.things.function[:4])
    )


def _pipelines(account: Account, dice: Dice) -> tuple[Actor, ...]:
    deploy = account.things.role[2]
    identity = role_identity(account, deploy, "GitHubActions", dice)
    provider = f"arn:aws:iam::{account.number}:oidc-provider/token.actions.githubusercontent.com"
    identity["sessionContext"]["webIdFederationData"] = {"federatedProvider": provider, "attributes": {}}
    subject = f"repo:{account.things.repository[0]}:ref:refs/heads/main"
    web = {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider,
    }
    addresses = tuple(dice.address("20.55") for _ in range(6))
    reads = (*actions.DESCRIBE, *actions.IAM_READS, *actions.BUCKET_READS, *actions.DEPLOY)
    monitor = role_identity(account, "MonitoringIntegration", "monitoring", dice)
    watching = (*actions.DESCRIBE, *actions.INVENTORY, actions.LIST_BUCKETS)
    return (
        Actor(identity, addresses, _TERRAFORM, reads, 7, "ASIA", errors=True),
        Actor(web, addresses, "aws-actions/configure-aws-credentials@v4", (actions.ASSUME_WEB,), 1),
        Actor(monitor, (dice.address("54.77"),), "Datadog/7.66 aws-sdk-go-v2/1.36.3", watching, 7, "ASIA"),
    )


def _employee(account: Account, name: str, organization: Organization, office: str, dice: Dice) -> Actor:
    console = dice.chance(0.6)
    role = f"AWSReservedSSO_PlatformAccess_{dice.hex(16)}"
    session = f"{name}@{organization.company}.example"
    identity = role_identity(account, role, session, dice, path="aws-reserved/sso.amazonaws.com/eu-west-1/")
    repertoire = (
        *actions.DESCRIBE,
        *actions.INVENTORY,
        *actions.IAM_READS,
        *actions.BUCKET_READS,
        actions.LIST_BUCKETS,
        actions.LIST_OBJECTS,
        actions.GET_OBJECT,
        actions.SECRET_VALUE,
        actions.LOGIN,
        actions.FEDERATE,
        actions.ASSUME_ROLE,
    )
    home = dice.address("198.51.100")
    return Actor(
        identity,
        (office, office, home),
        _CONSOLE if console else _CLI,
        repertoire,
        weight=4,
        key="ASIA",
        person=True,
        errors=True,
        mfa=True,
        console=console,
    )


def _users(account: Account, name: str, office: str, dice: Dice) -> tuple[Actor, ...]:
    repertoire = (
        *actions.DESCRIBE,
        *actions.IAM_READS,
        actions.LIST_BUCKETS,
        actions.GET_OBJECT,
        actions.CALLER,
    )
    robot = (actions.GET_OBJECT, actions.PUT_OBJECT, actions.LIST_OBJECTS, actions.MESSAGE)

    def key() -> str:
        return "AKIA" + dice.text(16, BASE32)

    person = user_identity(account, name, dice)
    machine = user_identity(account, f"svc-{account.name}-reports", dice)
    agent = "Boto3/1.26.165 Python/3.10.12 Linux/5.15.0-139-generic Botocore/1.29.165"
    return (
        Actor(person, (office,), _CLI, repertoire, 4, key(), person=True, errors=True, version="1.08"),
        Actor(machine, (dice.address("192.0.2"),), agent, robot, 6, key(), version="1.10"),
    )
