"""How Athena's reader turns records into rows, odd ones above all: one file and one table for each oddity."""

from __future__ import annotations

from trailhouse.selftest.check import Check, Make, Put, Sql
from trailhouse.selftest.checks.records import DAY, log, record
from trailhouse.selftest.expect import Refused, Rows

_LONG = "x" * 18_115
_NUMBERS = '{"a":1.68890570862E9,"b":123456789012345678901234567890,"c":0.0,"d":1.10}'
_TWICE = '{"Tagging":"one","tagging":"two"}'


def _odd(
    name: str, question: str, settles: tuple[str, ...], extra: str, column: str, expected: object
) -> Check:
    """A file of a plain record and an odd one; what a column of the odd one is."""
    table = f"odd_{name}"
    return Check(
        f"reading.{name}", question, settles,
        (Sql(f"SELECT eventid, {column} FROM {table} WHERE eventid = 'odd'"),),
        Rows((("odd", expected),)),
        (log(f"odd/{name}", record("plain"), record("odd", extra)), Make(table, f"{{scratch}}/odd/{name}/{DAY}")),
    )  # fmt: skip


_REQUEST = "requestparameters"
CHECKS: tuple[Check, ...] = (
    _odd("object", "Is an object in a string column its JSON?", ("opaque-text",),
         '"requestParameters":{"bucketName":"b","k":[1,true,null]}',
         f"json_format(json_parse({_REQUEST}))", '{"bucketName":"b","k":[1,true,null]}'),
    _odd("numbers", "Are numbers in it as they were written?", ("exact-text",),
         f'"requestParameters":{_NUMBERS}', _REQUEST, _NUMBERS),
    _odd("string", "Is a JSON string stored unquoted?", ("opaque-string",),
         '"requestParameters":"a string"', _REQUEST, "a string"),
    _odd("null", "Is JSON null NULL?", ("opaque-null",), '"requestParameters":null', _REQUEST, None),
    _odd("null_struct", "Is a null in a struct NULL, and an empty object a struct of NULLs?", ("opaque-null",),
         '"tlsDetails":{"tlsVersion":null}', "tlsdetails.tlsversion", None),
    _odd("absent", "Is an absent field NULL?", ("opaque-null",), "", "errorcode", None),
    _odd("same_name", "Do names that differ by case only stay in text?", ("same-name-twice",),
         f'"requestParameters":{_TWICE}', _REQUEST, _TWICE),
    _odd("text_object", "Is an object where text is declared its JSON?", ("object-in-text",),
         '"errorMessage":{"code":7}', "errormessage", '{"code":7}'),
    _odd("boolean", "Is a boolean in a string column `true`?", ("text-boolean",),
         '"readOnly":true,"managementEvent":"true"', "readonly || managementevent", "truetrue"),
    _odd("unknown", "Are unknown fields ignored?", ("unknown-fields",),
         '"futureField":{"nested":[1]},"eventContext":{"tagContext":{}}', "eventname", "GetObject"),
    _odd("tail", "Are fields read that AWS's DDL leaves out?", ("tail-fields",),
         '"managementEvent":true,"tlsDetails":{"keyExchange":"X25519MLKEM768"}',
         "managementevent || tlsdetails.keyexchange", "trueX25519MLKEM768"),
    _odd("case", "Do names match whatever their case?", ("names-by-case",),
         '"sharedEventID":"s","resources":[{"ARN":"arn:r","accountId":"1","type":"t"}]',
         "sharedeventid || resources[1].arn || resources[1].accountid", "sarn:r1"),
    _odd("control", "Do line breaks, quotes and emoji come through?", ("control-text",),
         '"userAgent":"one\\ntwo\\t\\"three\\" \U0001f680 \\u00e9"', "to_hex(to_utf8(useragent))",
         'one\ntwo\t"three" \U0001f680 \u00e9'.encode().hex().upper()),
    _odd("long", "Do 18,115 characters come through?", ("control-text",),
         f'"requestParameters":{{"p":"{_LONG}"}}', f"length({_REQUEST})", len(_LONG) + 8),
    Check("reading.empty_resources", "Does an empty string in place of a list fail the statement?",
          ("empty-resources",), (Sql("SELECT eventid, resources FROM odd_resources"),),
          Refused("HIVE_|JSON|parse|expected"),
          (log("odd/resources", record("plain"), record("odd", '"resources":""')),
           Make("odd_resources", f"{{scratch}}/odd/resources/{DAY}"))),
    Check("reading.no_identity", "Is a record without userIdentity a row?", ("opaque-null",),
          (Sql("SELECT eventid, useridentity.arn FROM odd_identity"),), Rows((("odd", None),)),
          (log("odd/identity", record("odd", identity="")), Make("odd_identity", f"{{scratch}}/odd/identity/{DAY}"))),
    Check("reading.plain_json", "Are objects read that are not packed, and those without records passed over?",
          ("plain-json",), (Sql("SELECT eventid FROM odd_plain"),), Rows((("odd",),)),
          (Put(f"odd/plain/{DAY}1.json", b'{"Records":[' + record("odd").encode() + b"]}"),
           log("odd/plain", name="2"), Make("odd_plain", f"{{scratch}}/odd/plain/{DAY}"))),
    Check("reading.hidden", "Are objects left out whose names begin with _ or a dot?", ("hidden-names",),
          (Sql("SELECT eventid FROM odd_hidden"),), Rows((("odd",),)),
          (log("odd/hidden", record("odd")), Put(f"odd/hidden/{DAY}_hidden.json.gz", (record("under"),)),
           Put(f"odd/hidden/{DAY}.hidden.json.gz", (record("dot"),)),
           Make("odd_hidden", f"{{scratch}}/odd/hidden/{DAY}"))),
    Check("reading.archived", "Are archived objects skipped without an error?", ("archived-skipped",),
          (Sql("SELECT eventid FROM odd_archived"),), Rows((("odd",),)),
          (log("odd/archived", record("odd")),
           log("odd/archived", record("frozen"), name="2", storage_class="GLACIER"),
           Make("odd_archived", f"{{scratch}}/odd/archived/{DAY}"))),
    Check("reading.restored_flag", "Are they also with the flag, while they are not restored?",
          ("archived-skipped", "restored-flag"), (Sql("SELECT eventid FROM odd_flagged"),), Rows((("odd",),)),
          (Make("odd_flagged", f"{{scratch}}/odd/archived/{DAY}",
                parameters=(("read_restored_glacier_objects", "true"),)),)),
)  # fmt: skip
