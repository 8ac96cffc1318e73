/*
title = "Mailboxes opened from a server's own address"
severity = "medium"
attack = ["T1114.002", "T1090.001"]
needs = ["exchange/httpproxy", "webserver/iis"]
says = "{accounts} accounts' mailboxes were opened from {client}, which is a server's own address"
entities = { ip = ["client"] }
finds = """
Requests to EWS or MAPI with an account signed in whose source is an address that also answers web requests, for three accounts or more
that are no health mailboxes: somebody works from the server itself, through a shell or a tunnel."""
misses = "Servers behind an address of their own for outgoing traffic. Load balancers that hide all sources."
innocent = "Archiving and backup agents on the server, load balancers in front of it: the same accounts every day."
*/
WITH servers AS (
    SELECT DISTINCT dst_ip AS ip FROM events WHERE class = 'http_activity' AND dst_ip IS NOT NULL
)
SELECT v.src_ip AS client, count(DISTINCT v."user") AS accounts, count(*) AS requests, min(v."time") AS "time",
       first_value(v.evidence ORDER BY v."time", v.evidence, v.record) AS evidence, first_value(v.record ORDER BY v."time", v.evidence, v.record) AS record,
       first_value(v."offset" ORDER BY v."time", v.evidence, v.record) AS "offset"
FROM events v JOIN servers s ON s.ip = v.src_ip
WHERE v.class = 'http_activity' AND v."user" IS NOT NULL AND v."time" IS NOT NULL
  AND NOT regexp_like(v."user", '(?i)healthmailbox|\$$')
  AND regexp_like(lower(v.url), '^/(ews/|mapi/)')
  AND v.src_ip NOT IN ('127.0.0.1', '::1')
GROUP BY v.src_ip
HAVING count(DISTINCT v."user") BETWEEN 3 AND 100
ORDER BY accounts DESC
