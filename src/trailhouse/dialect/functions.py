"""The allow-list: every function that is answered here as Athena answers it, and its rendering."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trailhouse.dialect import formats, renderings
from trailhouse.dialect.renderings import MANY, Render, Wrap
from trailhouse.dialect.trees import call, cast


@dataclass(frozen=True, slots=True)
class Function:
    """A supported function.

    Attributes:
        name: Athena's name, lower case.
        group: the heading in the documentation.
        least: fewest arguments.
        most: most arguments.
        render: makes DuckDB's expression from the arguments, which are rewritten already.
        wrap: for aggregates whose result needs a change: takes the whole call with FILTER and OVER.
        aggregate: DISTINCT, ORDER BY and FILTER may stand with it.
    """

    name: str
    group: str
    least: int
    most: int
    render: Render
    wrap: Wrap | None = None
    aggregate: bool = False


_PLAIN = """
Conditions: coalesce/1-n nullif/2 try/1
Numbers: abs/1 round/1-2 cbrt/1 exp/1 power/2 pow=power/2 mod=athena_modulus/2 pi/0 radians/1
Numbers: degrees/1 sin/1 cos/1 tan/1 asin/1 acos/1 atan/1 atan2/2 is_nan=isnan/1
Numbers: is_finite=isfinite/1 is_infinite=isinf/1 ceil=athena_ceil/1 ceiling=athena_ceil/1
Numbers: floor=athena_floor/1 truncate=athena_truncate/1 sqrt=athena_sqrt/1 ln=athena_ln/1
Numbers: log2=athena_log2/1 log10=athena_log10/1 log=athena_log/2 sign=athena_sign/1
Numbers: bitwise_and=athena_bit_and/2 bitwise_or=athena_bit_or/2 bitwise_xor=athena_bit_xor/2
Numbers: bitwise_not=athena_bit_not/1 from_base=native_from_base/2 to_base=athena_to_base/2
Numbers: nan=athena_nan/0 infinity=athena_infinity/0 e=athena_e/0
Text: lower/1 upper=athena_upper/1 length/1 replace=athena_replace/2-3 reverse/1 lpad/3 rpad/3 concat_ws/2-n
Text: chr/1 codepoint=unicode/1 starts_with/2 strpos/2 split=athena_split/2-3
Text: split_part=athena_split_part/3 translate/3 substr=athena_substr/2-3
Text: substring=athena_substr/2-3 trim=athena_trim/1 ltrim=athena_ltrim/1 rtrim=athena_rtrim/1
Text: levenshtein_distance=native_levenshtein/2 hamming_distance=athena_hamming/2
Text: split_to_map=athena_split_to_map/3
Regular expressions: regexp_like=regexp_matches/2 regexp_extract=athena_regexp_extract/2-3
Regular expressions: regexp_extract_all/2-3 regexp_replace=athena_regexp_replace/2-3
Regular expressions: regexp_split=regexp_split_to_array/2 regexp_count=athena_regexp_count/2
Binary: to_hex=hex/1 from_hex=unhex/1 to_base64/1 from_base64=native_base64_bytes/1
Binary: to_utf8=encode/1 from_utf8=native_utf8_text/1 sha512=native_sha512_bytes/1
Binary: crc32=native_crc32_number/1
URL: url_extract_parameter=native_url_parameter/2 url_encode=native_url_encode/1
URL: url_decode=native_url_decode/1
JSON: json_parse=athena_json_parse/1 json_format=athena_json_format/1
JSON: json_array_length=athena_json_array_length/1
JSON: json_array_contains=athena_json_array_contains/2 json_size=athena_json_size/2
JSON: is_json_scalar=athena_is_json_scalar/1
Arrays: cardinality=athena_cardinality/1 element_at=athena_element_at/2
Arrays: array_distinct=athena_distinct/1 array_intersect=athena_intersect/2
Arrays: array_except=athena_except/2 array_union=athena_union/2 arrays_overlap=athena_overlap/2
Arrays: array_join=athena_join/2-3 array_position=athena_position/2 array_max=athena_array_max/1
Arrays: array_min=athena_array_min/1 array_remove=athena_array_remove/2 slice=athena_slice/3
Arrays: flatten/1 zip=list_zip/2-n repeat=athena_repeat/2
Maps: map_keys/1 map_values/1 map_entries/1 map_from_entries=athena_map_from_entries/1
Maps: map_concat/2-n
Time: from_iso8601_timestamp=athena_iso_timestamp/1 from_iso8601_date=athena_iso_date/1
Time: to_iso8601=athena_iso_text/1 to_unixtime=athena_unixtime/1
Time: from_unixtime=athena_from_unixtime/1 last_day_of_month=last_day/1 date=athena_date/1
Time: now=athena_now/0
Windows: row_number/0 rank/0 dense_rank/0 percent_rank/0 cume_dist/0 ntile/1 lag/1-3 lead/1-3
Windows: first_value/1 last_value/1 nth_value/2
"""
_PLAIN_AGGREGATES = """
Aggregates: min/1-2 max/1-2 array_agg=list/1 arbitrary=any_value/1 any_value/1 bool_and/1 bool_or/1
Aggregates: every=bool_and/1 stddev/1 stddev_samp/1 stddev_pop/1 variance/1 var_samp/1 var_pop/1
Aggregates: corr/2 covar_samp/2 covar_pop/2 geometric_mean=geomean/1
"""


def _named(table: str, *, aggregate: bool = False) -> Iterator[Function]:
    """Yield functions from lines `group: name[=duckdb name]/least[-most] ...`."""
    for line in table.strip().splitlines():
        group, _, words = line.partition(": ")
        for word in words.split():
            left, _, arity = word.partition("/")
            name, _, target = left.partition("=")
            least, _, most = arity.partition("-")
            limit = MANY if most == "n" else int(most or least)
            yield Function(name, group, int(least), limit, renderings.to(target or name), aggregate=aggregate)


def _one(group: str, name: str, least: int, most: int, render: Render) -> Function:
    return Function(name, group, least, most, render)


def _aggregate(name: str, arity: tuple[int, int], render: Render, wrap: Wrap | None = None) -> Function:
    return Function(name, "Aggregates", *arity, render, wrap, aggregate=True)


_LISTED: list[Function] = [
    *_named(_PLAIN),
    *_named(_PLAIN_AGGREGATES, aggregate=True),
    _one("Conditions", "greatest", 1, MANY, renderings.extreme("greatest")),
    _one("Conditions", "least", 1, MANY, renderings.extreme("least")),
    _one("Text", "concat", 2, MANY, renderings.concat),
    _one("Text", "format", 1, MANY, renderings.text_format),
    _one("Binary", "md5", 1, 1, renderings.digest("md5")),
    _one("Binary", "sha1", 1, 1, renderings.digest("sha1")),
    _one("Binary", "sha256", 1, 1, renderings.digest("sha256")),
    *(
        _one("URL", f"url_extract_{name}", 1, 1, renderings.url(part))
        for name, part in (
            ("host", "host"),
            ("path", "path"),
            ("query", "query"),
            ("fragment", "fragment"),
            ("protocol", "scheme"),
        )
    ),
    _one("URL", "url_extract_port", 1, 1, lambda args: cast(renderings.url("port")(args), "BIGINT")),
    _one("JSON", "json_extract", 2, 2, renderings.json_extract),
    _one("JSON", "json_extract_scalar", 2, 2, renderings.json_scalar),
    _one("Arrays", "array_sort", 1, 1, renderings.array_sort),
    _one("Arrays", "contains", 2, 2, renderings.contains),
    _one("Arrays", "sequence", 2, 3, renderings.sequence),
    _one("Arrays", "row", 1, MANY, renderings.row),
    _one("Lambdas", "filter", 2, 2, renderings.over_list("filter", "list_filter")),
    _one("Lambdas", "transform", 2, 2, renderings.over_list("transform", "list_transform")),
    _one("Lambdas", "any_match", 2, 2, renderings.over_list("any_match", "list_transform", "athena_any")),
    _one("Lambdas", "all_match", 2, 2, renderings.over_list("all_match", "list_transform", "athena_all")),
    _one("Lambdas", "none_match", 2, 2, renderings.none_match),
    _one("Lambdas", "reduce", 4, 4, renderings.reduce),
    _one("Lambdas", "zip_with", 3, 3, renderings.zip_with),
    _one("Lambdas", "map_filter", 2, 2, renderings.over_map("map_filter", lambda body: body)),
    _one(
        "Lambdas",
        "transform_keys",
        2,
        2,
        renderings.over_map("transform_keys", lambda body: renderings.pair(body, renderings.entry("value"))),
    ),
    _one(
        "Lambdas",
        "transform_values",
        2,
        2,
        renderings.over_map("transform_values", lambda body: renderings.pair(renderings.entry("key"), body)),
    ),
    _one("Maps", "map", 0, 2, renderings.map_of),
    _one("Time", "date_add", 3, 3, renderings.date_add),
    _one("Time", "date_diff", 3, 3, renderings.date_diff),
    _one("Time", "date_trunc", 2, 2, renderings.date_trunc),
    _one("Time", "date_parse", 2, 2, renderings.formatted("date_parse", "strptime", formats.mysql)),
    _one("Time", "date_format", 2, 2, renderings.formatted("date_format", "strftime", formats.mysql)),
    _one("Time", "format_datetime", 2, 2, renderings.formatted("format_datetime", "strftime", formats.joda)),
    _one("Time", "parse_datetime", 2, 2, renderings.parse_datetime),
    *(_one("Time", name, 1, 1, renderings.part(name)) for name in formats.PARTS if name != "timezone"),
    _one("Time", "at_timezone", 2, 2, renderings.utc("TIMESTAMPTZ")),
    _one("Time", "with_timezone", 2, 2, renderings.with_timezone),
    _aggregate("count", (1, 1), renderings.to("count")),
    _aggregate("count_if", (1, 1), lambda args: call("count", renderings.case(args[0]))),
    _aggregate("sum", (1, 1), renderings.to("sum"), renderings.sum_type),
    _aggregate("avg", (1, 1), renderings.to("avg"), renderings.avg_check),
    _aggregate("bitwise_and_agg", (1, 1), renderings.to("bit_and"), renderings.bigint),
    _aggregate("bitwise_or_agg", (1, 1), renderings.to("bit_or"), renderings.bigint),
    _aggregate("max_by", (2, 3), lambda args: call("arg_max" if args[2:] else "arg_max_null", *args)),
    _aggregate("min_by", (2, 3), lambda args: call("arg_min" if args[2:] else "arg_min_null", *args)),
    _aggregate("approx_distinct", (1, 2), renderings.distinct_count),
    _aggregate("approx_percentile", (2, 2), renderings.percentile),
    _aggregate("histogram", (1, 1), renderings.to("histogram"), renderings.outer("athena_histogram")),
    _aggregate("map_agg", (2, 2), renderings.entries, renderings.outer("athena_map_agg")),
    _aggregate("multimap_agg", (2, 2), renderings.entries, renderings.outer("athena_multimap_agg")),
    _one("Aggregates", "grouping", 1, MANY, renderings.to("grouping")),
]

FUNCTIONS: Mapping[str, Function] = MappingProxyType({one.name: one for one in _LISTED})
WINDOW_ONLY = frozenset(one.name for one in _LISTED if one.group == "Windows")

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "checksum": "its value depends on Trino's own hash",
        "typeof": "type names differ between the engines",
        "random": "its value is never the same twice",
        "rand": "its value is never the same twice",
        "uuid": "its value is never the same twice",
        "shuffle": "its value is never the same twice",
        "json_value": "use json_extract_scalar",
        "json_query": "use json_extract",
        "json_exists": "use json_extract(...) IS NOT NULL",
        "approx_most_frequent": "its value depends on Trino's own sketch",
        "date_sub": "Athena has no such function; use date_add with a negative count",
        "current_user": "there is no such user here",
    }
)
