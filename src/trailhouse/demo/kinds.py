"""The other kinds of delivery: Insight, NetworkActivity and Aggregated records, in folders of their own."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from trailhouse.demo.actors import Cast
from trailhouse.demo.dice import Dice
from trailhouse.demo.organization import Account, Organization

INSIGHT = "CloudTrail-Insight"
NETWORK = "CloudTrail-NetworkActivity"
AGGREGATED = "CloudTrail-Aggregated"


def other_kinds(
    organization: Organization, cast: Cast, start: datetime, days: int, seed: int
) -> Iterator[tuple[str, Account, str, datetime, list[dict[str, Any]]]]:
    """Yield kind, account, region, stamp and records of each file."""
    dice = Dice(f"{seed}:kinds")
    for name, region in (("prod-web", "us-east-1"), ("prod-data", "eu-west-1")):
        account = organization.account(name)
        when = start + timedelta(days=dice.between(2, days - 2), minutes=dice.between(0, 1200))
        shared = dice.uuid()
        for state, minutes in (("Start", 0), ("End", 25)):
            then = when + timedelta(minutes=minutes)
            told = _insight(dice, account, region, (then, state, shared))
            yield INSIGHT, account, region, then + timedelta(minutes=30), [told]
    for day in range(days):
        account = organization.account(dice.pick(("prod-payments", "prod-data", "shared-services")))
        region = account.regions[0][0]
        when = start + timedelta(days=day, minutes=dice.between(10, 1400))
        arn = dice.pick([actor.arn for actor in cast.actors[account.number] if actor.arn])
        network = [_network(dice, account, region, when, arn) for _ in range(dice.between(1, 9))]
        yield NETWORK, account, region, when + timedelta(minutes=5), network
    for day in range(0, days, 3):
        account = organization.account("prod-web")
        when = (start + timedelta(days=day, hours=dice.between(0, 23))).replace(minute=0)
        summaries = [
            _aggregated(dice, account, when, template)
            for template in ("API_ACTIVITY", "RESOURCE_ACCESS", "USER_ACTIONS")
        ]
        yield AGGREGATED, account, "us-east-1", when + timedelta(minutes=20), summaries


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def _insight(dice: Dice, account: Account, region: str, what: tuple[datetime, str, str]) -> dict[str, Any]:
    when, state, shared = what
    baseline, insight = {"average": 0.0017361111}, {"average": 5.2}
    context: dict[str, Any] = {"statistics": {"baseline": baseline, "insight": insight}}
    context["statistics"] |= {"insightDuration": 25, "baselineDuration": 10080}
    context["attributions"] = [
        {
            "attribute": "userIdentityArn",
            "insight": [{"value": f"arn:aws:sts::{account.number}:assumed-role/deploy/ci", "average": 5.0}],
            "baseline": [{"value": f"arn:aws:sts::{account.number}:assumed-role/app/i-0", "average": 0.0016}],
        }
    ]
    return {
        "eventVersion": "1.08",
        "eventTime": _time(when),
        "awsRegion": region,
        "eventID": dice.uuid(),
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": account.number,
        "sharedEventID": shared,
        "insightDetails": {
            "state": state,
            "eventSource": "ec2.amazonaws.com",
            "eventName": "RunInstances",
            "insightType": "ApiCallRateInsight",
            "insightContext": context,
        },
        "eventCategory": "Insight",
    }


def _network(dice: Dice, account: Account, region: str, when: datetime, arn: str) -> dict[str, Any]:
    endpoint = dice.pick(account.things.endpoint)
    denied = {
        "errorCode": "VpceAccessDenied",
        "errorMessage": "The request was denied due to a VPC endpoint policy",
    }
    return {
        "eventVersion": "1.09",
        "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": account.number},
        "eventTime": _time(when - timedelta(seconds=dice.between(0, 240))),
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": dice.pick(("GetSecretValue", "ListSecrets", "DescribeSecret")),
        "awsRegion": region,
        "sourceIPAddress": dice.address("10.0.8"),
        **(denied if dice.chance(0.5) else {}),
        "requestID": dice.uuid(),
        "eventID": dice.uuid(),
        "eventType": "AwsVpceEvents",
        "recipientAccountId": account.number,
        "sharedEventID": dice.uuid(),
        "vpcEndpointId": endpoint,
        "vpcEndpointAccountId": account.number,
        "eventCategory": "NetworkActivity",
    }


def _aggregated(dice: Dice, account: Account, when: datetime, template: str) -> dict[str, Any]:
    return {
        "eventVersion": "1.0",
        "accountId": account.number,
        "eventId": dice.uuid(),
        "eventCategory": "Aggregated",
        "eventType": "AwsAggregatedEvent",
        "awsRegion": "us-east-1",
        "timeWindow": {
            "windowStart": _time(when),
            "windowEnd": _time(when + timedelta(minutes=5)),
            "windowSize": "PT5M",
        },
        "summary": {
            "primaryDimension": {
                "dimension": template,
                "statistics": [{"name": "count", "value": dice.between(5, 900)}],
            },
            "details": [
                {
                    "dimension": "eventName",
                    "statistics": [{"name": "GetObject", "value": dice.between(1, 90)}],
                }
            ],
        },
    }
