/*
title = "Sign-ins to a host whose log was emptied, within the hour before"
severity = "medium"
attack = ["T1070.001", "T1078"]
needs = ["windows/Security"]
says = "{account} signed in to {host} from {client} within the hour before its log was emptied"
entities = { host = ["host"], account = ["account"], ip = ["client"] }
finds = "Network and remote sign-ins that are still on record for a host in the hour before its Security log was cleared (1102): who may have cleared it."
misses = "What the clearing removed, unless it was forwarded elsewhere before."
innocent = "Administrators who renew a machine."
*/
WITH cleared AS (
    SELECT host, "time" FROM events WHERE event_id = 1102 AND class = 'event_log_activity' AND host IS NOT NULL
)
SELECT v.host, coalesce(v.target_user, v."user") AS account, v.src_ip AS client, count(*) AS sign_ins, max(c."time") AS cleared,
       min(v."time") AS "time",
       first_value(v.evidence ORDER BY v."time", v.evidence, v.record) AS evidence, first_value(v.record ORDER BY v."time", v.evidence, v.record) AS record,
       first_value(v."offset" ORDER BY v."time", v.evidence, v.record) AS "offset"
FROM events v JOIN cleared c ON c.host = v.host
WHERE v.class = 'authentication' AND v.event_id = 4624 AND v.src_ip IS NOT NULL
  AND v."time" BETWEEN c."time" - INTERVAL '1 hour' AND c."time"
  AND NOT coalesce(v.target_user, v."user", '') LIKE '%$'
GROUP BY v.host, coalesce(v.target_user, v."user"), v.src_ip
ORDER BY v.host
