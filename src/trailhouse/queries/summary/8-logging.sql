-- Changes to logging (the latest 20)
SELECT eventtime, account, awsregion, eventsource, eventname, useridentity.arn AS principal, sourceipaddress AS address,
       coalesce(errorcode, 'done') AS result
FROM cloudtrail_events
WHERE (eventsource = 'cloudtrail.amazonaws.com'
       AND eventname IN ('StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'PutInsightSelectors',
                         'CreateTrail', 'StartLogging', 'DeleteEventDataStore'))
   OR (eventsource = 'config.amazonaws.com'
       AND eventname IN ('StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel'))
   OR (eventsource = 'guardduty.amazonaws.com'
       AND eventname IN ('DeleteDetector', 'UpdateDetector', 'StopMonitoringMembers', 'DisassociateFromMasterAccount'))
ORDER BY eventtime DESC
LIMIT 20
