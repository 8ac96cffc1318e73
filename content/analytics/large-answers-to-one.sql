/*
title = "One address was handed far more from a server's static folders than anybody else"
severity = "medium"
attack = ["T1567", "T1074.002"]
needs = ["webserver/iis", "webserver/access"]
says = "{client} fetched {file} ({megabytes} MB), which nobody else fetched"
entities = { ip = ["client"] }
finds = """
A file fetched by exactly one address, with an answer of 20 MB or more, from a web server: data that was put where the server hands it out.
Needs the size of answers in the log (`sc-bytes`)."""
misses = "IIS logs without sc-bytes, which is the default. Data taken in small parts."
innocent = "Large files meant for one recipient."
*/
WITH answers AS (
    SELECT src_ip AS client, lower(url) AS file, "time", evidence, record, "offset",
           try_cast(regexp_replace(raw, '^.*" \d{3} (\d+)( .*)?$', '\1') AS BIGINT) AS bytes
    FROM events
    WHERE class = 'http_activity' AND product = 'webserver' AND channel = 'access' AND status = '200'
      AND src_ip IS NOT NULL AND "time" IS NOT NULL
)
SELECT min(client) AS client, file, max(bytes) / 1000000 AS megabytes, count(*) AS fetched, min("time") AS "time",
       first_value(evidence ORDER BY "time", evidence, record) AS evidence, first_value(record ORDER BY "time", evidence, record) AS record,
       first_value("offset" ORDER BY "time", evidence, record) AS "offset"
FROM answers
GROUP BY file
HAVING count(DISTINCT client) = 1 AND max(bytes) >= 20000000
ORDER BY megabytes DESC
