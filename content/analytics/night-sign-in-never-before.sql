/*
title = "A sign-in at night from a network never used for that account"
severity = "low"
attack = ["T1078"]
needs = ["*"]
says = "{account} signed in at {hour}:00 UTC from {client}, after {before} sign-ins that were never at night nor from there"
entities = { account = ["account"], ip = ["client"] }
finds = """
A successful sign-in between 22:00 and 05:00 UTC from an address not seen for the account before, for an account that signed in at least ten
times before, never at night."""
misses = "Accounts with few sign-ins on record. Offices in other time zones: change the hours."
innocent = "Night sessions of the house; travel."
*/
WITH sign_ins AS (
    SELECT lower(coalesce(target_user, "user")) AS account, src_ip AS client, "time", evidence, record, "offset",
           extract(hour FROM "time") AS hour
    FROM events
    WHERE class = 'authentication' AND src_ip IS NOT NULL AND "time" IS NOT NULL
      AND coalesce(target_user, "user") IS NOT NULL
      AND (event_id = 4624 OR lower(coalesce(status, '')) IN ('0', 'success', 'accepted', 'succeeded'))
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY account ORDER BY "time", evidence, record) AS n,
           row_number() OVER (PARTITION BY account, client ORDER BY "time", evidence, record) AS n_there,
           coalesce(sum(CASE WHEN hour >= 22 OR hour < 5 THEN 1 ELSE 0 END)
               OVER (PARTITION BY account ORDER BY "time", evidence, record ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS nights
    FROM sign_ins
)
SELECT account, client, hour, n - 1 AS before, "time", evidence, record, "offset"
FROM numbered
WHERE n > 10 AND n_there = 1 AND nights = 0 AND (hour >= 22 OR hour < 5)
ORDER BY "time"
