-- Addresses (the busiest 10)
SELECT sourceipaddress AS address, count(*) AS events,
       count(DISTINCT coalesce(useridentity.arn, useridentity.principalid)) AS principals,
       count(DISTINCT account) AS accounts, min(eventtime) AS first_event, max(eventtime) AS last_event
FROM cloudtrail_events
WHERE regexp_like(sourceipaddress, '^[0-9a-fA-F:.]+$')
GROUP BY sourceipaddress
ORDER BY events DESC, address
LIMIT 10
