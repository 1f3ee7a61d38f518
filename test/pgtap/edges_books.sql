-- The books of billing at their edges: rows that the tables refuse, and where books end.
BEGIN;
SELECT no_plan();
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.books(VARIADIC rows text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE r text; s timestamptz; e timestamptz; before timestamptz;
BEGIN
	DELETE FROM capforecast.billed_period;
	DELETE FROM capforecast.subscription_state;
	FOREACH r IN ARRAY rows LOOP
		s := ('2026-01-' || split_part(r, ' ', 1))::timestamptz;
		e := ('2026-01-' || split_part(r, ' ', 2))::timestamptz;
		INSERT INTO capforecast.billed_period (subscription_id, starts, ends, billed_by, previous_end) VALUES ('a', s, e, split_part(r, ' ', 3), before), ('b', s, e, split_part(r, ' ', 3), before);
		before := e;
	END LOOP;
	INSERT INTO capforecast.subscription_state (subscription_id, vendor_id, anchor_local, anchor_zone, usage_start, usage_end, period_start, period_end, billed_until)
	SELECT x, 'v', '2026-01-01', 'UTC', '2026-01-01', '2026-02-01', '2026-01-01', '2026-02-01', before FROM unnest('{a,b}'::text[]) x;
END $$;
CREATE FUNCTION pg_temp.ended(at text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM capforecast._end_books('a', ('2026-01-' || at)::timestamptz);
	RETURN (SELECT string_agg(to_char(b.starts, 'DD') || '-' || to_char(b.ends, 'DD'), ' ' ORDER BY b.starts) FROM capforecast.billed_period b WHERE b.subscription_id = 'a')
		|| ' until ' || (SELECT to_char(s.billed_until, 'DD') FROM capforecast.subscription_state s WHERE s.subscription_id = 'a')
		|| ', b ' || (SELECT string_agg(to_char(b.starts, 'DD') || '-' || to_char(b.ends, 'DD'), ' ' ORDER BY b.starts) FROM capforecast.billed_period b WHERE b.subscription_id = 'b')
		|| ' until ' || (SELECT to_char(s.billed_until, 'DD') FROM capforecast.subscription_state s WHERE s.subscription_id = 'b');
END $$;
SELECT pg_temp.books('01 10 us', '10 20 us');
SELECT is(pg_temp.ended('15'), '01-10 10-15 until 15, b 01-10 10-20 until 20', 'the last row is cut short');
SELECT pg_temp.books('01 10 us', '10 20 us');
SELECT is(pg_temp.ended('20'), '01-10 10-20 until 20, b 01-10 10-20 until 20', 'at its end nothing is');
SELECT pg_temp.books('01 10 us', '10 20 us');
SELECT is(pg_temp.ended('25'), '01-10 10-20 until 20, b 01-10 10-20 until 20', 'nor is it drawn out');
SELECT pg_temp.books('01 10 us', '10 20 nobody');
SELECT is(pg_temp.ended('25'), '01-10 10-25 until 25, b 01-10 10-20 until 20', 'unless nobody was billed');
SELECT pg_temp.books('01 10 us', '10 20 us');
SELECT is(pg_temp.ended('10'), '01-10 until 10, b 01-10 10-20 until 20', 'a row that would be empty goes');
SELECT pg_temp.books('01 10 us', '10 20 us');
SELECT is(pg_temp.ended('11'), '01-10 10-11 until 11, b 01-10 10-20 until 20', 'one of a day stays');
SELECT pg_temp.books('05 10 us');
SELECT capforecast._end_books('a', '2026-01-05');
SELECT is((SELECT (SELECT count(*) FROM capforecast.billed_period WHERE subscription_id = 'a') || ' ' || (SELECT to_char(billed_until, 'DD') FROM capforecast.subscription_state WHERE subscription_id = 'a')),
	'0 05', 'without a row they end where they were ended');

SELECT pg_temp.books('01 10 us');
SELECT throws_ok($$UPDATE capforecast.billed_period SET ends = starts$$, '23514', NULL, 'no time of no length');
SELECT throws_ok($$INSERT INTO capforecast.billed_period (subscription_id, starts, ends, billed_by, previous_end) VALUES ('a', '2026-01-11', '2026-01-20', 'us', '2026-01-10')$$, '23514', NULL, 'no hole');
SELECT throws_ok($$INSERT INTO capforecast.billed_period (subscription_id, starts, ends, billed_by) VALUES ('a', '2026-01-11', '2026-01-20', 'us')$$, '23505', NULL, 'one first row');
SELECT throws_ok($$UPDATE capforecast.subscription_state SET usage_end = usage_start$$, '23514', NULL, 'a window has a length');
SELECT throws_ok($$UPDATE capforecast.subscription_state SET credit_cents = -1$$, '23514', NULL, 'no debt as a credit');
SELECT lives_ok($$UPDATE capforecast.subscription_state SET credit_cents = 0$$, 'no credit is none');
SELECT throws_ok($$UPDATE capforecast.subscription_state SET pending_tier = 'x'$$, '23514', NULL, 'a change that is pending is whole');
SELECT throws_ok($$UPDATE capforecast.subscription_state SET pending_tier = 'x', pending_annual = true, pending_at = now()$$, '23514', NULL, 'one part missing is not whole');
SELECT lives_ok($$UPDATE capforecast.subscription_state SET pending_tier = 'x', pending_annual = true, pending_at = now(), pending_requested_at = now()$$, 'all four');
SELECT is((SELECT concat_ws(' ', s.credit_cents, s.stripe_missing_runs, s.entitled, s.collection_paused, s.anchor_irregular) FROM capforecast.subscription_state s WHERE s.subscription_id = 'a'), '0 0 t f f', 'what a new row holds');

-- The JSON twins of what a billing page asks know no vendor of this name.
SELECT throws_ok($$SELECT capforecast.upcoming_invoice_json('nobody')$$, 'P0002', NULL, 'upcoming_invoice_json');
SELECT throws_ok($$SELECT capforecast.quote_tier_change_json('nobody', 'x')$$, 'P0002', NULL, 'quote_tier_change_json');
SELECT throws_ok($$SELECT capforecast.quote_addon_json('nobody', 'x')$$, 'P0002', NULL, 'quote_addon_json');
SELECT throws_ok($$SELECT capforecast.quote_addon_cancel_json('nobody', 'x')$$, 'P0002', NULL, 'quote_addon_cancel_json');
SELECT throws_ok($$SELECT capforecast.quote_cancellation_json('nobody')$$, 'P0002', NULL, 'quote_cancellation_json');

-- A schedule that was released is asked for again only where it was to come into force later.
CREATE FUNCTION pg_temp.after_release(at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE o capforecast.stripe_outbox;
BEGIN
	DELETE FROM capforecast.stripe_outbox;
	INSERT INTO capforecast.stripe_outbox (vendor_id, subscription_id, operation, payload, idempotency_key, status, wanted)
	VALUES ('v', 's', 'change_tier', jsonb_build_object('subscription', 'sub', 'proration_date', extract(epoch FROM timestamptz '2026-02-01')::bigint), 'later', 'scheduled', '{"plan": "price_b"}');
	INSERT INTO capforecast.stripe_outbox (vendor_id, subscription_id, operation, payload, idempotency_key, status, wanted)
	VALUES ('v', 's', 'purchase_addon', '{"subscription": "sub", "timing": "immediate"}', 'at once', 'confirmed', '{"release": "sched", "addons": {"price_x": 1}}') RETURNING * INTO o;
	PERFORM capforecast._after_release(o, at);
	RETURN (SELECT concat_ws(' ', x.status, x.result ->> 'reason', x.settled_at IS NOT NULL) FROM capforecast.stripe_outbox x WHERE x.wanted = '{"plan": "price_b"}');
END $$;
SELECT is(pg_temp.after_release('2026-01-31 23:59:59'), 'pending f', 'a second before it was to come into force');
SELECT is(pg_temp.after_release('2026-02-01'), 'cancelled released t', 'in the second that it was to');

SELECT * FROM finish();
ROLLBACK;
