-- Errors (the most frequent 10)
SELECT errorcode, count(*) AS events,
       count(DISTINCT coalesce(useridentity.arn, useridentity.principalid)) AS principals,
       max_by(eventsource, eventtime) AS latest_at, max(eventtime) AS latest
FROM cloudtrail_events
WHERE errorcode IS NOT NULL
GROUP BY errorcode
ORDER BY events DESC, errorcode
LIMIT 10
