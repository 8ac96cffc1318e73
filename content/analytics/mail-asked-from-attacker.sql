/*
title = "Mail protocols used from an address that attacked the server"
severity = "high"
attack = ["T1114.002", "T1078"]
needs = ["webserver/*", "exchange/httpproxy"]
says = "{client} made {requests} requests to mailbox interfaces, answered with success"
entities = { ip = ["client"], host = ["host"] }
finds = """
Requests to EWS, MAPI, Outlook on the web, ActiveSync or OAB that were answered with success, from an address with a finding
`server/attack-answered` or `server/odd-page`: the reading after the break-in."""
misses = "Reading from another address than the attack's."
innocent = "Scanners of the estate's own that also sign in for their tests."
*/
WITH attackers AS (
    SELECT e.value AS client, min(f."time") AS since
    FROM findings f JOIN entities e ON e.finding = f.id AND e.kind = 'ip'
    WHERE f.code IN ('server/attack-answered', 'server/odd-page')
    GROUP BY e.value
)
SELECT v.src_ip AS client, coalesce(v.host, '') AS host, count(*) AS requests,
       count(DISTINCT coalesce(v."user", v.target_user)) AS accounts,
       min(v."time") AS "time", max(v."time") AS until,
       first_value(v.evidence ORDER BY v."time", v.evidence, v.record) AS evidence, first_value(v.record ORDER BY v."time", v.evidence, v.record) AS record,
       first_value(v."offset" ORDER BY v."time", v.evidence, v.record) AS "offset"
FROM events v JOIN attackers a ON a.client = v.src_ip
WHERE v.class = 'http_activity' AND v."time" >= a.since
  AND try_cast(v.status AS INT) BETWEEN 200 AND 299
  AND regexp_like(lower(v.url), '^/(ews/|mapi/|owa/(service|ev\.owa|sessiondata)|microsoft-server-activesync|oab/|api/v2)')
GROUP BY v.src_ip, coalesce(v.host, '')
ORDER BY requests DESC
