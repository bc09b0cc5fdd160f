-- Console logins (the most frequent 10)
SELECT coalesce(useridentity.arn, useridentity.username, useridentity.type) AS principal, useridentity.type AS type,
       coalesce(json_extract_scalar(responseelements, '$.ConsoleLogin'), '(none)') AS result,
       coalesce(json_extract_scalar(additionaleventdata, '$.MFAUsed'), '(not said)') AS mfa,
       count(*) AS logins, count(DISTINCT sourceipaddress) AS addresses, max(eventtime) AS latest
FROM cloudtrail_events
WHERE eventname = 'ConsoleLogin' AND eventsource = 'signin.amazonaws.com'
GROUP BY 1, 2, 3, 4
ORDER BY logins DESC, principal
LIMIT 10
