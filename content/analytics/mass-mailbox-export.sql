/*
title = "Several mailboxes exported on one day"
severity = "high"
attack = ["T1114.002"]
needs = ["windows/MSExchange Management", "exchange/cmdlet"]
says = "{exports} mailbox exports on {day}"
entities = { host = ["host"] }
finds = "Three or more New-MailboxExportRequest on one server within a day."
misses = "Exports one a day. Exports by other means (EWS, search folders)."
innocent = "Migrations, and archives made for people who leave: known beforehand, by day."
*/
SELECT host, cast(date_trunc('day', "time") AS DATE) AS day, count(*) AS exports, min("time") AS "time",
       first_value(evidence ORDER BY "time", evidence, record) AS evidence, first_value(record ORDER BY "time", evidence, record) AS record,
       first_value("offset" ORDER BY "time", evidence, record) AS "offset"
FROM events
WHERE (channel = 'MSExchange Management' OR channel = 'cmdlet')
  AND contains(raw, 'New-MailboxExportRequest') AND "time" IS NOT NULL
GROUP BY host, cast(date_trunc('day', "time") AS DATE)
HAVING count(*) >= 3
ORDER BY exports DESC
