-- Span
SELECT min(eventtime) AS first_event, max(eventtime) AS last_event, count(*) AS events,
       count(DISTINCT account) AS accounts, count(DISTINCT region) AS regions,
       count(DISTINCT substr(eventtime, 1, 10)) AS days
FROM cloudtrail_events
