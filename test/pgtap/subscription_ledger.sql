-- Two years in which the host moves periods, saves old rows again, cancels trials, pays late
-- or never, changes intervals and subscribes anew, beside the jobs: money to the cent against
-- a ledger that is kept here, by rules written down here and by nothing of the extension.
-- capforecast_test.seed and capforecast_test.steps say which years, and how many.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();
INSERT INTO addon_products (code, name, category, price_cents, billing_period) VALUES ('setup', 'Setup', 'x', 2500, 'one_time');
INSERT INTO subscription_tiers (code, name, price_monthly_cents, price_annual_cents, currency) VALUES ('dollar', 'Dollar', 5900, 59000, 'USD');
SET LOCAL capforecast.allow_time_travel = on;
SET LOCAL capforecast.manage_subscriptions = on;
SET LOCAL capforecast.trial_action = 'activate';

-- What is known of a vendor: billed is what a whole period of the plan cost, ceiling what was
-- charged last for it; source is where that is: a draft's id, open (on none yet), settled.
CREATE TEMP TABLE ledger (v bigint PRIMARY KEY, status text, tier text, annual boolean, anchor timestamptz, starts timestamptz, ends timestamptz,
	billed bigint, ceiling bigint, source text, by_host boolean, next_tier text, next_annual boolean, cancels boolean DEFAULT false,
	trial_end timestamptz, late_since timestamptz, credit bigint DEFAULT 0);
CREATE TEMP TABLE item (v bigint, cents bigint, awaits text);
CREATE TEMP TABLE expected (v bigint, dated timestamptz, until timestamptz, subtotal bigint, total bigint);
CREATE TEMP TABLE old_row (v bigint, period_start timestamptz, period_end timestamptz);
CREATE TEMP TABLE wrong (what text, at timestamptz, v bigint, detail text);

CREATE FUNCTION pg_temp.price(tier text, annual boolean) RETURNS bigint LANGUAGE sql AS $$
	SELECT CASE WHEN annual THEN t.price_annual_cents ELSE t.price_monthly_cents END FROM subscription_tiers t WHERE t.code = tier $$;
CREATE FUNCTION pg_temp.after(anchor timestamptz, at timestamptz, months integer) RETURNS timestamptz LANGUAGE sql AS $$
	SELECT anchor + make_interval(months => months * n) FROM generate_series(0, 60) n WHERE anchor + make_interval(months => months * n) > at ORDER BY n LIMIT 1 $$;
CREATE FUNCTION pg_temp.is_paid(invoice text) RETURNS boolean LANGUAGE sql AS $$
	SELECT b.status = 'paid' OR (b.status <> 'void' AND b.total_cents = 0) FROM billing_history b WHERE b.id::text = invoice $$;

-- A draft of the plan (price NULL: of what is open alone), and what it takes.
CREATE FUNCTION pg_temp.draft(l pg_temp.ledger, dated timestamptz, until timestamptz, price bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	open bigint := (SELECT sum(i.cents) FROM item i WHERE i.v = l.v AND (i.awaits IS NULL OR pg_temp.is_paid(i.awaits)));
	subtotal bigint := coalesce(price, 0) + coalesce(open, 0);
BEGIN
	DELETE FROM item i WHERE i.v = l.v AND (i.awaits IS NULL OR pg_temp.is_paid(i.awaits));
	UPDATE ledger x SET credit = x.credit - least(x.credit, greatest(subtotal, 0)) + greatest(-subtotal, 0) WHERE x.v = l.v;
	IF subtotal <> 0 THEN
		INSERT INTO expected VALUES (l.v, dated, until, subtotal, greatest(subtotal, 0) - least(l.credit, greatest(subtotal, 0)));
	END IF;
END $$;
CREATE FUNCTION pg_temp.ended(l pg_temp.ledger, status text, dated timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.draft(l, dated, NULL, NULL);
	DELETE FROM item i WHERE i.v = l.v;
	UPDATE ledger x SET status = ended.status, next_tier = NULL, next_annual = NULL WHERE x.v = l.v;
END $$;
CREATE FUNCTION pg_temp.begins(l pg_temp.ledger, starts timestamptz, ends timestamptz, by_host boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	price bigint := CASE WHEN l.status = 'trial' THEN 0 ELSE pg_temp.price(l.tier, l.annual) END;
BEGIN
	UPDATE ledger x SET status = l.status, tier = l.tier, annual = l.annual, anchor = l.anchor, starts = begins.starts, ends = begins.ends,
		next_tier = l.next_tier, next_annual = l.next_annual, trial_end = l.trial_end,
		billed = price, ceiling = price, source = CASE WHEN begins.by_host THEN 'settled' ELSE 'draft' END, by_host = begins.by_host WHERE x.v = l.v;
END $$;

CREATE FUNCTION pg_temp.jobs(at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	l ledger;
BEGIN
	FOR l IN SELECT * FROM ledger x WHERE x.status = 'trial' AND x.trial_end <= at LOOP
		IF l.cancels THEN
			PERFORM pg_temp.ended(l, 'cancelled', l.trial_end);
			CONTINUE;
		END IF;
		l.status := 'active';
		l.anchor := l.trial_end;
		l.next_tier := NULL;
		PERFORM pg_temp.draft(l, l.trial_end, pg_temp.after(l.anchor, l.trial_end, CASE WHEN l.annual THEN 12 ELSE 1 END), pg_temp.price(l.tier, l.annual));
		PERFORM pg_temp.begins(l, l.trial_end, pg_temp.after(l.anchor, l.trial_end, CASE WHEN l.annual THEN 12 ELSE 1 END), false);
	END LOOP;
	FOR l IN SELECT * FROM ledger x WHERE x.status IN ('active', 'past_due') AND NOT x.cancels AND x.ends <= at LOOP
		IF l.next_tier IS NOT NULL THEN
			l.tier := l.next_tier;
			l.annual := l.next_annual;
			l.next_tier := NULL;
			l.next_annual := NULL;
		END IF;
		PERFORM pg_temp.draft(l, l.ends, pg_temp.after(l.anchor, l.ends, CASE WHEN l.annual THEN 12 ELSE 1 END), pg_temp.price(l.tier, l.annual));
		PERFORM pg_temp.begins(l, l.ends, pg_temp.after(l.anchor, l.ends, CASE WHEN l.annual THEN 12 ELSE 1 END), false);
	END LOOP;
	FOR l IN SELECT * FROM ledger x WHERE x.status IN ('active', 'past_due') AND (x.cancels AND x.ends <= at OR x.status = 'past_due' AND x.late_since <= at - interval '30 days') LOOP
		IF l.cancels AND l.ends <= at THEN
			PERFORM pg_temp.ended(l, 'cancelled', l.ends);
		ELSE
			PERFORM pg_temp.ended(l, 'expired', at);
		END IF;
	END LOOP;
	PERFORM capforecast.check_trial_expirations(at), capforecast.reset_period_counters(at), capforecast.cleanup_stale_subscriptions(at);
	-- what a draft bills is on that draft from now on
	UPDATE ledger x SET source = b.id::text FROM billing_history b
	WHERE b.vendor_id = x.v AND b.period_start = x.starts AND b.period_end = x.ends AND x.source = 'draft';
	UPDATE ledger x SET source = (SELECT max(b.id)::text FROM billing_history b WHERE b.vendor_id = x.v) WHERE x.source = 'open' AND NOT EXISTS (SELECT FROM item i WHERE i.v = x.v AND i.awaits IS NULL);
	IF random() < 0.2 AND (EXISTS (SELECT FROM capforecast.check_trial_expirations(at) r WHERE r.changed + r.failed > 0)
	   OR EXISTS (SELECT FROM capforecast.reset_period_counters(at) r WHERE r.changed + r.failed + r.drafts + r.windows_closed > 0)
	   OR EXISTS (SELECT FROM capforecast.cleanup_stale_subscriptions(at) r WHERE r.changed + r.failed > 0)) THEN
		INSERT INTO wrong VALUES ('a second run changes something', at);
	END IF;
END $$;

CREATE FUNCTION pg_temp.change(l pg_temp.ledger, to_tier text, annual boolean, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	quote capforecast.change_result;
	deed capforecast.change_result;
	cut timestamptz := least(greatest(date_trunc('second', at), l.starts), l.ends);
	rest numeric := extract(epoch FROM l.ends - cut);
	whole numeric := extract(epoch FROM l.ends - l.starts);
	up boolean := pg_temp.price(to_tier, false) >= pg_temp.price(l.tier, false) AND (annual OR NOT l.annual);
	credit bigint := 0;
	kept bigint := 0;
	debit bigint := 0;
BEGIN
	IF l.status = 'past_due' AND up AND (to_tier, annual) <> (l.tier, l.annual) THEN
		BEGIN
			PERFORM capforecast.change_tier(l.v::text, to_tier, annual => change.annual, ack_over_limit => true, as_of => at);
			INSERT INTO wrong VALUES ('an unpaid vendor goes up', at, l.v);
		EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL;
		END;
		RETURN;
	END IF;
	quote := capforecast.quote_tier_change(l.v::text, to_tier, annual => change.annual, as_of => at);
	deed := capforecast.change_tier(l.v::text, to_tier, annual => change.annual, ack_over_limit => true, as_of => at);
	INSERT INTO wrong SELECT 'quote is not deed', at, l.v, format('%s %s', quote, deed) WHERE quote IS DISTINCT FROM deed;
	IF (to_tier, annual) = (l.tier, l.annual) THEN
		UPDATE ledger x SET next_tier = NULL, next_annual = NULL WHERE x.v = l.v;
		RETURN;
	ELSIF l.status = 'trial' THEN
		UPDATE ledger x SET tier = to_tier, annual = change.annual, cancels = x.cancels AND NOT up, next_tier = NULL WHERE x.v = l.v;
		RETURN;
	ELSIF NOT up THEN
		UPDATE ledger x SET next_tier = to_tier, next_annual = change.annual WHERE x.v = l.v;
		RETURN;
	END IF;
	credit := least(round(l.billed * rest / whole), l.ceiling);
	IF credit > 0 AND l.source NOT IN ('open', 'settled') AND NOT pg_temp.is_paid(l.source) THEN
		IF (SELECT b.status FROM billing_history b WHERE b.id::text = l.source) <> 'void' THEN
			kept := credit;
			INSERT INTO item VALUES (l.v, -kept, l.source);
		END IF;
		credit := 0;
	END IF;
	debit := CASE WHEN annual <> l.annual THEN pg_temp.price(to_tier, annual) ELSE round(pg_temp.price(to_tier, annual) * rest / whole) END;
	INSERT INTO wrong SELECT 'net', at, l.v, format('%s instead of %s: %s, %s', deed.net_cents, debit - credit, l, deed)
	WHERE deed.net_cents <> debit - credit OR deed.action <> 'upgrade';
	UPDATE ledger x SET tier = to_tier, next_tier = NULL, next_annual = NULL, cancels = false WHERE x.v = l.v RETURNING * INTO l;
	IF annual <> l.annual THEN
		INSERT INTO item SELECT l.v, -credit WHERE credit > 0;
		l.annual := change.annual;
		l.anchor := cut;
		PERFORM pg_temp.draft(l, cut, cut + interval '1 year', debit);
		PERFORM pg_temp.begins(l, cut, cut + interval '1 year', false);
		UPDATE ledger x SET source = (SELECT max(b.id)::text FROM billing_history b WHERE b.vendor_id = x.v) WHERE x.v = l.v;
	ELSIF debit < credit THEN
		UPDATE ledger x SET credit = x.credit + credit - debit, billed = pg_temp.price(to_tier, change.annual), ceiling = debit, source = 'settled' WHERE x.v = l.v;
	ELSE
		INSERT INTO item VALUES (l.v, debit - credit);
		UPDATE ledger x SET billed = pg_temp.price(to_tier, change.annual), ceiling = debit, source = 'open' WHERE x.v = l.v;
	END IF;
END $$;

-- The host moves the period, or begins another one: it bills that itself.
CREATE FUNCTION pg_temp.move(l pg_temp.ledger, new_start timestamptz, new_end timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE vendor_subscriptions s SET period_start = new_start, period_end = new_end WHERE s.id = l.v;
	IF l.by_host AND l.status <> 'trial' THEN		-- for two periods running: what is open is not left to it
		PERFORM pg_temp.draft(l, new_start, NULL, NULL);
	END IF;
	PERFORM pg_temp.begins(l, new_start, new_end, true);
END $$;

SELECT setseed(coalesce(nullif(current_setting('capforecast_test.seed', true), ''), '3700000')::integer % 10000000 * 0.0000001);
DO $$
DECLARE
	at timestamptz := '2024-02-01';
	l ledger;
	u record;
	hour timestamptz;
	picked bigint;
BEGIN
	FOR n IN 1 .. 16 LOOP
		hour := '2024-01-05'::timestamptz + n * interval '31 hours';
		PERFORM pg_temp.subscribe(n, (ARRAY['essential', 'professional', 'business'])[1 + n % 3], 'active', hour, hour + CASE WHEN n % 5 = 0 THEN interval '1 year' ELSE interval '1 month' END,
			annual => n % 5 = 0);
		INSERT INTO ledger (v, status, tier, annual, anchor, starts, ends, billed, ceiling, source, by_host)
		SELECT n, s.status, s.tier, s.is_annual, s.period_start, s.period_start, s.period_end, pg_temp.price(s.tier, s.is_annual),
			pg_temp.price(s.tier, s.is_annual), 'settled', false FROM vendor_subscriptions s WHERE s.id = n;
	END LOOP;
	PERFORM pg_temp.jobs(at);
	FOR step IN 1 .. coalesce(nullif(current_setting('capforecast_test.steps', true), ''), '300')::integer LOOP
		CREATE TEMP TABLE shown ON COMMIT DROP AS
		SELECT s.id AS v, i.* FROM vendor_subscriptions s, capforecast.upcoming_invoice(s.id::text, at) i WHERE s.id % 4 = step % 4;
		at := at + random() * interval '5 days';
		PERFORM pg_temp.jobs(at);
		-- what was to come has come, and nothing else
		INSERT INTO wrong SELECT 'upcoming is not draft', at, s.v, format('%s %s', s, b)
		FROM shown s LEFT JOIN billing_history b ON b.vendor_id = s.v AND b.invoice_date = s.due_at
		WHERE s.due_at <= at AND s.subtotal_cents <> 0 AND (s.subtotal_cents, s.amount_due_cents) IS DISTINCT FROM (b.subtotal_cents, b.total_cents);
		DROP TABLE shown;
		picked := 1 + floor(random() * 16)::bigint;
		SELECT * INTO l FROM ledger x WHERE x.v = picked;
		hour := date_trunc('hour', at);
		IF l.status IN ('cancelled', 'expired') THEN
			CONTINUE WHEN random() < 0.4 OR extract(day FROM at) > 28 OR hour < l.ends - interval '20 days';
			IF random() < 0.5 THEN
				l.annual := false;
			END IF;
			l.cancels := false;
			l.anchor := hour;
			l.status := 'active';
			l.by_host := false;
			IF random() < 0.4 AND hour >= l.ends THEN
				l.status := 'trial';
				l.trial_end := hour + interval '12 days';
			END IF;
			UPDATE vendor_subscriptions s SET status = l.status, trial_ends_at = l.trial_end, cancelled_at = NULL, cancel_at_period_end = false, is_annual = l.annual WHERE s.id = l.v;
			UPDATE ledger x SET cancels = false WHERE x.v = l.v;
			PERFORM pg_temp.move(l, hour, hour + CASE WHEN l.annual THEN interval '1 year' ELSE interval '1 month' END);
			CONTINUE;
		END IF;
		CASE floor(random() * 13)::integer
		WHEN 0, 1, 2 THEN
			PERFORM pg_temp.change(l, (ARRAY['essential', 'professional', 'business', 'enterprise'])[1 + floor(random() * 4)::integer], l.annual, at);
		WHEN 3 THEN
			PERFORM pg_temp.change(l, l.tier, NOT l.annual, at);
		WHEN 4 THEN		-- the host renews before we do, and the vendor may go up before a job has seen it
			CONTINUE WHEN l.status = 'trial' OR l.cancels OR l.next_tier IS NOT NULL OR at < l.ends - interval '5 days';
			PERFORM pg_temp.move(l, l.ends, pg_temp.after(l.anchor, l.ends, CASE WHEN l.annual THEN 12 ELSE 1 END));
			IF random() < 0.5 THEN
				PERFORM pg_temp.change(x, 'enterprise', x.annual, at) FROM ledger x WHERE x.v = l.v;
			END IF;
		WHEN 5 THEN		-- the host begins a period of its own
			CONTINUE WHEN l.status = 'trial' OR l.cancels OR l.next_tier IS NOT NULL OR extract(day FROM at) > 28 OR hour <= l.starts;
			l.anchor := hour;
			PERFORM pg_temp.move(l, hour, hour + CASE WHEN l.annual THEN interval '1 year' ELSE interval '1 month' END);
			IF random() < 0.5 THEN
				PERFORM pg_temp.change(x, 'enterprise', x.annual, at) FROM ledger x WHERE x.v = l.v;
			END IF;
		WHEN 6 THEN		-- an old row is saved again: nothing comes of it
			UPDATE vendor_subscriptions s SET period_start = o.period_start, period_end = o.period_end
			FROM (SELECT * FROM old_row o ORDER BY o.v, random()) o
			WHERE s.id = o.v AND s.status = 'active' AND o.period_end < s.period_end;
			INSERT INTO old_row SELECT s.id, s.period_start, s.period_end FROM vendor_subscriptions s WHERE s.id = l.v AND s.status = 'active'
				AND NOT EXISTS (SELECT FROM old_row o WHERE o.v = s.id);
		WHEN 7 THEN
			UPDATE billing_history b SET status = CASE WHEN random() < 0.9 THEN 'paid' ELSE 'void' END WHERE b.status = 'draft' AND random() < 0.6;
		WHEN 8 THEN
			PERFORM capforecast.purchase_addon(l.v::text, 'setup', 1, as_of => at);
			UPDATE vendor_addons a SET status = 'cancelled' WHERE a.vendor_id = l.v;
			INSERT INTO item VALUES (l.v, 2500);
		WHEN 9 THEN
			SELECT * INTO u FROM capforecast.cancel_subscription(l.v::text, CASE WHEN random() < 0.3 THEN 'immediate' ELSE 'period_end' END, as_of => at);
			IF u.action = 'cancel' THEN
				PERFORM pg_temp.ended(l, 'cancelled', at);
			ELSE
				UPDATE ledger x SET cancels = true, next_tier = CASE WHEN l.cancels THEN x.next_tier END WHERE x.v = l.v;
			END IF;
		WHEN 10 THEN
			PERFORM capforecast.resume_subscription(l.v::text, as_of => at);
			UPDATE ledger x SET cancels = false WHERE x.v = l.v;
		WHEN 11 THEN
			CONTINUE WHEN l.status = 'trial';
			UPDATE vendor_subscriptions s SET status = CASE l.status WHEN 'active' THEN 'past_due' ELSE 'active' END WHERE s.id = l.v RETURNING s.status INTO l.status;
			PERFORM capforecast.cleanup_stale_subscriptions(at);
			UPDATE ledger x SET status = l.status, late_since = at WHERE x.v = l.v;
		ELSE
			BEGIN
				PERFORM capforecast.change_tier(l.v::text, 'dollar', (ARRAY['auto', 'period_end'])[1 + floor(random() * 2)::integer], as_of => at);
				INSERT INTO wrong SELECT 'another currency', at, l.v WHERE l.status <> 'trial';
				PERFORM capforecast.change_tier(l.v::text, l.tier, 'immediate', ack_over_limit => true, keep_cancel => true, as_of => at) WHERE l.status = 'trial';
			EXCEPTION WHEN invalid_parameter_value OR object_not_in_prerequisite_state THEN NULL;
			END;
		END CASE;
	END LOOP;
	PERFORM pg_temp.jobs(at);
END $$;

SELECT is((SELECT max(dated) - min(dated) > interval '20 months' AND count(*) > 120 FROM expected), true, 'two years of drafts');
SELECT is_empty('SELECT * FROM wrong', 'quote is deed, upcoming is draft, nets are the ledger''s, a second run changes nothing');
SELECT is_empty($$ SELECT x.* FROM (SELECT b.vendor_id, b.invoice_date, b.period_end, b.subtotal_cents, b.total_cents FROM billing_history b) x EXCEPT ALL SELECT * FROM expected $$,
	'no draft but those of the ledger');
SELECT is_empty($$ SELECT * FROM expected EXCEPT ALL SELECT b.vendor_id, b.invoice_date, b.period_end, b.subtotal_cents, b.total_cents FROM billing_history b $$,
	'every draft of the ledger, to the cent');
SELECT is_empty($$ SELECT l.v, l.credit, st.credit_cents FROM ledger l LEFT JOIN capforecast.subscription_state st ON st.subscription_id = l.v::text WHERE l.credit IS DISTINCT FROM st.credit_cents $$, 'credit');
SELECT is_empty($$ SELECT l.v, l.tier, s.tier, l.status, s.status, l.ends, s.period_end FROM ledger l JOIN vendor_subscriptions s ON s.id = l.v
	WHERE (l.tier, l.status, l.annual) IS DISTINCT FROM (s.tier, s.status, s.is_annual) OR (l.status IN ('active', 'past_due') AND (l.starts, l.ends) IS DISTINCT FROM (s.period_start, s.period_end)) $$, 'the host''s rows');
SELECT is_empty($$ SELECT v, sum(cents) FROM item GROUP BY 1 EXCEPT SELECT vendor_id::bigint, sum(amount_cents)::bigint FROM capforecast.pending_invoice_item WHERE invoiced_at IS NULL GROUP BY 1 $$, 'what is open');
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code IN ('job_row_failed', 'currency_mismatch')), 0::bigint, 'no row failed');
SELECT * FROM finish();
ROLLBACK;
