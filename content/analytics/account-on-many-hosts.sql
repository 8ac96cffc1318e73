/*
title = "An account signed in to hosts that it never used, several within one night"
severity = "medium"
attack = ["T1021", "T1078.002"]
needs = ["windows/Security"]
says = "{account} signed in to {hosts} hosts new to it within one night"
entities = { account = ["account"] }
finds = """
Successful Windows sign-ins over the network between 20:00 and 06:00 UTC, by one account in one night, to three or more hosts where it did not sign in
before, where the log reaches back at least three days before that night."""
misses = "Logs of few days. Movement with several accounts."
innocent = "Software distribution and scanners with accounts of their own: exclude them by name."
*/
WITH sign_ins AS (
    SELECT lower(coalesce(target_user, "user")) AS account, host, "time", evidence, record, "offset"
    FROM events
    WHERE class = 'authentication' AND event_id = 4624 AND "time" IS NOT NULL AND host IS NOT NULL
      AND coalesce(target_user, "user") NOT LIKE '%$' AND src_ip IS NOT NULL
), span AS (
    SELECT min("time") AS began FROM sign_ins
), firsts AS (
    SELECT account, host, min("time") AS "time",
           first_value(evidence ORDER BY "time", evidence, record) AS evidence, first_value(record ORDER BY "time", evidence, record) AS record,
           first_value("offset" ORDER BY "time", evidence, record) AS "offset"
    FROM sign_ins GROUP BY account, host
)
SELECT f.account, count(*) AS hosts, min(f."time") AS "time",
       first_value(f.evidence ORDER BY f."time", f.evidence, f.record) AS evidence, first_value(f.record ORDER BY f."time", f.evidence, f.record) AS record,
       first_value(f."offset" ORDER BY f."time", f.evidence, f.record) AS "offset"
FROM firsts f CROSS JOIN span s
WHERE f."time" > s.began + INTERVAL '3 days'
  AND (extract(hour FROM f."time") >= 20 OR extract(hour FROM f."time") < 6)
GROUP BY f.account, date_trunc('day', f."time" + INTERVAL '4 hours')
HAVING count(*) >= 3
ORDER BY hosts DESC
