-- Forms of CloudTrail Lake's SQL, each with the same question as somebody writes it who knows our tables.

-- form: count of a name
SELECT eventName, count(*) AS n
FROM <eds>
GROUP BY eventName
ORDER BY n DESC, eventName
-- ours
SELECT eventname, count(*) AS n
FROM cloudtrail_events
GROUP BY eventname
ORDER BY n DESC, eventname

-- form: a window, a key of a map
SELECT eventName, userIdentity.arn
FROM <eds>
WHERE eventTime > '2026-03-04 00:00:00'
    AND eventTime < '2026-03-10 00:00:00'
    AND element_at(requestParameters, 'bucketName') IS NOT NULL
-- ours
SELECT eventname, useridentity.arn
FROM cloudtrail_events
WHERE eventtime > '2026-03-04T00:00:00Z'
    AND eventtime < '2026-03-10T00:00:00Z'
    AND json_extract(requestparameters, '$.bucketName') IS NOT NULL

-- form: an equal value of a map
SELECT count(*)
FROM <eds>
WHERE element_at(additionalEventData, 'MFAUsed') = 'Yes'
-- ours
SELECT count(*)
FROM cloudtrail_events
WHERE json_extract_scalar(additionaleventdata, '$.MFAUsed') = 'Yes'

-- form: a subscript, distinct
SELECT DISTINCT requestParameters['bucketName'] AS bucket, awsRegion
FROM <eds>
WHERE eventSource = 's3.amazonaws.com'
ORDER BY bucket, awsRegion
-- ours
SELECT DISTINCT json_extract_scalar(requestparameters, '$.bucketName') AS bucket, awsregion
FROM cloudtrail_events
WHERE eventsource = 's3.amazonaws.com'
ORDER BY bucket, awsregion

-- form: JSON in a map
SELECT json_extract_scalar(element_at(requestParameters, 'encryptionContext'), '$["aws:s3:arn"]') AS arn,
    count(*) AS n
FROM <eds>
WHERE eventName = 'GenerateDataKey'
GROUP BY 1
-- ours
SELECT json_extract_scalar(requestparameters, '$.encryptionContext["aws:s3:arn"]') AS arn,
    count(*) AS n
FROM cloudtrail_events
WHERE eventname = 'GenerateDataKey'
GROUP BY 1

-- form: text within nested JSON
SELECT eventID
FROM <eds>
WHERE responseElements IS NOT NULL
    AND element_at(responseElements, 'instancesSet') LIKE '%"instanceId":"i-%'
-- ours
SELECT eventid
FROM cloudtrail_events
WHERE json_format(json_extract(responseelements, '$.instancesSet')) LIKE '%"instanceId":"i-%'

-- form: booleans
SELECT count(*) AS n, readOnly
FROM <eds>
WHERE managementEvent = true AND readOnly = false
GROUP BY readOnly
-- ours
SELECT count(*) AS n, FALSE AS readonly
FROM cloudtrail_events
WHERE managementevent = 'true' AND readonly = 'false'

-- form: a bare boolean, and a case
SELECT CASE WHEN readOnly THEN 'reads' ELSE 'writes' END AS what, count(*)
FROM <eds>
WHERE NOT readOnly OR eventName = 'ListBuckets'
GROUP BY 1
ORDER BY 1
-- ours
SELECT CASE WHEN readonly = 'true' THEN 'reads' ELSE 'writes' END AS what, count(*)
FROM cloudtrail_events
WHERE readonly = 'false' OR eventname = 'ListBuckets'
GROUP BY 1
ORDER BY 1

-- form: a text that Lake compares with a boolean
SELECT count(*)
FROM <eds>
WHERE sessionCredentialFromConsole = true AND readOnly IN (true, false)
-- ours
SELECT count(*)
FROM cloudtrail_events
WHERE sessioncredentialfromconsole = 'true' AND readonly IS NOT NULL

-- form: deep fields
SELECT userIdentity.sessionContext.sessionIssuer.userName, count(*) AS n
FROM <eds>
WHERE userIdentity.type = 'AssumedRole'
GROUP BY 1
ORDER BY n DESC, 1
-- ours
SELECT useridentity.sessioncontext.sessionissuer.username, count(*) AS n
FROM cloudtrail_events
WHERE useridentity.type = 'AssumedRole'
GROUP BY 1
ORDER BY n DESC, 1

-- form: times in results and order
SELECT eventTime, eventName
FROM <eds>
WHERE eventTime BETWEEN '2026-03-05' AND '2026-03-06'
ORDER BY eventTime DESC, eventName LIMIT 20
-- ours
SELECT eventtimestamp AS eventtime, eventname
FROM cloudtrail_events
WHERE eventtime >= '2026-03-05T00:00:00Z' AND eventtime <= '2026-03-06T00:00:00Z'
ORDER BY eventtimestamp DESC, eventname LIMIT 20

-- form: functions of times
SELECT day_of_week(eventTime) AS weekday, count(*) AS n
FROM <eds>
WHERE eventTime > TIMESTAMP '2026-03-04 06:30:00'
GROUP BY day_of_week(eventTime)
ORDER BY day_of_week(eventTime)
-- ours
SELECT day_of_week(eventtimestamp) AS weekday, count(*) AS n
FROM cloudtrail_events
WHERE eventtime > '2026-03-04T06:30:00Z'
GROUP BY 1
ORDER BY 1

-- form: hours that are cut, and compared
SELECT date_trunc('hour', eventTime) AS hour, count(*) AS n
FROM <eds>
WHERE date(eventTime) = '2026-03-05'
GROUP BY 1
HAVING max(eventTime) > '2026-03-05 09:00'
ORDER BY 1
-- ours
SELECT date_trunc('hour', eventtimestamp) AS hour, count(*) AS n
FROM cloudtrail_events
WHERE eventtime LIKE '2026-03-05%'
GROUP BY 1
HAVING max(eventtime) > '2026-03-05T09:00:00Z'
ORDER BY 1

-- form: the last days
SELECT count(*)
FROM <eds>
WHERE eventTime >= date_add('day', -7, now())
    AND eventTime <= current_timestamp - INTERVAL '24' HOUR
-- ours
SELECT count(*)
FROM cloudtrail_events
WHERE eventtime >= '2026-03-05T12:00:00Z' AND eventtime <= '2026-03-11T12:00:00Z'

-- form: a time of a session
SELECT count(*)
FROM <eds>
WHERE userIdentity.sessionContext.attributes.creationDate > '2026-03-08'
    AND date_diff('minute', userIdentity.sessionContext.attributes.creationDate, eventTime) < 30
-- ours
SELECT count(*)
FROM cloudtrail_events
WHERE useridentity.sessioncontext.attributes.creationdate > '2026-03-08T00:00:00Z'
    AND to_unixtime(eventtimestamp) - to_unixtime(from_iso8601_timestamp(useridentity.sessioncontext.attributes.creationdate)) < 1800

-- form: resources
SELECT element_at(resources, 1).arn, resources[1].accountId
FROM <eds>
WHERE cardinality(resources) > 0 AND any_match(resources, r -> r.type = 'AWS::S3::Object')
-- ours
SELECT resources[1].arn, resources[1].accountid
FROM cloudtrail_events
WHERE cardinality(filter(resources, r -> r.type = 'AWS::S3::Object')) > 0

-- form: resources laid out
SELECT r.arn, kind, count(*) AS n
FROM <eds>
CROSS JOIN UNNEST(resources) AS r(owner, kind, arn, arnprefix)
WHERE owner IS NOT NULL
GROUP BY 1, 2
ORDER BY 3 DESC, 1 LIMIT 9
-- ours
SELECT r.arn, kind, count(*) AS n
FROM cloudtrail_events
CROSS JOIN UNNEST(resources) AS r(arn, owner, kind)
WHERE owner IS NOT NULL
GROUP BY 1, 2
ORDER BY 3 DESC, 1 LIMIT 9

-- form: a whole map
SELECT k, count(*) AS n, max(cardinality(requestParameters)) AS most
FROM <eds>
CROSS JOIN UNNEST(map_keys(requestParameters)) AS t(k)
GROUP BY k
ORDER BY n DESC, k LIMIT 20
-- ours
SELECT k, count(*) AS n, max(json_size(requestparameters, '$')) AS most
FROM cloudtrail_events
CROSS JOIN UNNEST(map_keys(try(CAST(json_parse(requestparameters) AS map(varchar, json))))) AS t(k)
GROUP BY k
ORDER BY n DESC, k LIMIT 20

-- form: a map laid out
SELECT k, v
FROM <eds>
CROSS JOIN UNNEST(additionalEventData) AS t(k, v)
WHERE k = 'MobileVersion'
-- ours
SELECT 'MobileVersion', json_extract_scalar(additionaleventdata, '$.MobileVersion')
FROM cloudtrail_events
WHERE json_extract(additionaleventdata, '$.MobileVersion') IS NOT NULL

-- form: the record's JSON
SELECT json_extract_scalar(eventJson, '$.requestParameters.bucketName') AS bucket,
    json_extract_scalar(eventJson, '$.userIdentity.sessionContext.sessionIssuer.arn') AS issuer,
    json_extract_scalar(eventJson, '$.resources[0].ARN') AS first,
    eventTime
FROM <eds>
WHERE json_extract_scalar(eventJson, '$.eventSource') = 's3.amazonaws.com'
-- ours
SELECT json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
    useridentity.sessioncontext.sessionissuer.arn AS issuer,
    element_at(resources, 1).arn AS first,
    eventtimestamp
FROM cloudtrail_events
WHERE eventsource = 's3.amazonaws.com'

-- form: a query within
SELECT eventName, eventTime
FROM <eds>
WHERE userIdentity.arn IN (SELECT userIdentity.arn
FROM <eds>
WHERE errorCode = 'AccessDenied' AND eventTime > '2026-03-03')
-- ours
SELECT eventname, eventtimestamp
FROM cloudtrail_events
WHERE useridentity.arn IN (SELECT useridentity.arn
FROM cloudtrail_events
WHERE errorcode = 'AccessDenied' AND eventtime > '2026-03-03T00:00:00Z')

-- form: a query that looks outside
SELECT a.eventID
FROM <eds> a
WHERE EXISTS (SELECT 1 FROM <eds> b WHERE b.eventID <> a.eventID
    AND b.sourceIPAddress = a.sourceIPAddress
    AND b.errorCode IS NOT NULL)
-- ours
SELECT a.eventid
FROM cloudtrail_events AS a
WHERE (SELECT count(*) FROM cloudtrail_events AS b
    WHERE b.sourceipaddress = a.sourceipaddress AND b.errorcode IS NOT NULL AND b.eventid <> a.eventid) > 0

-- form: names from WITH
WITH told AS (SELECT eventTime AS at, requestParameters AS asked, readOnly
FROM <eds>
WHERE eventSource = 'iam.amazonaws.com') SELECT element_at(asked, 'userName') AS name, min(at) AS first
FROM told
WHERE at > '2026-03-03' AND readOnly = false
GROUP BY 1
ORDER BY 2
-- ours
SELECT json_extract_scalar(requestparameters, '$.userName') AS name, min(eventtimestamp) AS first
FROM cloudtrail_events
WHERE eventsource = 'iam.amazonaws.com'
    AND eventtime > '2026-03-03T00:00:00Z'
    AND readonly = 'false'
GROUP BY 1
ORDER BY 2

-- form: a join of a store with itself
SELECT a.eventName, b.eventName AS later, element_at(b.requestParameters, 'userName') AS name
FROM <eds> AS a
INNER JOIN <eds> AS b ON a.userIdentity.accessKeyId = b.userIdentity.accessKeyId
    AND a.readOnly = false
    AND b.eventName = 'GetCallerIdentity'
WHERE a.eventTime <= '2026-03-12'
-- ours
SELECT a.eventname, b.eventname AS later,
    json_extract_scalar(b.requestparameters, '$.userName') AS name
FROM cloudtrail_events AS a, cloudtrail_events AS b
WHERE a.eventtime <= '2026-03-12T00:00:00Z'
    AND a.useridentity.accesskeyid = b.useridentity.accesskeyid
    AND b.eventname = 'GetCallerIdentity'
    AND a.readonly = 'false'

-- form: a union
SELECT eventID, eventName
FROM <eds>
WHERE eventName = 'ConsoleLogin'
UNION ALL SELECT eventID, eventName
FROM <eds>
WHERE eventName = 'AssumeRole'
ORDER BY eventID LIMIT 30
-- ours
SELECT eventid, eventname
FROM cloudtrail_events
WHERE eventname IN ('ConsoleLogin', 'AssumeRole')
ORDER BY eventid LIMIT 30

-- form: another account
SELECT userIdentity.accountId, recipientAccountId, count(*)
FROM <eds>
WHERE userIdentity.accountId != recipientAccountId
GROUP BY 1, 2
ORDER BY 1, 2
-- ours
SELECT useridentity.accountid, recipientaccountid, count(*)
FROM cloudtrail_events
WHERE useridentity.accountid <> recipientaccountid
GROUP BY 1, 2
ORDER BY 1, 2

-- form: TLS
SELECT tlsDetails.tlsVersion, count(*)
FROM <eds>
WHERE tlsDetails.tlsVersion LIKE 'TLSv%'
    AND CAST(replace(tlsDetails.tlsVersion, 'TLSv', '') AS DOUBLE) >= 1.2
GROUP BY tlsDetails.tlsVersion
-- ours
SELECT tlsdetails.tlsversion, count(*)
FROM cloudtrail_events
WHERE tlsdetails.tlsversion IN ('TLSv1.2', 'TLSv1.3')
GROUP BY 1

-- form: lambdas
SELECT array_sort(transform(map_keys(requestParameters), k -> concat(eventName, '.', k))) AS names
FROM <eds>
WHERE any_match(resources, r -> r.type = 'AWS::S3::Bucket' AND starts_with(r.arn, 'arn:'))
    AND contains(map_keys(requestParameters), 'bucketName')
-- ours
SELECT transform(array_sort(map_keys(CAST(json_parse(requestparameters) AS map(varchar, json)))),
    k -> concat(eventname, '.', k)) AS names
FROM cloudtrail_events
WHERE cardinality(filter(resources, r -> r.type = 'AWS::S3::Bucket')) > 0
    AND json_extract(requestparameters, '$.bucketName') IS NOT NULL

-- form: an order by what is made of a column
SELECT eventTime, eventName
FROM <eds>
WHERE eventSource = 'sts.amazonaws.com'
ORDER BY date_trunc('day', eventTime) DESC, lower(eventName), eventTime
-- ours
SELECT eventtimestamp AS eventtime, eventname
FROM cloudtrail_events
WHERE eventsource = 'sts.amazonaws.com'
ORDER BY substr(eventtime, 1, 10) DESC, lower(eventname), eventtimestamp

-- form: windows and filters
SELECT userIdentity.arn, eventName, count(*) FILTER (WHERE readOnly = false) AS writes,
    rank() OVER (PARTITION BY userIdentity.arn ORDER BY count(*) DESC, eventName) AS place,
    min_by(eventName, eventTime) AS first
FROM <eds>
WHERE userIdentity.arn IS NOT NULL
GROUP BY userIdentity.arn, eventName
ORDER BY 1, 4
LIMIT 40
-- ours
SELECT useridentity.arn, eventname, count(CASE WHEN readonly = 'false' THEN 1 END) AS writes,
    rank() OVER (PARTITION BY useridentity.arn ORDER BY count(*) DESC, eventname) AS place,
    eventname AS first
FROM cloudtrail_events
WHERE useridentity.arn IS NOT NULL
GROUP BY useridentity.arn, eventname
ORDER BY 1, 4
LIMIT 40
