"""Single records as dictionaries, for stories and oddities; everyday traffic has its own faster way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trailhouse.demo.dice import Dice


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, from where and with what."""

    identity: dict[str, Any]
    address: str
    agent: str


def record(
    dice: Dice,
    caller: Caller,
    when: datetime,
    call: str,
    place: tuple[str, str],
    **fields: Any,  # noqa: ANN401 - any field of a record
) -> dict[str, Any]:
    """Return a record in the order of a real one.

    Args:
        dice: throws its ids.
        caller: its principal.
        when: its event time, UTC.
        call: service and name, `"iam:CreateUser"`.
        place: account and region.
        fields: further fields, or other values for those that every record has.
    """
    account, region = place
    known = _opening(caller, when, call, region)
    known |= {name: fields.pop(name) for name in ("errorCode", "errorMessage") if name in fields}
    known |= {
        "requestParameters": fields.pop("requestParameters", None),
        "responseElements": fields.pop("responseElements", None),
    }
    if "additionalEventData" in fields:
        known["additionalEventData"] = fields.pop("additionalEventData")
    return (
        known
        | {
            "requestID": dice.uuid(),
            "eventID": dice.uuid(),
            "readOnly": known["eventName"].startswith(("Get", "List", "Describe", "Head", "Assume")),
            "eventType": "AwsApiCall",
            "managementEvent": fields.get("eventCategory") != "Data",
            "recipientAccountId": account,
            "eventCategory": "Management",
        }
        | fields
    )


def _opening(caller: Caller, when: datetime, call: str, region: str) -> dict[str, Any]:
    service, name = call.split(":")
    return {
        "eventVersion": "1.11",
        "userIdentity": caller.identity,
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": caller.address,
        "userAgent": caller.agent,
    }


def refusal(code: str, caller: Caller, call: str) -> dict[str, str]:
    """Return the fields of a call that was not permitted."""
    arn = caller.identity.get("arn")
    why = f"because no identity-based policy allows the {call} action"
    text = f"User: {arn} is not authorized to perform: {call} {why}"
    return {"errorCode": code, "errorMessage": text}
