/*
title = "Exchange commands by an account that gave none before"
severity = "medium"
attack = ["T1078.002"]
needs = ["windows/MSExchange Management", "exchange/cmdlet"]
says = "{account} gave {commands} Exchange commands on one night, and none in the days before"
entities = { host = ["host"], account = ["account"] }
finds = """
An account whose first Exchange command in the log comes after the log's first half, between 22:00 and 06:00 UTC, with at least three commands
within the day: administrators work by day and are known from the days before."""
misses = "Administrators' own accounts in other hands. Night work in the log's first half."
innocent = "New administrators on their first night shift; planned work at night."
*/
WITH commands AS (
    SELECT host, "time", evidence, record, "offset",
           lower(coalesce("user", regexp_replace(raw, '(?s).*/Users/([A-Za-z0-9_.$-]{2,40}).*', '\1'))) AS account
    FROM events
    WHERE (channel = 'MSExchange Management' OR channel = 'cmdlet') AND "time" IS NOT NULL
), span AS (
    SELECT extract(epoch FROM min("time")) AS began, extract(epoch FROM max("time")) AS ended FROM commands
), accounts AS (
    SELECT account, max(host) AS host, min("time") AS "time", count(*) AS commands,
           count(DISTINCT date_trunc('day', "time")) AS days,
           first_value(evidence ORDER BY "time", evidence, record) AS evidence, first_value(record ORDER BY "time", evidence, record) AS record,
           first_value("offset" ORDER BY "time", evidence, record) AS "offset"
    FROM commands WHERE length(account) BETWEEN 2 AND 40 GROUP BY account
)
SELECT a.account, a.commands, a.days, a.host, a."time", a.evidence, a.record, a."offset"
FROM accounts a CROSS JOIN span s
WHERE extract(epoch FROM a."time") > s.began + (s.ended - s.began) / 2 AND a.commands >= 3 AND a.days <= 2
  AND (extract(hour FROM a."time") >= 22 OR extract(hour FROM a."time") < 6)
ORDER BY a.commands DESC
