/*
title = "A large file that only one address fetched, which also sent something to the server"
severity = "low"
attack = ["T1567", "T1074.002"]
needs = ["webserver/access"]
says = "{client} fetched {file} ({megabytes} MB), which nobody else fetched"
entities = { ip = ["client"] }
finds = """
A file of 20 MB or more fetched by exactly one address, from a folder out of which nobody else fetched such a file, by an address that also sent something
to the server (POST, PUT): data that was put where the server hands it out. Needs the size of answers in the log (`sc-bytes`)."""
misses = "IIS logs, which by default do not have sc-bytes. Data taken in small parts."
innocent = "Large files meant for one recipient."
*/
WITH answers AS (
    SELECT src_ip AS client, lower(url) AS file, regexp_replace(lower(url), '[^/]*$', '') AS folder, "time", evidence, record, "offset",
           try_cast(regexp_replace(raw, '^.*" \d{3} (\d+)( .*)?$', '\1') AS BIGINT) AS bytes
    FROM events
    WHERE class = 'http_activity' AND product = 'webserver' AND channel = 'access' AND status = '200'
      AND src_ip IS NOT NULL AND "time" IS NOT NULL
), folders AS (
    SELECT folder FROM answers WHERE bytes >= 20000000 GROUP BY folder HAVING count(DISTINCT client) = 1
), senders AS (
    SELECT DISTINCT src_ip AS client FROM events
    WHERE class = 'http_activity' AND product = 'webserver' AND action IN ('POST', 'PUT')
)
SELECT min(client) AS client, file, max(bytes) / 1000000 AS megabytes, count(*) AS fetched, min("time") AS "time",
       first_value(evidence ORDER BY "time", evidence, record) AS evidence, first_value(record ORDER BY "time", evidence, record) AS record,
       first_value("offset" ORDER BY "time", evidence, record) AS "offset"
FROM answers
WHERE folder IN (SELECT folder FROM folders) AND client IN (SELECT client FROM senders)
GROUP BY file
HAVING count(DISTINCT client) = 1 AND max(bytes) >= 20000000
ORDER BY megabytes DESC
