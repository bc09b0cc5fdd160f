"""The two state machines, in Amazon States Language: the run in its pieces, and the word about the scan limit.

`${...}` is filled by CloudFormation (`DefinitionSubstitutions`). What goes in is read by JSONPath
(https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html).
"""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

SUBSTITUTED = ("Function", "Topic", "Undelivered", "Stack")
"""What the definition of the run has in it; that of the scan limit has all but the function."""

MOST_PIECES = 400
"""Of one run. A piece takes about 15 events of a history, and Step Functions keeps 25,000."""

PIECE_SECONDS = 900
"""That a piece may take: what Lambda gives a function."""

_GRACE = 60
_FIELDS = ("outcome", "cursor", "piece", "record", "subject", "message")
_DEFAULTS = '{"task":"piece","reason":"by hand"}'

_ANSWER = {"Subject.$": "$.answer.subject", "Message.$": "$.answer.message"}
_WAIT_FOR_OTHERS: Json = {
    # Another run, or a piece that was given up on, has the only place: a piece takes 15 minutes at most,
    # and a first run has many.
    "ErrorEquals": ["Lambda.TooManyRequestsException"],
    "IntervalSeconds": 60,
    "BackoffRate": 1.0,
    "MaxAttempts": 720,
}
_SERVICE: Json = {
    "ErrorEquals": [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
    ],
    "IntervalSeconds": 2,
    "BackoffRate": 2.0,
    "MaxAttempts": 6,
}
_TRY_AGAIN: Json = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 5,
    "BackoffRate": 2.0,
    "MaxAttempts": 5,
}


def run_definition() -> Json:
    """The loop over the pieces of a run.

    Input: {} or {"task": "test-alarm"}, and optionally {"reason": "schedule" | "deployment"}.
    """
    return {
        "Comment": "One run of trailhouse, in as many pieces as it takes; tells the topic what there is to tell.",
        "StartAt": "Read the input",
        "States": {**_beginning(), **_piece(), **_ending(), **_breaking_off(), **_last_word()},
    }


def _beginning() -> Json:
    """What is not given is filled in; where a run begins is not for the input to say."""
    return {
        "Read the input": {
            "Type": "Pass",
            "Parameters": {
                "given.$": f"States.JsonMerge(States.StringToJson('{_DEFAULTS}'), $$.Execution.Input, false)"
            },
            "Next": "Begin",
        },
        "Begin": {
            "Type": "Pass",
            "Parameters": {
                "task.$": "$.given.task",
                "reason.$": "$.given.reason",
                "piece": 1,
                # CloudFormation takes no null in a template.
                "cursor.$": "States.StringToJson('null')",
            },
            "Next": "Do a piece",
        },
    }


def _piece() -> Json:
    return {
        "Do a piece": {
            **_invoke("piece.$", "cursor.$", task="$.task"),
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Explain"}],
            "Next": "Is there news",
        },
        "Is there news": _if_silent("How did it end", "Tell the news"),
        **_told("news", _ANSWER, {"Next": "How did it end"}, untold="Was it a test"),
        **_tested(),
        "How did it end": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [_is("more"), {"Variable": "$.piece", "NumericLessThan": MOST_PIECES}],
                    "Next": "Go on",
                },
                {**_is("more"), "Next": "Too many pieces"},
                {"Or": [_is("done"), _is("incomplete")], "Next": "Done"},
            ],
            "Default": "Failed",
        },
        "Go on": {
            "Type": "Pass",
            "Parameters": {
                "task.$": "$.task",
                "reason.$": "$.reason",
                "piece.$": "$.answer.piece",
                "cursor.$": "$.answer.cursor",
            },
            "Next": "Do a piece",
        },
    }


def _tested() -> Json:
    """A message that was not published: it is kept for people, but a test has found what it looks for."""
    return {
        "Was it a test": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.task", "StringEquals": "test-alarm", "Next": "The test failed"}],
            "Default": "Keep the news",
        },
        "The test failed": {
            "Type": "Fail",
            "Error": "NotPublished",
            "Cause": "The message was not published: the step before says why.",
        },
    }


def _ending() -> Json:
    return {
        "Done": {"Type": "Succeed"},
        "Failed": {
            "Type": "Fail",
            "Error": "RunFailed",
            "Cause": "The message to the topic says why, and: trailhouse runs --stack ${Stack}",
        },
    }


def _breaking_off() -> Json:
    """A piece that never answered: the function says what is known, and this machine where it cannot."""
    return {
        "Too many pieces": {
            "Type": "Pass",
            "Result": {
                "Error": "TooManyPieces",
                "Cause": f"The run was not done after {MOST_PIECES} pieces, and begins anew with the next one.",
            },
            "ResultPath": "$.error",
            "Next": "Explain",
        },
        "Explain": {
            **_invoke("piece.$", "cursor.$", "error.$", "cause.$", task=None),
            "Catch": [
                {"ErrorEquals": ["States.ALL"], "ResultPath": "$.silence", "Next": "Tell the last word"}
            ],
            "Next": "Is there an explanation",
        },
        "Is there an explanation": _if_silent("Failed", "Tell the explanation"),
        **_told("explanation", _ANSWER, {"Next": "Failed"}),
    }


def _last_word() -> Json:
    """What is told when the function cannot say anything."""
    text = _format(
        (
            "What: run {} of the stack ${Stack} broke off, and the function could not say why.",
            "Since: {}",
            "Error: {}",
            "Cause: {}",
            "Tried: the piece was tried again where that could help; the next run begins anew.",
            "Do: trailhouse status --stack ${Stack}",
        ),
        "$$.Execution.Name",
        "$$.Execution.StartTime",
        "$.error.Error",
        "$.error.Cause",
    )
    what = {"Subject": "trailhouse: a run of ${Stack} broke off", "Message.$": text}
    return _told("last word", what, {"Next": "Failed"})


def scan_definition() -> Json:
    """What happens when a query in the workgroup was stopped or failed. Input: the event of Athena.

    An event does not say why (https://docs.aws.amazon.com/athena/latest/ug/athena-events.html), so Athena is
    asked; only the scan limit is told.
    """
    return {
        "Comment": "Tells the topic when Athena stopped a query because it read more than the workgroup allows.",
        "StartAt": "Ask why it ended",
        "States": {
            "Ask why it ended": {
                "Type": "Task",
                "Resource": "arn:${AWS::Partition}:states:::aws-sdk:athena:getQueryExecution",
                "Parameters": {"QueryExecutionId.$": "$.detail.queryExecutionId"},
                # Not the statement: it may be longer than a state may be.
                "ResultSelector": {"status.$": "$.QueryExecution.Status"},
                "ResultPath": "$.asked",
                "Retry": [_TRY_AGAIN],
                "Next": "Was it the scan limit",
            },
            "Was it the scan limit": {
                "Type": "Choice",
                "Choices": [{"And": _LIMIT_REACHED, "Next": "Tell the reason"}],
                "Default": "Done",
            },
            **_scan_word(),
            "Done": {"Type": "Succeed"},
        },
    }


_REASON = "$.asked.status.StateChangeReason"
_LIMIT_REACHED = [
    {"Variable": _REASON, "IsPresent": True},
    # "Bytes scanned limit was exceeded"; also seen with a capital S.
    {"Variable": _REASON, "StringMatches": "*canned limit was exceeded*"},
]


def _scan_word() -> Json:
    advice = (
        "Do: price it first with trailhouse query --dry-run, and ask for fewer days, accounts or regions; "
        "who asked: aws athena get-query-execution --query-execution-id {}; "
        "a higher limit: workgroup_limit in the configuration, then trailhouse deploy"
    )
    text = _format(
        (
            "What: Athena stopped query {} in the workgroup {}: {}",
            "Since: {}",
            "Tried: nothing; what it had read until then is charged.",
            advice,
        ),
        "$.detail.queryExecutionId",
        "$.detail.workgroupName",
        _REASON,
        "$.time",
        "$.detail.queryExecutionId",
    )
    what = {"Subject": "trailhouse: a query in ${Stack} reached the scan limit", "Message.$": text}
    return {
        **_told("reason", what, {"Next": "Done"}, kept={"Next": "Not told"}),
        "Not told": {
            "Type": "Fail",
            "Error": "NotPublished",
            "Cause": "The message was not published: it lies in the queue ${Stack}-undelivered.",
        },
    }


def _invoke(*fields: str, task: str | None) -> Json:
    """A call of the function; `task`: where the input says it, None: it is to explain."""
    sources = {"error.$": "$.error.Error", "cause.$": "$.error.Cause"}
    payload: Json = {"task": "explain", "asked.$": "$.task"} if task is None else {"task.$": task}
    payload |= {
        "run.$": "$$.Execution.Name",
        "execution.$": "$$.Execution.Id",
        "started.$": "$$.Execution.StartTime",
        "reason.$": "$.reason",
    }
    payload |= {field: sources.get(field, f"$.{field.removesuffix('.$')}") for field in fields}
    return {
        "Type": "Task",
        "Resource": "arn:${AWS::Partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": "${Function}", "Payload": payload},
        "ResultSelector": {f"{field}.$": f"$.Payload.{field}" for field in _FIELDS},
        "ResultPath": "$.answer",
        "TimeoutSeconds": PIECE_SECONDS + _GRACE,
        "Retry": [_WAIT_FOR_OTHERS, _SERVICE],
    }


def _told(name: str, what: Json, then: Json, *, kept: Json | None = None, untold: str = "") -> Json:
    """The states that tell something, and keep it in the queue where SNS does not take it.

    Args:
        name: of what is told.
        what: subject and message, as SNS is given them.
        then: what comes after it.
        kept: what comes after it was kept, if that is not the same.
        untold: the state that comes first where it was not told, if that is not the one that keeps it.
    """
    publish: Json = {
        "Type": "Task",
        "Resource": "arn:${AWS::Partition}:states:::sns:publish",
        "Parameters": {"TopicArn": "${Topic}", **what},
        "Retry": [_TRY_AGAIN],
        "Catch": [
            {"ErrorEquals": ["States.ALL"], "ResultPath": "$.untold", "Next": untold or f"Keep the {name}"}
        ],
        "ResultPath": "$.told",
    }
    keep: Json = {
        "Type": "Task",
        "Resource": "arn:${AWS::Partition}:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": "${Undelivered}", "MessageBody.$": what["Message.$"]},
        "Retry": [_TRY_AGAIN],
        "ResultPath": "$.kept",
    }
    return {f"Tell the {name}": {**publish, **then}, f"Keep the {name}": {**keep, **(kept or then)}}


def _if_silent(silent: str, news: str) -> Json:
    return {
        "Type": "Choice",
        "Choices": [{"Variable": "$.answer.message", "StringEquals": "", "Next": silent}],
        "Default": news,
    }


def _is(outcome: str) -> Json:
    return {"Variable": "$.answer.outcome", "StringEquals": outcome}


def _format(lines: tuple[str, ...], *paths: str) -> str:
    """The intrinsic that puts values into a text; each `{}` is one."""
    text = "\n".join(lines).replace("\\", "\\\\").replace("'", "\\'")
    return f"States.Format('{text}', {', '.join(paths)})"
