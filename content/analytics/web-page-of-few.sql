/*
title = "A server page that appeared late, posted to by one or two addresses"
severity = "medium"
attack = ["T1505.003"]
needs = ["webserver/*"]
says = "{client} posted {posts} times to {page}, which nobody else asks for"
entities = { ip = ["client", "server"], host = ["host"] }
finds = """
A page that a server runs (ASP.NET, PHP, JSP …), asked for by at most two addresses in the whole log, nearly always with
something sent, without a page that led there, and first asked for after the log's first quarter: what a web shell's page looks like
in statistics (NSA and ASD, 2020)."""
misses = """
Shells that are asked with GET, that many use, or that were there before the log begins. Logs with fewer than 200 requests are left
alone."""
innocent = "Administration pages of one person; interfaces for one partner. Known ones: add their paths to the last line of the query."
*/
WITH requests AS (
    SELECT coalesce(host, dst_ip, evidence) AS place, coalesce(host, '') AS host, coalesce(dst_ip, '') AS server,
           lower(url) AS page, src_ip, action, evidence, record, "offset", "time",
           try_cast(status AS INT) AS status
    FROM events
    WHERE class = 'http_activity' AND product = 'webserver' AND src_ip IS NOT NULL AND "time" IS NOT NULL
), span AS (
    SELECT place, extract(epoch FROM min("time")) AS began, extract(epoch FROM max("time")) AS ended, count(*) AS n FROM requests GROUP BY place
), pages AS (
    SELECT place, max(host) AS host, max(server) AS server, page, min(src_ip) AS client,
           count(DISTINCT src_ip) AS clients,
           count(*) FILTER (WHERE action = 'POST') AS posts, count(*) AS asked,
           min("time") AS "time",
           first_value(evidence ORDER BY "time", evidence, record) AS evidence, first_value(record ORDER BY "time", evidence, record) AS record,
           first_value("offset" ORDER BY "time", evidence, record) AS "offset"
    FROM requests
    WHERE status BETWEEN 200 AND 299
      AND regexp_like(page, '\.(aspx|ashx|asmx|asp|php|phtml|jsp|jspx|cfm)$')
    GROUP BY place, page
)
SELECT p.page, p.client, p.clients, p.posts, p.asked, p.host, p.server, p."time", p.evidence, p.record, p."offset"
FROM pages p JOIN span s ON s.place = p.place
WHERE s.n >= 200 AND p.clients <= 2 AND p.posts >= 2 AND p.posts * 10 >= p.asked * 8
  AND extract(epoch FROM p."time") > s.began + (s.ended - s.began) / 4
  -- Exchange's own interfaces.
  AND p.page NOT LIKE '/ews/%' AND p.page NOT LIKE '/ecp/%.svc%' AND p.page NOT LIKE '/autodiscover/%'
ORDER BY p.posts DESC
