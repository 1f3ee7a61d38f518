-- Hosts write what they like, when they like: whole rows read long ago, periods moved forward,
-- backward, to nothing and into gaps of the clock, statuses, intervals and currencies turned,
-- tiers that cost nothing, lose their price or go, a second row of a vendor, add-ons set to 0.
-- Beside that the jobs run and vendors change what they have. Whatever came before: the same
-- time is never billed twice by us and never left out, what a draft asks for a time is the
-- price of that time, what is shown is what comes, what is quoted is what is done.
-- capforecast_test.seed and capforecast_test.steps say which run, and how long.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL capforecast.allow_time_travel = on;
SET LOCAL capforecast.manage_subscriptions = on;
INSERT INTO addon_products (code, name, category, price_cents, billing_period) VALUES ('setup', 'Setup', 'x', 2500, 'one_time'), ('a333', 'A', 'x', 333, 'monthly'), ('y999', 'Y', 'x', 99999, 'annual');
INSERT INTO subscription_tiers (code, name, price_monthly_cents, price_annual_cents, currency, is_active) VALUES ('dollar', 'Dollar', 5900, 59000, 'USD', true), ('free', 'Free', 0, 0, 'EUR', true),
	('huge', 'Huge', 900000000000000, NULL, 'EUR', true), ('fleeting', 'Fleeting', 1700, 17000, 'EUR', true);
ALTER TABLE subscription_tiers ALTER price_monthly_cents DROP NOT NULL;
ALTER TABLE vendor_subscriptions DROP CONSTRAINT vendor_subscriptions_vendor_id_key, DROP CONSTRAINT vendor_subscriptions_check, ALTER period_start DROP NOT NULL, ALTER period_end DROP NOT NULL,
	ALTER status DROP NOT NULL, DROP CONSTRAINT vendor_subscriptions_status_check;
ALTER TABLE vendor_addons DROP CONSTRAINT vendor_addons_quantity_check;

CREATE TEMP TABLE stale (LIKE vendor_subscriptions);
CREATE TEMP TABLE wrong (step integer, what text, detail text);
CREATE TEMP TABLE did (step integer, at timestamptz, v bigint, what text);
CREATE TEMP TABLE anew (v bigint, at timestamptz);		-- a change of interval begins a period within one that was billed

CREATE FUNCTION pg_temp.any_of(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::integer] $$;
CREATE FUNCTION pg_temp.until(starts timestamptz, annual boolean) RETURNS timestamptz LANGUAGE sql AS $$
	SELECT timezone(current_setting('capforecast.billing_timezone'), timezone(current_setting('capforecast.billing_timezone'), starts) + CASE WHEN annual THEN interval '1 year' ELSE interval '1 month' END) $$;

-- What the host does to a row.
CREATE FUNCTION pg_temp.scribble(v bigint, at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s vendor_subscriptions;
	o stale;
	what text := pg_temp.any_of('stale', 'stale', 'stale', 'keep', 'keep', 'renew', 'renew', 'begin', 'begin', 'forward', 'back', 'shorten', 'lengthen', 'nothing', 'status', 'status', 'tier', 'tier', 'interval', 'interval and period',
		'trial', 'trial end', 'cancel flag', 'pay', 'pay', 'void', 'price', 'no price', 'tier away', 'second row', 'add-on', 'currency', 'counter');
	hour timestamptz := date_trunc('hour', at);
BEGIN
	SELECT * INTO s FROM vendor_subscriptions x WHERE x.id = v;
	CASE what
	WHEN 'keep' THEN
		INSERT INTO stale SELECT * FROM vendor_subscriptions x WHERE x.id = v;
	WHEN 'stale' THEN		-- an ORM saves all columns of what it read then
		SELECT * INTO o FROM stale x WHERE x.id = v ORDER BY random() LIMIT 1;
		UPDATE vendor_subscriptions x SET (tier, status, is_annual, period_start, period_end, trial_ends_at, orders_this_period, cancelled_at, cancel_at_period_end)
			= (o.tier, o.status, o.is_annual, o.period_start, o.period_end, o.trial_ends_at, o.orders_this_period, o.cancelled_at, o.cancel_at_period_end) WHERE x.id = o.id;
	WHEN 'renew' THEN
		UPDATE vendor_subscriptions x SET period_start = s.period_end, period_end = pg_temp.until(s.period_end, s.is_annual) WHERE x.id = v AND s.period_end < at + interval '10 days';
	WHEN 'begin' THEN
		UPDATE vendor_subscriptions x SET status = 'active', cancelled_at = NULL, cancel_at_period_end = false, period_start = hour, period_end = pg_temp.until(hour, s.is_annual) WHERE x.id = v;
	WHEN 'forward' THEN
		UPDATE vendor_subscriptions x SET period_start = s.period_start + random() * interval '80 days', period_end = s.period_end + interval '80 days' WHERE x.id = v;
	WHEN 'back' THEN
		UPDATE vendor_subscriptions x SET period_start = s.period_start - interval '40 days', period_end = s.period_end - random() * interval '40 days' WHERE x.id = v;
	WHEN 'shorten' THEN
		UPDATE vendor_subscriptions x SET period_end = s.period_end - random() * interval '9 days' WHERE x.id = v;
	WHEN 'lengthen' THEN
		UPDATE vendor_subscriptions x SET period_end = s.period_end + random() * interval '9 days' WHERE x.id = v;
	WHEN 'nothing' THEN
		UPDATE vendor_subscriptions x SET period_start = CASE WHEN random() < 0.5 THEN s.period_end + interval '1 day' END, period_end = CASE WHEN random() < 0.5 THEN s.period_end END WHERE x.id = v;
	WHEN 'status' THEN
		UPDATE vendor_subscriptions x SET status = pg_temp.any_of('trial', 'active', 'active', 'active', 'past_due', 'cancelled', 'expired', NULL, 'paused') WHERE x.id = v;
	WHEN 'tier' THEN
		UPDATE vendor_subscriptions x SET tier = pg_temp.any_of('essential', 'professional', 'business', 'enterprise', 'free', 'dollar', 'fleeting', 'unknown') WHERE x.id = v;
	WHEN 'interval' THEN
		UPDATE vendor_subscriptions x SET is_annual = NOT s.is_annual WHERE x.id = v;
	WHEN 'interval and period' THEN
		UPDATE vendor_subscriptions x SET is_annual = NOT s.is_annual, period_start = hour, period_end = pg_temp.until(hour, NOT s.is_annual) WHERE x.id = v;
	WHEN 'trial' THEN
		UPDATE vendor_subscriptions x SET status = 'trial', trial_ends_at = hour + random() * interval '14 days' WHERE x.id = v;
	WHEN 'trial end' THEN
		UPDATE vendor_subscriptions x SET trial_ends_at = hour + (random() - 0.5) * interval '30 days' WHERE x.id = v AND random() < 0.9;
	WHEN 'cancel flag' THEN
		UPDATE vendor_subscriptions x SET cancel_at_period_end = NOT s.cancel_at_period_end WHERE x.id = v;
	WHEN 'pay' THEN
		UPDATE billing_history b SET status = 'paid' WHERE b.status = 'draft' AND random() < 0.5;
	WHEN 'void' THEN
		UPDATE billing_history b SET status = 'void' WHERE b.status = 'draft' AND random() < 0.1;
	WHEN 'price' THEN
		UPDATE subscription_tiers t SET price_monthly_cents = 1 + floor(random() * 50000), price_annual_cents = 10 + floor(random() * 500000) WHERE t.code IN ('essential', 'fleeting');
	WHEN 'no price' THEN
		UPDATE subscription_tiers t SET price_monthly_cents = CASE WHEN t.price_monthly_cents IS NULL THEN 3900 END WHERE t.code = 'fleeting';
	WHEN 'tier away' THEN
		UPDATE subscription_tiers t SET code = CASE t.code WHEN 'fleeting' THEN 'gone' ELSE 'fleeting' END WHERE t.code IN ('fleeting', 'gone');
	WHEN 'second row' THEN
		UPDATE vendor_subscriptions x SET vendor_id = CASE WHEN x.vendor_id = 1 THEN 2 ELSE 1 END WHERE x.id = 2;
	WHEN 'add-on' THEN
		UPDATE vendor_addons a SET quantity = floor(random() * 5) WHERE a.vendor_id = v;
	WHEN 'currency' THEN
		UPDATE subscription_tiers t SET currency = CASE t.currency WHEN 'EUR' THEN 'USD' ELSE 'EUR' END WHERE t.code IN ('enterprise');
	ELSE
		UPDATE vendor_subscriptions x SET orders_this_period = floor(random() * 100) WHERE x.id = v;
	END CASE;
	RETURN what;
END $$;

-- What a vendor does: the quote is the deed, or is refused with the same word.
CREATE FUNCTION pg_temp.act(step integer, v bigint, at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	what text := pg_temp.any_of('change', 'change', 'change', 'interval', 'buy', 'buy', 'drop', 'cancel', 'resume');
	call text := CASE what
		WHEN 'change' THEN format('change_tier(%L, %L, %L, proration => %L, as_of => %L', (SELECT s.vendor_id FROM vendor_subscriptions s WHERE s.id = v), pg_temp.any_of('essential', 'professional', 'business', 'enterprise', 'free', 'huge', 'fleeting', 'dollar'),
			pg_temp.any_of('auto', 'auto', 'immediate', 'period_end'), pg_temp.any_of('second', 'second', 'second', 'day', 'none'), at)
		WHEN 'interval' THEN (SELECT format('change_tier(%L, %L, %L, %L, %L, as_of => %L', s.vendor_id, s.tier, 'auto', NOT s.is_annual, pg_temp.any_of('second', 'second', 'none'), at) FROM vendor_subscriptions s WHERE s.id = v)
		WHEN 'buy' THEN format('purchase_addon(%L, %L, %s, as_of => %L', v, pg_temp.any_of('setup', 'a333', 'a333', 'y999'), 1 + floor(random() * 3), at)
		WHEN 'drop' THEN format('cancel_addon(%L, %L, timing => %L, as_of => %L', v, pg_temp.any_of('setup', 'a333', 'y999'), pg_temp.any_of('immediate', 'period_end'), at)
		WHEN 'cancel' THEN format('cancel_subscription(%L, %L, as_of => %L', v, pg_temp.any_of('immediate', 'period_end', 'period_end'), at)
		ELSE format('resume_subscription(%L, as_of => %L', v, at) END;
	quote text := CASE what WHEN 'change' THEN replace(call, 'change_tier', 'quote_tier_change') WHEN 'interval' THEN replace(call, 'change_tier', 'quote_tier_change') WHEN 'buy' THEN replace(call, 'purchase_addon', 'quote_addon')
		WHEN 'drop' THEN replace(call, 'cancel_addon', 'quote_addon_cancel') WHEN 'cancel' THEN replace(call, 'cancel_subscription', 'quote_cancellation') END;
	quoted jsonb;
	done jsonb;
	refused text;
	refused_too text;
	was vendor_subscriptions := (SELECT s FROM vendor_subscriptions s WHERE s.id = v);
BEGIN
	IF quote IS NOT NULL THEN
		BEGIN
			EXECUTE format('SELECT to_jsonb(q) FROM capforecast.%s) q', quote) INTO quoted;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS refused = CONSTRAINT_NAME;
			refused := coalesce(nullif(refused, ''), SQLSTATE || ' ' || SQLERRM);
		END;
	END IF;
	BEGIN
		EXECUTE format('SELECT to_jsonb(d) FROM capforecast.%s%s) d', call, CASE WHEN call LIKE 'change%' THEN ', ack_over_limit => true' ELSE '' END) INTO done;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS refused_too = CONSTRAINT_NAME;
		refused_too := coalesce(nullif(refused_too, ''), SQLSTATE || ' ' || SQLERRM);
	END;
	INSERT INTO wrong SELECT step, 'quote is not deed', concat_ws(' | ', call, quoted, done, refused, refused_too) WHERE quote IS NOT NULL AND (quoted, refused) IS DISTINCT FROM (done, refused_too);
	INSERT INTO wrong SELECT step, 'raw error', concat_ws(' | ', call, refused_too) WHERE refused_too ~ '^[0-9A-Z]{5} ' AND refused_too !~ '^22003 ';
	IF done ->> 'action' = 'upgrade' AND what = 'interval' THEN
		INSERT INTO anew SELECT s.id, (done ->> 'effective_at')::timestamptz FROM vendor_subscriptions s WHERE s.vendor_id = was.vendor_id;
	END IF;
	RETURN concat_ws(' ', call, coalesce(refused_too, done ->> 'action'), done ->> 'net_cents');
END $$;

CREATE FUNCTION pg_temp.jobs(step integer, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF random() < 0.5 THEN
		PERFORM capforecast.check_trial_expirations(at);
	END IF;
	PERFORM capforecast.reset_period_counters(at), capforecast.cleanup_stale_subscriptions(at), capforecast.check_trial_expirations(at), capforecast.reset_period_counters(at);
	INSERT INTO wrong SELECT step, 'a second run changes something', x::text FROM (
		SELECT 'trials' AS job, r.changed, r.failed, NULL::bigint AS drafts FROM capforecast.check_trial_expirations(at) r
		UNION ALL SELECT 'reset', r.changed + r.windows_closed, r.failed, r.drafts FROM capforecast.reset_period_counters(at) r
		UNION ALL SELECT 'cleanup', r.changed, r.failed, NULL FROM capforecast.cleanup_stale_subscriptions(at) r) x
	WHERE x.changed + coalesce(x.drafts, 0) > 0 AND random() < 1;
END $$;

-- Of each draft the lines of plans and add-ons: whose, of what time, and at what price.
CREATE VIEW pg_temp.line AS
	SELECT b.id, substring(b.description FROM 'Subscription (\d+)') AS subscription_id, b.subtotal_cents, b.total_cents, l ->> 'kind' AS kind, l ->> 'code' AS code, (l ->> 'amount_cents')::bigint AS cents,
		(l ->> 'unit_price_cents')::numeric * CASE l ->> 'kind' WHEN 'tier' THEN 1 ELSE (l ->> 'quantity')::numeric END AS price, (l ->> 'quantity')::numeric AS quantity,
		(l ->> 'period_start')::timestamptz AS starts, (l ->> 'period_end')::timestamptz AS ends, (l ->> 'item')::bigint AS item
	FROM billing_history b CROSS JOIN LATERAL jsonb_array_elements(b.line_items) l;

CREATE FUNCTION pg_temp.check_all(step integer, at timestamptz) RETURNS void LANGUAGE sql AS $$
	INSERT INTO wrong SELECT step, 'billed twice', format('%s: %s..%s and %s..%s', a.subscription_id, a.starts, a.ends, b.starts, b.ends)
	FROM pg_temp.line a JOIN pg_temp.line b ON b.subscription_id = a.subscription_id AND b.kind = 'tier' AND b.id > a.id AND b.starts < a.ends AND b.ends > a.starts
	WHERE a.kind = 'tier' AND NOT EXISTS (SELECT FROM anew n WHERE n.v::text = a.subscription_id AND n.at = greatest(a.starts, b.starts));
	-- a month has 28 to 31 days, a year 365 or 366; the clock may lose or win an hour
	INSERT INTO wrong SELECT step, 'not the price of its time', concat_ws(' ', l.subscription_id, to_jsonb(l))
	FROM pg_temp.line l JOIN LATERAL (SELECT extract(epoch FROM l.ends - l.starts) / 86400 AS days) d ON true
	WHERE l.kind = 'tier' AND NOT (l.cents BETWEEN floor(l.price * (d.days - 0.05) / 31) - 1 AND ceil(l.price * (d.days + 0.05) / 28) + 1 OR l.cents BETWEEN floor(l.price * (d.days - 0.05) / 366) - 1 AND ceil(l.price * (d.days + 0.05) / 365) + 1);
	INSERT INTO wrong SELECT step, 'a draft is not its lines', l.id::text FROM pg_temp.line l WHERE l.kind <> 'credit' GROUP BY l.id, l.subtotal_cents HAVING l.subtotal_cents <> sum(l.cents);
	INSERT INTO wrong SELECT step, 'an item on two drafts', l.item::text FROM pg_temp.line l WHERE l.item IS NOT NULL GROUP BY l.item HAVING count(*) > 1;
	INSERT INTO wrong SELECT step, 'books', st.subscription_id FROM capforecast.subscription_state st
	WHERE st.billed_until <> (SELECT max(p.ends) FROM capforecast.billed_period p WHERE p.subscription_id = st.subscription_id);
	INSERT INTO wrong SELECT step, 'billed by us without a draft', p.subscription_id || p::text FROM capforecast.billed_period p
	WHERE p.billed_by = 'us' AND p.amount_cents > 0 AND p.invoice_ref IS NOT NULL AND NOT EXISTS (SELECT FROM pg_temp.line l WHERE l.subscription_id = p.subscription_id AND l.kind = 'tier' AND l.starts <= p.starts AND l.ends > p.starts);
	INSERT INTO wrong SELECT step, 'left out', concat_ws(' ', s.id, s, st) FROM vendor_subscriptions s JOIN capforecast.subscription_state st ON st.subscription_id = s.id::text
	WHERE s.status IN ('active', 'past_due') AND s.period_end > s.period_start AND (st.billed_until <= at OR st.usage_end <= at OR st.period_end <= at OR (st.period_start, st.period_end) <> (s.period_start, s.period_end))
	  AND NOT EXISTS (SELECT FROM capforecast.finding f WHERE f.subject LIKE '%subscription ' || s.id AND f.resolved_at IS NULL AND f.code IN ('no_price', 'currency_mismatch', 'job_row_failed', 'too_many_windows', 'clock_moved_back'));
	INSERT INTO wrong SELECT step, 'windows', w::text FROM (
		SELECT l.subscription_id, l.window_end, lead(l.window_start) OVER (PARTITION BY l.subscription_id ORDER BY l.window_start) AS next_start
		FROM (SELECT subscription_id, window_start, window_end FROM capforecast.period_ledger UNION ALL SELECT subscription_id, usage_start, usage_end FROM capforecast.subscription_state) l) w
	WHERE w.next_start <> w.window_end;
	INSERT INTO wrong SELECT step, 'a row failed', f.detail::text || f.subject FROM capforecast.finding f WHERE f.code = 'job_row_failed' AND f.last_seen = at AND f.detail ->> 'sqlstate' <> '22003';
$$;

CREATE FUNCTION pg_temp.run(seed integer, steps integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	at timestamptz := '2024-02-01';
	v bigint;
	starts timestamptz;
	next_due timestamptz;
	known bigint;
BEGIN
	PERFORM setseed(0.0000001 * (seed % 10000000));
	PERFORM set_config('capforecast.billing_timezone', pg_temp.any_of('UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kolkata'), true);
	PERFORM set_config('capforecast.trial_action', pg_temp.any_of('activate', 'activate', 'expire', 'downgrade:essential'), true);
	FOR n IN 1 .. 12 LOOP
		starts := timezone(current_setting('capforecast.billing_timezone'), CASE WHEN n % 3 = 0 THEN '2024-01-31'::timestamp WHEN n % 3 = 1 THEN '2024-01-28 02:30'::timestamp + n * interval '5 hours' ELSE '2024-01-05'::timestamp + n * interval '31 hours' END);
		PERFORM pg_temp.subscribe(n, (ARRAY['essential', 'professional', 'business', 'free', 'fleeting'])[1 + n % 5], CASE WHEN n % 4 = 0 THEN 'trial' ELSE 'active' END, starts, pg_temp.until(starts, n % 5 = 0), annual => n % 5 = 0,
			trial_ends_at => CASE WHEN n % 4 = 0 THEN starts + interval '14 days' END);
	END LOOP;
	INSERT INTO stale SELECT * FROM vendor_subscriptions;
	PERFORM pg_temp.jobs(0, at);
	FOR step IN 1 .. steps LOOP
		FOR i IN 1 .. 1 + floor(random() * 2)::integer LOOP
			v := 1 + floor(random() * 12)::bigint;
			INSERT INTO did VALUES (step, at, v, CASE WHEN random() < 0.6 THEN pg_temp.scribble(v, at) ELSE pg_temp.act(step, v, at) END);
		END LOOP;
		CREATE TEMP TABLE shown ON COMMIT DROP AS SELECT s.id, s.vendor_id, s.status, i.* FROM vendor_subscriptions s, capforecast.upcoming_invoice_json(s.vendor_id::text, at) j, jsonb_populate_record(NULL::capforecast.invoice_preview, j) i
		WHERE false;
		FOR v IN SELECT s.id FROM vendor_subscriptions s WHERE (s.id + step) % 3 = 0 AND s.id > 2
				-- one that comes back is billed from when a job sees it
				AND NOT EXISTS (SELECT FROM capforecast.subscription_state st WHERE st.subscription_id = s.id::text AND capforecast._is_live(s.status) AND NOT capforecast._is_live(st.last_status)) LOOP
			BEGIN
				INSERT INTO shown SELECT s.id, s.vendor_id, s.status, i.* FROM vendor_subscriptions s, capforecast.upcoming_invoice(s.vendor_id::text, at) i WHERE s.id = v;
			EXCEPTION WHEN no_data_found OR invalid_parameter_value OR numeric_value_out_of_range THEN NULL;
			END;
		END LOOP;
		SELECT max(b.id) INTO known FROM billing_history b;
		SELECT min(x.due_at) INTO next_due FROM shown x WHERE x.due_at > at;
		at := least(at + random() * interval '6 days', next_due);
		PERFORM pg_temp.jobs(step, at);
		INSERT INTO wrong SELECT step, 'shown, but not drafted', format('%s at %s: %s instead of %s', x, at, (SELECT string_agg(b::text, '; ') FROM billing_history b WHERE b.vendor_id = x.vendor_id AND b.id > coalesce(known, 0)), x.subtotal_cents)
		FROM shown x WHERE x.due_at <= at AND coalesce(x.period_end > at, true) AND x.subtotal_cents <> 0 AND NOT EXISTS (SELECT FROM billing_history b WHERE b.vendor_id = x.vendor_id AND b.id > coalesce(known, 0)
			AND (b.invoice_date, b.subtotal_cents, b.total_cents, b.currency) = (x.due_at, x.subtotal_cents, x.amount_due_cents, x.currency));
		INSERT INTO wrong SELECT step, 'drafted, but not shown', format('%s at %s: %s', x, at, b) FROM shown x JOIN billing_history b ON b.vendor_id = x.vendor_id AND b.id > coalesce(known, 0)
		WHERE coalesce(x.due_at > at, true) AND x.status <> 'past_due' AND b.subtotal_cents <> 0
			AND b.description NOT LIKE '%: items';		-- of a host that bills for two periods running
		DROP TABLE shown;
		PERFORM pg_temp.check_all(step, at);
		EXIT WHEN EXISTS (SELECT FROM wrong);
	END LOOP;
END $$;
DO $$
BEGIN
	PERFORM pg_temp.run(coalesce(nullif(current_setting('capforecast_test.seed', true), ''), '20260101')::integer, coalesce(nullif(current_setting('capforecast_test.steps', true), ''), '60')::integer);
END $$;
SELECT is_empty('SELECT * FROM wrong', 'whatever was written, the money is right');
SELECT diag(format('%s %s %s', d.at, d.v, d.what)) FROM did d WHERE EXISTS (SELECT FROM wrong) AND d.step > (SELECT max(step) FROM wrong) - 400 AND d.v::text IN (SELECT (regexp_match(detail, '\d+'))[1] FROM wrong) ORDER BY d.step;
SELECT cmp_ok(count(*), '>', 0::bigint, '(and something was billed)') FROM billing_history;
SELECT * FROM finish();
ROLLBACK;
