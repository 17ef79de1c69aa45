-- The figures of a webperf report from its database alone:
--
--     sqlite3 -header -box out/webperf/webperf.db <docs/examples/webperf.sql
--
-- Times are in milliseconds. What failed or was refused is in none of them. A median is the value in the
-- middle, or the mean of the two that are. The URL is that of the server, and empty in the laboratory.

-- Each kind of observation: how often, and the median (of ping and TCP connect, the time they took; of a GET, until the first byte).
WITH ok AS (
    SELECT url, operation, stack, tls, mode, session, coalesce(first_byte_us, connect_us) / 1000 AS ms
    FROM observation WHERE verdict = 'ok'
), ordered AS (
    SELECT *, row_number() OVER kind AS place, count(*) OVER (PARTITION BY url, operation, stack, tls, mode, session) AS n
    FROM ok WINDOW kind AS (PARTITION BY url, operation, stack, tls, mode, session ORDER BY ms)
)
SELECT 'median' AS figure, url, operation, stack, tls, mode, session, n, round(avg(ms), 3) AS ms
FROM ordered WHERE place IN ((n + 1) / 2, (n + 2) / 2)
GROUP BY url, operation, stack, tls, mode, session;

-- S: a handshake beyond the TCP connect of the same round and stack.
WITH ok AS (
    SELECT url, stack, get.tls, get.mode, get.session, (get.handshake_us - tcp.connect_us) / 1000 AS ms
    FROM observation AS get JOIN observation AS tcp USING (round, url, stack)
    WHERE get.operation = 'get' AND get.verdict = 'ok' AND tcp.operation = 'tcp' AND tcp.verdict = 'ok'
), ordered AS (
    SELECT *, row_number() OVER kind AS place, count(*) OVER (PARTITION BY url, stack, tls, mode, session) AS n
    FROM ok WINDOW kind AS (PARTITION BY url, stack, tls, mode, session ORDER BY ms)
)
SELECT 'S' AS figure, url, stack, tls, mode, session, n, round(avg(ms), 3) AS ms
FROM ordered WHERE place IN ((n + 1) / 2, (n + 2) / 2)
GROUP BY url, stack, tls, mode, session;

-- What a cached key saves: (W - C) / W, of the medians over the rounds that have both.
WITH pair AS (
    SELECT url, cached.stack, cached.tls, cached.mode, cached.session, fresh.first_byte_us AS w, cached.first_byte_us AS c
    FROM observation AS cached JOIN observation AS fresh USING (round, url, operation, stack, tls, mode)
    WHERE operation = 'get' AND cached.session <> 'new' AND fresh.session = 'new'
        AND cached.verdict = 'ok' AND fresh.verdict = 'ok'
), ordered AS (
    SELECT *, row_number() OVER by_w AS w_place, row_number() OVER by_c AS c_place,
        count(*) OVER (PARTITION BY url, stack, tls, mode, session) AS n
    FROM pair WINDOW by_w AS (PARTITION BY url, stack, tls, mode, session ORDER BY w),
        by_c AS (PARTITION BY url, stack, tls, mode, session ORDER BY c)
), medians AS (
    SELECT url, stack, tls, mode, session, n,
        avg(w) FILTER (WHERE w_place IN ((n + 1) / 2, (n + 2) / 2)) AS w,
        avg(c) FILTER (WHERE c_place IN ((n + 1) / 2, (n + 2) / 2)) AS c
    FROM ordered GROUP BY url, stack, tls, mode, session, n
)
SELECT 'saving' AS figure, url, stack, tls, mode, session, n, round((w - c) / w, 4) AS saving FROM medians;

-- The histogram of one kind, in bins of 1 ms.
SELECT 'bin' AS figure, CAST(first_byte_us / 1000 AS INTEGER) AS from_ms, count(*) AS n
FROM observation
WHERE verdict = 'ok' AND operation = 'get' AND stack = 'tlsyn' AND tls = '1.3' AND mode = 'sequential' AND session = 'new'
GROUP BY from_ms;
