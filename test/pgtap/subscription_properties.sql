-- Whatever happens to subscriptions, in whatever order: windows tile time, no order is
-- counted twice or lost, and what is shown beforehand is what is written.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();
INSERT INTO addon_products (code, name, category, price_cents) VALUES ('a333', 'A', 'x', 333);
SET LOCAL capforecast.allow_time_travel = on;
SELECT setseed(0.42);

-- Twenty-four subscriptions, of every anchor kind; an order every nine hours or so.
DO $$ BEGIN PERFORM pg_temp.subscribe(n, (ARRAY['essential', 'professional', 'business'])[1 + n % 3], 'active',
	'2024-01-01'::timestamptz + n * interval '31 hours', ('2024-01-01'::timestamp + n * interval '31 hours' + CASE WHEN n % 5 = 0 THEN interval '1 year' ELSE interval '1 month' END)::timestamptz, annual => n % 5 = 0)
FROM generate_series(1, 24) n; END $$;
INSERT INTO orders (vendor_id, created_at)
SELECT n, '2024-01-01'::timestamptz + n * interval '31 hours' + i * interval '9 hours' + n * interval '7 minutes' FROM generate_series(1, 24) n, generate_series(0, 1600) i;

CREATE TEMP TABLE mismatch (what text, detail text);
DO $$
DECLARE
	now timestamptz := '2024-01-03';
	v bigint;
	shown capforecast.invoice_preview;
	written record;
	plan capforecast.change_result;
	done capforecast.change_result;
	tier text;
BEGIN
	FOR step IN 1 .. 300 LOOP
		now := now + random() * interval '60 hours';
		v := 1 + floor(random() * 24);
		tier := (ARRAY['essential', 'professional', 'business', 'enterprise'])[1 + floor(random() * 4)];
		CASE floor(random() * 6)::integer
		WHEN 0, 1 THEN
			PERFORM capforecast.reset_period_counters(now);
		WHEN 2 THEN
			plan := capforecast.quote_tier_change(v::text, tier, as_of => now);
			done := capforecast.change_tier(v::text, tier, ack_over_limit => true, as_of => now);
			INSERT INTO mismatch SELECT 'preview', format('%s %s', plan, done) WHERE plan IS DISTINCT FROM done;
		WHEN 3 THEN
			CONTINUE WHEN v % 5 = 0;
			PERFORM capforecast.purchase_addon(v::text, 'a333', 1 + floor(random() * 3)::integer, as_of => now);
		WHEN 4 THEN
			CONTINUE WHEN NOT EXISTS (SELECT FROM capforecast._addons_of(v::text));
			PERFORM capforecast.cancel_addon(v::text, 'a333', timing => (ARRAY['immediate', 'period_end'])[1 + floor(random() * 2)], as_of => now);
		ELSE
			-- the invoice that is shown just before the boundary is the draft that is written at it
			PERFORM capforecast.reset_period_counters(now);
			SELECT i.* INTO shown FROM capforecast.upcoming_invoice(v::text, now) i;
			CONTINUE WHEN shown.due_at > now + interval '40 days';
			now := shown.due_at;
			PERFORM capforecast.reset_period_counters(now);
			SELECT b.subtotal_cents, b.total_cents INTO written FROM billing_history b WHERE b.vendor_id = v ORDER BY b.id DESC LIMIT 1;
			INSERT INTO mismatch SELECT 'invoice', format('%s %s', shown, written)
			WHERE (shown.subtotal_cents, shown.amount_due_cents) IS DISTINCT FROM (written.subtotal_cents, written.total_cents);
			IF random() < 0.5 THEN
				UPDATE billing_history SET status = 'paid';
			END IF;
		END CASE;
	END LOOP;
	PERFORM capforecast.reset_period_counters(now);
END $$;
SELECT ok((SELECT count(*) > 200 FROM capforecast.period_ledger) AND (SELECT count(*) > 30 FROM capforecast.pending_invoice_item), 'a year or more of all of it');
SELECT is_empty('SELECT * FROM mismatch', '8.9.10, 8.11.5 what was shown is what was done');
SELECT is_empty($$
	SELECT * FROM (
		SELECT l.subscription_id, l.window_end, lead(l.window_start) OVER (PARTITION BY l.subscription_id ORDER BY l.window_start) AS next_start
		FROM (SELECT subscription_id, window_start, window_end FROM capforecast.period_ledger
			  UNION ALL SELECT subscription_id, usage_start, usage_end FROM capforecast.subscription_state) l) w
	WHERE w.next_start <> w.window_end $$, '8.3.3 each window ends where the next begins');
SELECT is_empty($$
	SELECT st.subscription_id, l.n, s.orders_this_period, o.n
	FROM capforecast.subscription_state st JOIN vendor_subscriptions s ON s.id::text = st.subscription_id
		CROSS JOIN LATERAL (SELECT sum(orders_recount) AS n, min(window_start) AS first FROM capforecast.period_ledger l WHERE l.subscription_id = st.subscription_id) l
		CROSS JOIN LATERAL (SELECT count(*) AS n FROM orders o WHERE o.vendor_id = s.vendor_id AND o.created_at >= l.first AND o.created_at < st.usage_start) o
	WHERE l.n <> o.n $$, '8.3.3 every order before the open window is in exactly one closed window');
SELECT is_empty($$ SELECT * FROM capforecast.subscription_state WHERE credit_cents < 0 $$, '8.9.5 credit is never owed');
SELECT is_empty($$ SELECT b.id FROM billing_history b WHERE b.total_cents < 0
	OR b.subtotal_cents <> (SELECT sum((l ->> 'amount_cents')::bigint) FROM jsonb_array_elements(b.line_items) l WHERE l ->> 'kind' <> 'credit') $$, '8.11.2 every invoice is the sum of its lines');
SELECT is_empty($$ SELECT i.id FROM capforecast.pending_invoice_item i WHERE i.invoiced_at IS NOT NULL AND (SELECT count(*) FROM billing_history b, jsonb_array_elements(b.line_items) l
	WHERE (l ->> 'item')::bigint = i.id) > 1 $$, '8.3.12 no pending item is on two invoices');
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'job_row_failed'), 0::bigint, 'C8 no row failed');
SELECT * FROM finish();
ROLLBACK;
