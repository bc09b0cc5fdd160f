-- Busiest principals (the first 10)
SELECT coalesce(useridentity.arn, useridentity.invokedby, useridentity.principalid, useridentity.type, '(none)') AS principal,
       count(*) AS events, count_if(errorcode IS NOT NULL) AS errors, min(eventtime) AS first_event,
       max(eventtime) AS last_event
FROM cloudtrail_events
GROUP BY 1
ORDER BY events DESC, principal
LIMIT 10
