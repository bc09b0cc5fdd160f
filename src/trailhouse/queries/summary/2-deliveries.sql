-- Deliveries (the 20 accounts with most records)
SELECT account, count(*) AS records, count_if(duplicate) AS duplicates, count(DISTINCT logfile) AS files,
       min(eventtime) AS first_event, max(eventtime) AS last_event
FROM cloudtrail_lake
GROUP BY account
ORDER BY records DESC, account
LIMIT 20
