/*
title = "Many messages of one mailbox sent on to one address outside within a day"
severity = "medium"
attack = ["T1114.003"]
needs = ["exchange/messagetracking"]
says = "{messages} messages of {mailbox} went on to {outside} on {day}"
entities = { address = ["mailbox", "outside"] }
finds = """
Message tracking: on one day at least 20 messages by server-side rules or forwarding (REDIRECT, RESOLVE, FORWARD sources) from one mailbox to one address
of another domain."""
misses = "Forwarding by a client, which is an ordinary message. Fewer than 20 a day."
innocent = "Agreed forwarding, which ought to be listed somewhere."
*/
SELECT mail_from AS mailbox, mail_to AS outside, cast(date_trunc('day', "time") AS DATE) AS day, count(*) AS messages,
       min("time") AS "time",
       first_value(evidence ORDER BY "time", evidence, record) AS evidence, first_value(record ORDER BY "time", evidence, record) AS record,
       first_value("offset" ORDER BY "time", evidence, record) AS "offset"
FROM events
WHERE class = 'email_activity' AND channel = 'messagetracking' AND action IN ('REDIRECT', 'FORWARD')
  AND "time" IS NOT NULL AND mail_to IS NOT NULL AND NOT contains(mail_to, ';')
  AND split_part(lower(mail_from), '@', 2) <> split_part(lower(mail_to), '@', 2)
GROUP BY mail_from, mail_to, cast(date_trunc('day', "time") AS DATE)
HAVING count(*) >= 20
ORDER BY messages DESC
