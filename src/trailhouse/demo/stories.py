"""The planted stories: what an investigator is to find, with the answer written down.

Who, where from and when are shuffled by the seed; every story's events are in the truth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from trailhouse.demo.actors import Cast, role_identity, user_identity
from trailhouse.demo.dice import BASE32, Dice
from trailhouse.demo.organization import HOME_REGION, Account, Organization
from trailhouse.demo.record import Caller, record, refusal
from trailhouse.demo.runs import Planted, run_of

_SEARCHED_REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "us-west-2")
_RANSOM_REGION = "us-west-2"


@dataclass(slots=True)
class Story:
    """One story as it is told: `tell` adds an event, time goes on by itself."""

    name: str
    title: str
    dice: Dice
    now: datetime
    events: list[Planted] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)

    def tell(
        self,
        caller: Caller,
        call: str,
        account: Account,
        region: str = HOME_REGION,
        **fields: Any,  # noqa: ANN401 - any field of a record
    ) -> None:
        """Add an event a few seconds to minutes after the last."""
        self.now += timedelta(seconds=self.dice.between(3, 70))
        told = record(self.dice, caller, self.now, call, (account.number, region), **fields)
        self.told.append(told)
        self.events.append(Planted(self.now, account.number, region, run_of(told)))

    def truth(self) -> dict[str, Any]:
        """Return what the ground truth says about the story."""
        identities = [told["userIdentity"] for told in self.told]
        keys = {i["accessKeyId"] for i in identities if i.get("accessKeyId")}
        return {
            "name": self.name,
            "title": self.title,
            "first_event_time": min(told["eventTime"] for told in self.told),
            "last_event_time": max(told["eventTime"] for told in self.told),
            "accounts": sorted({told["recipientAccountId"] for told in self.told}),
            "principals": sorted({i["arn"] for i in identities if "arn" in i}),
            "access_keys": sorted(keys),
            "addresses": sorted({told["sourceIPAddress"] for told in self.told}),
            "event_names": sorted({told["eventName"] for told in self.told}),
            "event_ids": [told["eventID"] for told in self.told],
        }


@dataclass(frozen=True, slots=True)
class Plot:
    """What the stories share, thrown before they are told.

    `attacker` is an address that the leaked key and the role chain are used from; `leak_day` and
    `silence` (when logging is switched off) are known to the rest of the demo.
    """

    victim: str
    attacker: str
    leak: datetime
    silence: datetime


def plot(cast: Cast, organization: Organization, start: datetime, days: int, seed: int) -> Plot:
    """Return the plot of a seed: all of it in the span's second half, on working days."""
    dice = Dice(f"{seed}:plot")
    middle = start + timedelta(days=days // 2)
    candidates = [middle + timedelta(days=i) for i in range(max(1, days // 2 - 1))]
    working = [day for day in candidates if day.weekday() < 5] or candidates  # noqa: PLR2004 - Saturday
    leak = dice.pick(working).replace(hour=9 + dice.between(0, 5), minute=dice.between(0, 59))
    silence = dice.pick(working).replace(hour=dice.between(1, 4), minute=dice.between(0, 59))
    account = organization.account("prod-web")
    victim = cast.users(account)[0].identity["userName"]
    return Plot(victim, dice.address("45.83"), leak, silence)


def stories(organization: Organization, cast: Cast, plot_: Plot, seed: int) -> list[Story]:
    """Return the five stories."""
    dice = Dice(f"{seed}:stories")
    day = timedelta(days=1)
    told = [
        _leaked_key(organization, cast, plot_, dice),
        _role_chain(organization, plot_, dice),
        _root_login(organization, dice, plot_.leak - day * dice.between(1, 2)),
        _silence(organization, cast, plot_, dice),
        _ransom(organization, cast, dice, plot_.leak - timedelta(hours=dice.between(5, 30))),
    ]
    return sorted(told, key=lambda story: story.now)


def planted(told: list[Story]) -> Iterator[Planted]:
    """Yield the events of all stories."""
    for story in told:
        yield from story.events


def _leaked_key(organization: Organization, cast: Cast, plot_: Plot, dice: Dice) -> Story:
    """A user's key, seen until now only from the office, is tried out from elsewhere."""
    story = Story("leaked-key", "An access key is used from elsewhere", dice, plot_.leak)
    account = organization.account("prod-web")
    user = cast.users(account)[0]
    caller = Caller(
        {**user.identity, "accessKeyId": user.key},
        plot_.attacker,
        "aws-cli/2.9.19 Python/3.9.11 Linux/5.10.0-kali9-amd64",
    )
    story.tell(caller, "sts:GetCallerIdentity", account)
    for call in (
        "iam:ListUsers",
        "iam:ListRoles",
        "iam:GetAccountAuthorizationDetails",
        "iam:ListAccessKeys",
    ):
        story.tell(caller, call, account, **refusal("AccessDenied", caller, call))
    story.tell(caller, "s3:ListBuckets", account, requestParameters={"Host": "s3.amazonaws.com"})
    _search_regions(story, caller, account)
    for secret in account.things.secret:
        arn = f"arn:aws:secretsmanager:{HOME_REGION}:{account.number}:secret:{secret}"
        story.tell(caller, "secretsmanager:GetSecretValue", account, requestParameters={"secretId": arn})
    name = user.identity["userName"]
    new = {"accessKey": {"userName": name, "status": "Active", "accessKeyId": "AKIA" + dice.text(16, BASE32)}}
    story.tell(
        caller, "iam:CreateAccessKey", account, requestParameters={"userName": name}, responseElements=new
    )
    call = "iam:AttachUserPolicy"
    policy = {"userName": name, "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    story.tell(caller, call, account, requestParameters=policy, **refusal("AccessDenied", caller, call))
    return story


def _search_regions(story: Story, caller: Caller, account: Account) -> None:
    """Look for something in one region after the other, and try to start big instances."""
    for region in _SEARCHED_REGIONS:
        for call in ("ec2:DescribeInstances", "ec2:DescribeVpcs", "secretsmanager:ListSecrets"):
            story.tell(caller, call, account, region)
        call = "ec2:RunInstances"
        request = {
            "instancesSet": {"items": [{"minCount": 8, "maxCount": 8}]},
            "instanceType": "p4d.24xlarge",
        }
        denied = refusal("Client.UnauthorizedOperation", caller, call)
        story.tell(caller, call, account, region, requestParameters=request, **denied)


def _role_chain(organization: Organization, plot_: Plot, dice: Dice) -> Story:
    """From a user in one account over a role in the second to a role in the third."""
    story = Story("role-chain", "A role chain over three accounts", dice, plot_.leak + timedelta(hours=2))
    first, second, third = (organization.account(n) for n in ("dev", "shared-services", "prod-payments"))
    agent = "Boto3/1.34.84 md/Botocore#1.34.84 ua/2.0 os/linux#6.6.15-amd64 lang/python#3.11.8"
    user = user_identity(first, f"ci-{dice.hex(4)}", dice) | {"accessKeyId": "AKIA" + dice.text(16, BASE32)}
    caller = Caller(user, plot_.attacker, agent)
    story.tell(caller, "sts:GetCallerIdentity", first)
    hops = ((first, second, "SharedDeploy"), (second, third, "PaymentsOperator"))
    for from_, to, role in hops:
        session = f"sess-{dice.hex(6)}"
        caller = _hop(story, caller, (from_, to), role, session)
        story.tell(caller, "sts:GetCallerIdentity", to)
    for call in ("ssm:DescribeParameters", "dynamodb:ListTables", "rds:DescribeDBSnapshots", "kms:ListKeys"):
        story.tell(caller, call, third, "eu-central-1")
    request = {
        "attributeName": "restore",
        "dBSnapshotIdentifier": "payments-final",
        "valuesToAdd": [first.number],
    }
    story.tell(caller, "rds:ModifyDBSnapshotAttribute", third, "eu-central-1", requestParameters=request)
    for table in third.things.table:
        story.tell(
            caller,
            "dynamodb:Scan",
            third,
            "eu-central-1",
            requestParameters={"tableName": table},
            eventCategory="Data",
        )
    return story


def _hop(story: Story, caller: Caller, accounts: tuple[Account, Account], role: str, session: str) -> Caller:
    """Assume a role in the next account: a record in either account, bound by sharedEventID."""
    from_, to = accounts
    dice = story.dice
    identity = role_identity(to, role, session, dice)
    key = "ASIA" + dice.text(16, BASE32)
    arn = f"arn:aws:iam::{to.number}:role/{role}"
    shared: dict[str, Any] = {
        "sharedEventID": dice.uuid(),
        "requestParameters": {"roleArn": arn, "roleSessionName": session, "durationSeconds": 3600},
        "responseElements": {
            "credentials": {"accessKeyId": key, "sessionToken": "IQoJb3JpZ2lu", "expiration": "in an hour"},
            "assumedRoleUser": {"assumedRoleId": identity["principalId"], "arn": identity["arn"]},
        },
        "resources": [{"accountId": to.number, "type": "AWS::IAM::Role", "ARN": arn}],
    }
    story.tell(caller, "sts:AssumeRole", from_, **shared)
    foreign = {"type": "AWSAccount", "principalId": caller.identity["principalId"], "accountId": from_.number}
    story.tell(Caller(foreign, caller.address, caller.agent), "sts:AssumeRole", to, **shared)
    identity["accessKeyId"] = key
    identity["sessionContext"]["attributes"] = {
        "creationDate": f"{story.now:%Y-%m-%dT%H:%M:%SZ}",
        "mfaAuthenticated": "false",
    }
    return Caller(identity, caller.address, caller.agent)


def _root_login(organization: Organization, dice: Dice, when: datetime) -> Story:
    """Root logs in at the console without MFA and makes itself a key."""
    story = Story("root-login", "Root login without MFA", dice, when)
    account = organization.account("sandbox")
    root = {
        "type": "Root",
        "principalId": account.number,
        "arn": f"arn:aws:iam::{account.number}:root",
        "accountId": account.number,
        "accessKeyId": "",
    }
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
    caller = Caller(root, dice.address("185.220"), agent)
    login: dict[str, Any] = {
        "additionalEventData": {
            "LoginTo": "https://console.aws.amazon.com/console/home",
            "MobileVersion": "No",
            "MFAUsed": "No",
        },
        "eventType": "AwsConsoleSignIn",
    }
    failed: dict[str, Any] = {"responseElements": {"ConsoleLogin": "Failure"}}
    failed["errorMessage"] = "Failed authentication"
    story.tell(caller, "signin:ConsoleLogin", account, **login, **failed)
    story.tell(caller, "signin:ConsoleLogin", account, **login, responseElements={"ConsoleLogin": "Success"})
    for call in ("iam:GetAccountSummary", "iam:ListAccessKeys", "iam:ListMFADevices", "iam:ListUsers"):
        story.tell(caller, call, account, sessionCredentialFromConsole="true")
    key = {"accessKey": {"accessKeyId": "AKIA" + dice.text(16, BASE32), "status": "Active"}}
    story.tell(
        caller, "iam:CreateAccessKey", account, responseElements=key, sessionCredentialFromConsole="true"
    )
    return story


def _silence(organization: Organization, cast: Cast, plot_: Plot, dice: Dice) -> Story:
    """Somebody with a stolen session switches an account's own trail off; its deliveries end there."""
    story = Story("logging-off", "Logging is switched off", dice, plot_.silence)
    account = organization.account("staging")
    person = next(actor for actor in cast.actors[account.number] if actor.person)
    identity = {**person.identity, "accessKeyId": "ASIA" + dice.text(16, BASE32)}
    caller = Caller(
        identity, dice.address("91.219"), "aws-cli/1.32.101 Python/3.11.9 Windows/10 botocore/1.34.101"
    )
    own = {"name": f"arn:aws:cloudtrail:{HOME_REGION}:{account.number}:trail/staging-own"}
    organizations = {
        "name": f"arn:aws:cloudtrail:{HOME_REGION}:{organization.accounts[0].number}:trail/organization"
    }
    for call in ("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "guardduty:ListDetectors"):
        story.tell(caller, call, account)
    for call in ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail"):
        denied = refusal("AccessDenied", caller, call)
        story.tell(caller, call, account, requestParameters=organizations, **denied)
    for call in ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail"):
        story.tell(caller, call, account, requestParameters=own)
    story.tell(caller, "guardduty:DeleteDetector", account, requestParameters={"detectorId": dice.hex(32)})
    story.tell(caller, "ec2:DeleteFlowLogs", account, requestParameters={"FlowLogId": f"fl-0{dice.hex(16)}"})
    return story


def _ransom(organization: Organization, cast: Cast, dice: Dice, when: datetime) -> Story:
    """Objects are encrypted in place with a key that only the attacker has; a note is left."""
    story = Story("s3-ransom", "S3 objects are held to ransom", dice, when)
    account = organization.account("ml-research")
    robot = cast.users(account)[1]
    identity = {**robot.identity, "accessKeyId": robot.key}
    caller = Caller(identity, dice.address("193.149"), "S3 Browser/11.7.5 (https://s3browser.com)")
    bucket = account.things.bucket[3]
    host = f"{bucket}.s3.{_RANSOM_REGION}.amazonaws.com"
    region, plain = _RANSOM_REGION, {"bucketName": bucket, "Host": host}
    for call in ("s3:GetBucketVersioning", "s3:GetBucketLocation", "s3:GetBucketObjectLockConfiguration"):
        story.tell(caller, call, account, region, requestParameters=plain)
    _encrypt(story, caller, account, plain)
    for _ in range(20):
        request = plain | {"key": f"backup/{dice.hex(8)}.tar.gz"}
        story.tell(
            caller, "s3:DeleteObject", account, region, requestParameters=request, eventCategory="Data"
        )
    rule = plain | {
        "lifecycle": "",
        "LifecycleConfiguration": {"Rule": {"Expiration": {"Days": 7}, "Status": "Enabled"}},
    }
    story.tell(caller, "s3:PutBucketLifecycle", account, region, requestParameters=rule)
    note = plain | {"key": "backup/READ-ME-TO-RECOVER.txt"}
    story.tell(caller, "s3:PutObject", account, region, requestParameters=note, eventCategory="Data")
    return story


def _encrypt(story: Story, caller: Caller, account: Account, plain: dict[str, Any]) -> None:
    """Copy objects onto themselves, with a key that the caller brings."""
    dice = story.dice
    for _ in range(60):
        key = f"backup/{dice.hex(8)}.tar.gz"
        request = plain | {
            "key": key,
            "x-amz-copy-source": f"{plain['bucketName']}/{key}",
            "x-amz-server-side-encryption-customer-algorithm": "AES256",
        }
        extra = {"SSEApplied": "SSE_C", "bytesTransferredIn": 0.0, "x-amz-id-2": dice.hex(40)}
        story.tell(
            caller,
            "s3:CopyObject",
            account,
            _RANSOM_REGION,
            requestParameters=request,
            additionalEventData=extra,
            eventCategory="Data",
        )
