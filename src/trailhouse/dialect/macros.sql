-- Athena's functions where DuckDB's own differ. Arguments are expressions: `typeof` is known when a
-- statement is prepared, so that the branches of other types vanish. `native_*` are Python functions.

-- An error that TRY() can catch (error() is volatile, and TRY refuses volatile functions), of the type of a
-- sample. It stands only where a CASE gives a value: conditions that are constant are worked out too early.
CREATE OR REPLACE TEMP MACRO athena_raise(message, sample) AS list_extract([sample], CAST('athena: ' || message AS BIGINT));

-- Arithmetic
CREATE OR REPLACE TEMP MACRO athena_whole(x) AS
  typeof(x) IN ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT');
CREATE OR REPLACE TEMP MACRO athena_binary(x) AS typeof(x) IN ('DOUBLE', 'FLOAT');
CREATE OR REPLACE TEMP MACRO athena_both(a, b) AS CASE WHEN FALSE THEN a ELSE b END;
CREATE OR REPLACE TEMP MACRO athena_scale(x) AS
  coalesce(TRY_CAST(regexp_extract(typeof(x), 'DECIMAL\(\d+,(\d+)\)', 1) AS BIGINT), 0);
CREATE OR REPLACE TEMP MACRO athena_divide(a, b) AS CASE
  WHEN athena_whole(a) AND athena_whole(b) THEN CASE
    WHEN b = 0 AND a IS NOT NULL THEN athena_raise('Division by zero', athena_both(a, b))
    ELSE cast_to_type(a // b, athena_both(a, b)) END
  WHEN athena_binary(a) OR athena_binary(b) THEN cast_to_type(CAST(a AS DOUBLE) / CAST(b AS DOUBLE), athena_both(a, b))
  ELSE cast_to_type(
    native_decimal_divide(CAST(a AS VARCHAR), CAST(b AS VARCHAR), greatest(athena_scale(a), athena_scale(b))),
    athena_both(a, b)) END;
CREATE OR REPLACE TEMP MACRO athena_modulus(a, b) AS CASE
  WHEN NOT (athena_binary(a) OR athena_binary(b)) AND b = 0 AND a IS NOT NULL THEN athena_raise('Division by zero', a % b)
  ELSE a % b END;
CREATE OR REPLACE TEMP MACRO athena_add(a, b) AS CASE
  WHEN typeof(a) = 'DATE' OR typeof(b) = 'DATE' THEN athena_raise('write CAST(... AS date) where a date is added to', a + b)
  ELSE a + b END;
CREATE OR REPLACE TEMP MACRO athena_add_date(a, b) AS CAST(a + b AS DATE);
CREATE OR REPLACE TEMP MACRO athena_subtract(a, b) AS CASE
  WHEN typeof(a) = 'DATE' OR typeof(b) = 'DATE' THEN athena_raise('write CAST(... AS date) where a date is subtracted from', a - b)
  ELSE a - b END;
CREATE OR REPLACE TEMP MACRO athena_subtract_date(a, b) AS CAST(a - b AS DATE);
CREATE OR REPLACE TEMP MACRO athena_between_dates(a, b) AS CAST(a AS TIMESTAMP) - CAST(b AS TIMESTAMP);
CREATE OR REPLACE TEMP MACRO athena_ceil(x) AS CASE WHEN athena_whole(x) THEN cast_to_type(x, x) ELSE cast_to_type(ceil(x), x) END;
CREATE OR REPLACE TEMP MACRO athena_floor(x) AS CASE WHEN athena_whole(x) THEN cast_to_type(x, x) ELSE cast_to_type(floor(x), x) END;
CREATE OR REPLACE TEMP MACRO athena_sqrt(x) AS CASE WHEN x < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt(x) END;
CREATE OR REPLACE TEMP MACRO athena_log_guard(x, y) AS
  CASE WHEN x < 0 THEN CAST('nan' AS DOUBLE) WHEN x = 0 THEN CAST('-inf' AS DOUBLE) ELSE y END;
CREATE OR REPLACE TEMP MACRO athena_ln(x) AS athena_log_guard(x, ln(CASE WHEN x > 0 THEN x END));
CREATE OR REPLACE TEMP MACRO athena_log2(x) AS athena_log_guard(x, log2(CASE WHEN x > 0 THEN x END));
CREATE OR REPLACE TEMP MACRO athena_log10(x) AS athena_log_guard(x, log10(CASE WHEN x > 0 THEN x END));
CREATE OR REPLACE TEMP MACRO athena_log(b, x) AS ln(x) / ln(b);
CREATE OR REPLACE TEMP MACRO athena_sign(x) AS cast_to_type(sign(x), x);

-- Casts
CREATE OR REPLACE TEMP MACRO athena_text(x) AS CASE
  WHEN x IS NULL THEN NULL
  WHEN typeof(x) = 'VARCHAR' THEN CAST(x AS VARCHAR)
  WHEN typeof(x) = 'JSON' THEN native_json_varchar(CAST(x AS VARCHAR))
  WHEN athena_binary(x) THEN native_double_varchar(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE))
  WHEN typeof(x) = 'TIMESTAMP' THEN strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
  WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE' THEN
    strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ) AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%g') || ' UTC'
  WHEN typeof(x) = 'UHUGEINT' THEN native_ip_text(CAST(x AS VARCHAR))
  WHEN typeof(x) = 'INTERVAL' THEN athena_raise('CAST of an interval to varchar is outside the local dialect', '')
  WHEN athena_whole(x) OR typeof(x) IN ('BOOLEAN', 'DATE', '"NULL"') OR typeof(x) LIKE 'DECIMAL%' THEN CAST(x AS VARCHAR)
  ELSE athena_raise('Cannot cast ' || typeof(x) || ' to varchar', '') END;
CREATE OR REPLACE TEMP MACRO athena_text_limited(x, n) AS CASE
  WHEN typeof(x) = 'VARCHAR' OR length(athena_text(x)) <= n THEN left(athena_text(x), n)
  WHEN x IS NULL THEN NULL
  ELSE athena_raise('Value ' || athena_text(x) || ' cannot be represented as varchar(' || CAST(n AS VARCHAR) || ')', '') END;
CREATE OR REPLACE TEMP MACRO athena_no_cast(x, kind, sample) AS athena_raise('Cannot cast ''' || CAST(x AS VARCHAR) || ''' to ' || kind, sample);
CREATE OR REPLACE TEMP MACRO athena_bigint(x) AS CASE
  WHEN x IS NULL THEN NULL
  WHEN typeof(x) = 'JSON' THEN native_json_bigint(CAST(x AS VARCHAR))
  WHEN typeof(x) = 'VARCHAR' THEN CASE
    WHEN regexp_full_match(trim(CAST(x AS VARCHAR)), '[+-]?[0-9]+') THEN CAST(trim(CAST(x AS VARCHAR)) AS BIGINT)
    ELSE athena_no_cast(x, 'BIGINT', CAST(0 AS BIGINT)) END
  WHEN athena_binary(x) THEN CAST(round(CAST(CAST(x AS VARCHAR) AS DOUBLE)) AS BIGINT)
  WHEN typeof(x) IN ('DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'INTERVAL', 'UHUGEINT') THEN
    athena_no_cast(x, 'BIGINT', CAST(0 AS BIGINT))
  WHEN typeof(x) = 'BOOLEAN' THEN CASE WHEN CAST(x AS VARCHAR) = 'true' THEN 1 ELSE 0 END
  ELSE CAST(CAST(CAST(x AS VARCHAR) AS DECIMAL(38, 18)) AS BIGINT) END;
CREATE OR REPLACE TEMP MACRO athena_double(x) AS CASE
  WHEN typeof(x) = 'JSON' THEN native_json_double(CAST(x AS VARCHAR))
  WHEN typeof(x) = 'VARCHAR' THEN CASE
    WHEN regexp_full_match(trim(CAST(x AS VARCHAR)), '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[dDfF]?|NaN|[+-]?Infinity')
      THEN CAST(rtrim(trim(CAST(x AS VARCHAR)), 'dDfF') AS DOUBLE)
    WHEN x IS NULL THEN NULL ELSE athena_no_cast(x, 'DOUBLE', CAST(0 AS DOUBLE)) END
  ELSE CAST(x AS DOUBLE) END;
CREATE OR REPLACE TEMP MACRO athena_boolean(x) AS CASE
  WHEN typeof(x) = 'JSON' THEN native_json_boolean(CAST(x AS VARCHAR))
  WHEN typeof(x) = 'VARCHAR' THEN CASE lower(CAST(x AS VARCHAR))
    WHEN 'true' THEN TRUE WHEN 't' THEN TRUE WHEN '1' THEN TRUE
    WHEN 'false' THEN FALSE WHEN 'f' THEN FALSE WHEN '0' THEN FALSE
    ELSE CASE WHEN x IS NOT NULL THEN athena_no_cast(x, 'BOOLEAN', TRUE) END END
  ELSE CAST(x AS BOOLEAN) END;
CREATE OR REPLACE TEMP MACRO athena_decimal_source(x) AS CASE
  WHEN typeof(x) = 'JSON' THEN native_json_varchar(CAST(x AS VARCHAR))
  WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(trim(CAST(x AS VARCHAR)), '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?')
    THEN athena_no_cast(x, 'DECIMAL', '')
  WHEN typeof(x) = 'BOOLEAN' THEN CASE WHEN CAST(x AS VARCHAR) = 'true' THEN '1' ELSE '0' END
  ELSE CAST(x AS VARCHAR) END;
CREATE OR REPLACE TEMP MACRO athena_date(x) AS CASE
  WHEN typeof(x) <> 'VARCHAR' THEN CAST(x AS DATE)
  WHEN x IS NULL OR regexp_full_match(trim(CAST(x AS VARCHAR)), '[+-]?\d{4,}-\d{1,2}-\d{1,2}') THEN CAST(trim(CAST(x AS VARCHAR)) AS DATE)
  ELSE athena_raise('Value cannot be cast to date: ' || CAST(x AS VARCHAR), CAST(NULL AS DATE)) END;
CREATE OR REPLACE TEMP MACRO athena_millis(x) AS date_trunc('milliseconds', x + INTERVAL 500 MICROSECOND);
CREATE OR REPLACE TEMP MACRO athena_timestamp(x) AS CASE
  WHEN typeof(x) <> 'VARCHAR' THEN athena_millis(CAST(x AS TIMESTAMP))
  WHEN x IS NULL OR regexp_full_match(CAST(x AS VARCHAR), '\s*\d{4,}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,12})?)?)?\s*(Z|UTC|[+-]00:00)?\s*')
    THEN athena_millis(CAST(regexp_replace(regexp_replace(trim(CAST(x AS VARCHAR)), '\s*(Z|UTC|[+-]00:00)$', ''), '^(\S+ \d+:\d+)$', '\1:00') AS TIMESTAMP))
  ELSE athena_raise('Value cannot be cast to timestamp: ' || CAST(x AS VARCHAR), CAST(NULL AS TIMESTAMP)) END;
CREATE OR REPLACE TEMP MACRO athena_timestamptz(x) AS
  CASE WHEN typeof(x) = 'VARCHAR' THEN athena_timestamp(x) AT TIME ZONE 'UTC' ELSE CAST(x AS TIMESTAMPTZ) END;
CREATE OR REPLACE TEMP MACRO athena_json(x) AS CAST(CASE
  WHEN typeof(x) = 'JSON' THEN CAST(x AS VARCHAR)
  WHEN typeof(x) = 'VARCHAR' THEN native_json_string(CAST(x AS VARCHAR))
  WHEN athena_binary(x) THEN native_double_plain(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE))
  WHEN typeof(x) LIKE 'DECIMAL%' AND typeof(x) NOT LIKE '%]' THEN CAST(x AS VARCHAR)
  WHEN typeof(x) IN ('TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'DATE') THEN '"' || CAST(x AS VARCHAR) || '"'
  WHEN typeof(x) LIKE 'MAP%' THEN native_json_parse(CAST(to_json(x) AS VARCHAR))
  ELSE CAST(to_json(x) AS VARCHAR) END AS JSON);
CREATE OR REPLACE TEMP MACRO athena_ipaddress(x) AS CASE
  WHEN typeof(x) = 'UHUGEINT' THEN CAST(CAST(x AS VARCHAR) AS UHUGEINT)
  ELSE CAST(native_ip_number(CAST(x AS VARCHAR)) AS UHUGEINT) END;
-- Under TRY: without an error, after which DuckDB would go through the rows one by one.
CREATE OR REPLACE TEMP MACRO athena_ipaddress_or_null(x) AS CASE
  WHEN typeof(x) = 'UHUGEINT' THEN CAST(CAST(x AS VARCHAR) AS UHUGEINT)
  ELSE CAST(struct_extract(answer_ip_number(CAST(x AS VARCHAR)), 'value') AS UHUGEINT) END;
CREATE OR REPLACE TEMP MACRO athena_in_network(network, address) AS
  address >= CAST(native_ip_prefix(network)[1] AS UHUGEINT) AND address <= CAST(native_ip_prefix(network)[2] AS UHUGEINT);

-- JSON
CREATE OR REPLACE TEMP MACRO athena_json_extract(x, path) AS CAST(native_json_extract(CAST(x AS VARCHAR), path) AS JSON);
CREATE OR REPLACE TEMP MACRO athena_json_scalar(x, path) AS native_json_scalar(CAST(x AS VARCHAR), path);
-- The quick way for plain names: DuckDB finds strings and small numbers; the rest is read as text.
CREATE OR REPLACE TEMP MACRO athena_json_scalar_quick(x, path, quick) AS CASE
  WHEN json_valid(CAST(x AS VARCHAR)) IS NOT TRUE THEN native_json_scalar(CAST(x AS VARCHAR), path)
  ELSE CASE coalesce(json_type(CAST(x AS VARCHAR), quick), 'NULL')
    WHEN 'NULL' THEN NULL WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL
    WHEN 'VARCHAR' THEN json_extract_string(CAST(x AS VARCHAR), quick)
    WHEN 'BOOLEAN' THEN json_extract_string(CAST(x AS VARCHAR), quick)
    WHEN 'UBIGINT' THEN json_extract_string(CAST(x AS VARCHAR), quick)
    ELSE native_json_scalar(CAST(x AS VARCHAR), path) END END;
CREATE OR REPLACE TEMP MACRO athena_json_parse(x) AS CAST(native_json_parse(CAST(x AS VARCHAR)) AS JSON);
CREATE OR REPLACE TEMP MACRO athena_json_format(x) AS CAST(x AS VARCHAR);
CREATE OR REPLACE TEMP MACRO athena_json_array_length(x) AS native_json_array_length(CAST(x AS VARCHAR));
CREATE OR REPLACE TEMP MACRO athena_json_array_contains(x, v) AS native_json_array_contains(CAST(x AS VARCHAR), CAST(v AS VARCHAR),
  CASE WHEN typeof(v) = 'BOOLEAN' THEN 'boolean' WHEN typeof(v) = 'VARCHAR' THEN 'text' WHEN athena_binary(v) THEN 'double' ELSE 'number' END);
CREATE OR REPLACE TEMP MACRO athena_json_size(x, path) AS native_json_size(CAST(x AS VARCHAR), path);
CREATE OR REPLACE TEMP MACRO athena_is_json_scalar(x) AS native_is_json_scalar(CAST(x AS VARCHAR));

-- Text
CREATE OR REPLACE TEMP MACRO athena_trim_set() AS E' \t\n\f\r' || chr(11) || chr(28) || chr(29) || chr(30) || chr(31) || chr(5760) || chr(8192) || chr(8193) || chr(8194) || chr(8195) || chr(8196) || chr(8197) || chr(8198) || chr(8200) || chr(8201) || chr(8202) || chr(8232) || chr(8233) || chr(8287) || chr(12288);
CREATE OR REPLACE TEMP MACRO athena_substr
  (x, s) AS CASE WHEN s = 0 OR abs(s) > length(x) THEN '' WHEN x IS NULL OR s IS NULL THEN NULL ELSE substr(x, s) END,
  (x, s, n) AS CASE WHEN s = 0 OR abs(s) > length(x) OR n <= 0 THEN '' WHEN x IS NULL OR s IS NULL OR n IS NULL THEN NULL ELSE substr(x, s, n) END;
CREATE OR REPLACE TEMP MACRO athena_split_part(x, d, i) AS CASE
  WHEN i < 1 THEN athena_raise('Index must be greater than zero', '') ELSE string_split(x, d)[i] END;
CREATE OR REPLACE TEMP MACRO athena_regexp_extract
  (x, p) AS CASE WHEN regexp_matches(x, p) THEN regexp_extract(x, p) END,
  (x, p, g) AS CASE WHEN regexp_matches(x, p) THEN coalesce(nullif(regexp_extract(x, p, g), ''), native_regexp_part(x, p, g)) END;
CREATE OR REPLACE TEMP MACRO athena_regexp_replace
  (x, p) AS regexp_replace(x, p, '', 'g'),
  (x, p, r) AS regexp_replace(x, p, native_regexp_template(r), 'g');
CREATE OR REPLACE TEMP MACRO athena_regexp_count(x, p) AS len(regexp_extract_all(x, p));
CREATE OR REPLACE TEMP MACRO athena_unhex(x) AS unhex(x);

-- Arrays and maps
CREATE OR REPLACE TEMP MACRO athena_is_list(x) AS typeof(x) LIKE '%]';
CREATE OR REPLACE TEMP MACRO athena_cardinality(x) AS CAST(CASE WHEN athena_is_list(x) THEN
  json_array_length(to_json(x)) ELSE len(json_keys(to_json(x))) END AS BIGINT);
CREATE OR REPLACE TEMP MACRO athena_element_at(x, i) AS CASE
  WHEN athena_is_list(x) AND CAST(i AS VARCHAR) = '0' THEN athena_raise('SQL array indices start at 1', x[i])
  ELSE x[i] END;
CREATE OR REPLACE TEMP MACRO athena_subscript(x, i) AS CASE
  WHEN x IS NULL OR i IS NULL THEN NULL
  WHEN x[i] IS NOT NULL AND NOT (athena_is_list(x) AND CAST(i AS VARCHAR) LIKE '-%') THEN x[i]
  WHEN athena_is_list(x) AND NOT (CAST(i AS VARCHAR) LIKE '-%' OR CAST(i AS VARCHAR) = '0')
    AND TRY_CAST(CAST(i AS VARCHAR) AS BIGINT) <= json_array_length(to_json(x)) THEN NULL
  WHEN typeof(x) LIKE 'MAP%' AND contains(json_keys(to_json(x)), CAST(i AS VARCHAR)) THEN NULL
  ELSE athena_raise(CASE WHEN athena_is_list(x) THEN 'Array subscript must be between 1 and the length: '
    ELSE 'Key not present in map: ' END || CAST(i AS VARCHAR), x[i]) END;
CREATE OR REPLACE TEMP MACRO athena_has_null(x) AS len(list_filter(x, lambda e: e IS NULL)) > 0;
CREATE OR REPLACE TEMP MACRO athena_any(b) AS CASE
  WHEN b IS NULL THEN NULL WHEN list_contains(b, TRUE) THEN TRUE WHEN athena_has_null(b) THEN NULL ELSE FALSE END;
CREATE OR REPLACE TEMP MACRO athena_all(b) AS CASE
  WHEN b IS NULL THEN NULL WHEN list_contains(b, FALSE) THEN FALSE WHEN athena_has_null(b) THEN NULL ELSE TRUE END;
CREATE OR REPLACE TEMP MACRO athena_contains(x, v) AS CASE
  WHEN x IS NULL OR v IS NULL THEN NULL WHEN list_contains(x, v) THEN TRUE WHEN athena_has_null(x) THEN NULL ELSE FALSE END;
CREATE OR REPLACE TEMP MACRO athena_distinct(x) AS list_filter(x, lambda e, i: list_position(x, e) = i);
CREATE OR REPLACE TEMP MACRO athena_intersect(x, y) AS CASE WHEN y IS NULL THEN NULL ELSE
  athena_distinct(list_filter(x, lambda e: list_position(y, e) IS NOT NULL)) END;
CREATE OR REPLACE TEMP MACRO athena_except(x, y) AS CASE WHEN y IS NULL THEN NULL ELSE
  athena_distinct(list_filter(x, lambda e: list_position(y, e) IS NULL)) END;
CREATE OR REPLACE TEMP MACRO athena_union(x, y) AS CASE WHEN x IS NULL OR y IS NULL THEN NULL ELSE athena_distinct(list_concat(x, y)) END;
CREATE OR REPLACE TEMP MACRO athena_overlap(x, y) AS CASE
  WHEN x IS NULL OR y IS NULL THEN NULL
  WHEN len(list_filter(x, lambda e: e IS NOT NULL AND list_contains(y, e))) > 0 THEN TRUE
  WHEN len(x) > 0 AND len(y) > 0 AND (athena_has_null(x) OR athena_has_null(y)) THEN NULL ELSE FALSE END;
CREATE OR REPLACE TEMP MACRO athena_join
  (x, d) AS CASE WHEN x IS NULL THEN NULL ELSE coalesce(array_to_string(list_transform(x, lambda e: athena_text(e)), d), '') END,
  (x, d, n) AS CASE WHEN x IS NULL THEN NULL ELSE coalesce(array_to_string(list_transform(x, lambda e: coalesce(athena_text(e), n)), d), '') END;
CREATE OR REPLACE TEMP MACRO athena_position(x, v) AS CASE WHEN x IS NULL OR v IS NULL THEN NULL ELSE CAST(coalesce(list_position(x, v), 0) AS BIGINT) END;
CREATE OR REPLACE TEMP MACRO athena_array_max(x) AS CASE WHEN athena_has_null(x) THEN NULL ELSE list_max(x) END;
CREATE OR REPLACE TEMP MACRO athena_array_min(x) AS CASE WHEN athena_has_null(x) THEN NULL ELSE list_min(x) END;
CREATE OR REPLACE TEMP MACRO athena_slice(x, s, n) AS CASE
  WHEN s = 0 THEN athena_raise('SQL array indices start at 1', x)
  WHEN n < 0 THEN athena_raise('length must be greater than or equal to 0', x)
  WHEN abs(s) > len(x) OR n = 0 THEN x[1:0]
  WHEN s > 0 THEN x[s : s + n - 1]
  ELSE x[len(x) + s + 1 : len(x) + s + n] END;
CREATE OR REPLACE TEMP MACRO athena_sequence(a, b) AS
  generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT), CASE WHEN a <= b THEN 1 ELSE -1 END);
CREATE OR REPLACE TEMP MACRO athena_sequence_days(a, b) AS list_transform(
  generate_series(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), CASE WHEN a <= b THEN INTERVAL 1 DAY ELSE INTERVAL (-1) DAY END),
  lambda e: CAST(e AS DATE));
CREATE OR REPLACE TEMP MACRO athena_sequence_step(a, b, s) AS generate_series(a, b, s);
CREATE OR REPLACE TEMP MACRO athena_sequence_days_step(a, b, s) AS list_transform(
  generate_series(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), s), lambda e: CAST(e AS DATE));
CREATE OR REPLACE TEMP MACRO athena_map(keys, items) AS map(keys, items);
CREATE OR REPLACE TEMP MACRO athena_map_agg(entries) AS map_from_entries(list_filter(
  list_filter(entries, lambda e: e.key IS NOT NULL), lambda e, i:
  list_position(list_transform(list_filter(entries, lambda u: u.key IS NOT NULL), lambda u: u.key), e.key) = i));
CREATE OR REPLACE TEMP MACRO athena_multimap_agg(entries) AS map_from_entries(list_transform(
  list_distinct(list_transform(entries, lambda e: e.key)),
  lambda k: {'key': k, 'value': list_transform(list_filter(entries, lambda e: e.key = k), lambda e: e.value)}));
CREATE OR REPLACE TEMP MACRO athena_histogram(h) AS map_from_entries(
  list_transform(map_entries(h), lambda e: {'key': e.key, 'value': CAST(e.value AS BIGINT)}));

-- Time
CREATE OR REPLACE TEMP MACRO athena_date_trunc(unit, x) AS cast_to_type(date_trunc(unit, x), x);
CREATE OR REPLACE TEMP MACRO athena_iso_timestamp(x) AS CASE
  WHEN x IS NULL OR regexp_full_match(x, '\d{4}(-\d{2}(-\d{2}(T\d{2}(:\d{2}(:\d{2}([.,]\d{1,12})?)?)?(Z|[+-]00(:?00)?)?)?)?)?')
    THEN date_trunc('milliseconds', CAST(
      left(regexp_extract(x, '^[\d-]+') || '-01-01', 10) || ' ' ||
      CASE WHEN x LIKE '%T%' THEN left(rpad(regexp_extract(x, 'T([\d:]+)', 1), 8, ':00:00'), 2)
        || left(regexp_extract(x, 'T\d{2}((:\d{2})*)', 1) || ':00:00', 6) || regexp_extract(x, '\.\d{1,6}')
      ELSE '00:00:00' END AS TIMESTAMP)) AT TIME ZONE 'UTC'
  ELSE athena_raise('from_iso8601_timestamp reads ISO 8601 in UTC only here, not: ' || x, CAST(NULL AS TIMESTAMPTZ)) END;
CREATE OR REPLACE TEMP MACRO athena_iso_text(x) AS CASE typeof(x)
  WHEN 'DATE' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%d')
  WHEN 'TIMESTAMP' THEN strftime(CAST(x AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%g')
  ELSE strftime(CAST(x AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%gZ') END;
CREATE OR REPLACE TEMP MACRO athena_date_add(x, i) AS cast_to_type(x + i, x);
-- The session's time zone is UTC.
CREATE OR REPLACE TEMP MACRO athena_wall(x) AS CAST(x AS TIMESTAMP);
CREATE OR REPLACE TEMP MACRO athena_unixtime(x) AS epoch(x);
CREATE OR REPLACE TEMP MACRO athena_from_unixtime(x) AS to_timestamp(floor(CAST(x AS DOUBLE) * 1000 + 0.5) / 1000);
CREATE OR REPLACE TEMP MACRO athena_now() AS date_trunc('milliseconds', now());
CREATE OR REPLACE TEMP MACRO athena_average(mean, probe) AS CASE
  WHEN typeof(probe) LIKE 'DECIMAL%' THEN athena_raise('avg() of decimals is outside the local dialect; cast to double', mean) ELSE mean END;
CREATE OR REPLACE TEMP MACRO athena_rowless(x) AS CASE
  WHEN typeof(x) LIKE 'STRUCT%)[]' THEN athena_raise('UNNEST of rows needs a column name for each field', x) ELSE x END;
CREATE OR REPLACE TEMP MACRO athena_format_text(x) AS CASE
  WHEN x IS NULL THEN 'null'
  WHEN athena_binary(x) THEN native_double_plain(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE)) ELSE athena_text(x) END;
CREATE OR REPLACE TEMP MACRO athena_truncate(x) AS cast_to_type(trunc(x), x);
CREATE OR REPLACE TEMP MACRO athena_bit_and(a, b) AS CAST(a AS BIGINT) & CAST(b AS BIGINT);
CREATE OR REPLACE TEMP MACRO athena_bit_or(a, b) AS CAST(a AS BIGINT) | CAST(b AS BIGINT);
CREATE OR REPLACE TEMP MACRO athena_bit_xor(a, b) AS xor(CAST(a AS BIGINT), CAST(b AS BIGINT));
CREATE OR REPLACE TEMP MACRO athena_bit_not(a) AS ~CAST(a AS BIGINT);
CREATE OR REPLACE TEMP MACRO athena_to_base(x, radix) AS CASE WHEN x < 0 THEN '-' ELSE '' END || lower(to_base(abs(x), radix));
CREATE OR REPLACE TEMP MACRO athena_nan() AS CAST('nan' AS DOUBLE);
CREATE OR REPLACE TEMP MACRO athena_infinity() AS CAST('inf' AS DOUBLE);
CREATE OR REPLACE TEMP MACRO athena_e() AS exp(1e0);
CREATE OR REPLACE TEMP MACRO athena_replace
  (x, a) AS replace(x, a, ''),
  (x, a, b) AS replace(x, a, b);
CREATE OR REPLACE TEMP MACRO athena_split
  (x, d) AS string_split(x, d),
  (x, d, n) AS native_split_limit(x, d, n);
CREATE OR REPLACE TEMP MACRO athena_trim(x) AS trim(x, athena_trim_set());
CREATE OR REPLACE TEMP MACRO athena_ltrim(x) AS ltrim(x, athena_trim_set());
CREATE OR REPLACE TEMP MACRO athena_rtrim(x) AS rtrim(x, athena_trim_set());
CREATE OR REPLACE TEMP MACRO athena_hamming(a, b) AS CAST(hamming(a, b) AS BIGINT);
CREATE OR REPLACE TEMP MACRO athena_split_to_map(x, d, e) AS map_from_entries(list_transform(
  list_filter(string_split(x, d), lambda p: p <> ''), lambda p: {'key': split_part(p, e, 1), 'value': substr(p, strpos(p, e) + length(e))}));
CREATE OR REPLACE TEMP MACRO athena_array_remove(x, v) AS list_filter(x, lambda e: e IS DISTINCT FROM v);
CREATE OR REPLACE TEMP MACRO athena_repeat(x, n) AS list_transform(generate_series(1, n), lambda i: x);
CREATE OR REPLACE TEMP MACRO athena_map_from_entries(x) AS map_from_entries(
  list_transform(x, lambda e: {'key': struct_extract_at(e, 1), 'value': struct_extract_at(e, 2)}));
CREATE OR REPLACE TEMP MACRO athena_iso_date(x) AS athena_date(x);
CREATE OR REPLACE TEMP MACRO athena_upper(x) AS CASE WHEN contains(x, 'ẞ') THEN upper(x) ELSE replace(upper(x), 'ẞ', 'ß') END;
