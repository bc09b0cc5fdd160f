-- Longest silences (the 5 longest; days without an event, by account and region)
WITH days AS (
  SELECT DISTINCT account, region, from_iso8601_date(substr(eventtime, 1, 10)) AS active
  FROM cloudtrail_events
  WHERE eventtimestamp IS NOT NULL
), spans AS (
  SELECT account, region, active, lead(active) OVER (PARTITION BY account, region ORDER BY active) AS next_active
  FROM days
)
SELECT account, region, active AS last_before, next_active AS first_after,
       date_diff('day', active, next_active) - 1 AS days_without
FROM spans
WHERE date_diff('day', active, next_active) > 1
ORDER BY days_without DESC, account, region
LIMIT 5
