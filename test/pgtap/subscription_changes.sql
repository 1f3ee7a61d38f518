-- change_tier(), purchase_addon(), cancel_addon(), upcoming_invoice().
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();
-- The prices of the worked numbers.
INSERT INTO subscription_tiers (code, name, price_monthly_cents, price_annual_cents, products_limit) VALUES
	('c2000', 'C', 2000, NULL, NULL), ('c1000', 'C', 1000, NULL, NULL), ('c1', 'I', 1, NULL, NULL), ('c3', 'I', 3, NULL, NULL), ('closed', 'Closed', 5000, NULL, NULL);
UPDATE subscription_tiers SET is_active = false WHERE code = 'closed';
INSERT INTO addon_products (code, name, category, price_cents, billing_period) VALUES
	('a500', 'A', 'x', 500, 'monthly'), ('a333', 'A', 'x', 333, 'monthly'), ('setup', 'Setup', 'x', 25000, 'one_time'), ('yearly', 'Y', 'x', 9000, 'annual');

-- credit, debit, net
CREATE FUNCTION pg_temp.numbers(r capforecast.change_result) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', r.action, r.lines -> 0 ->> 'amount_cents', r.lines -> 1 ->> 'amount_cents', r.net_cents)
$$;
CREATE FUNCTION pg_temp.case_of(tier text, period_start timestamptz, period_end timestamptz, new_tier text, at timestamptz,
		proration text DEFAULT 'second', timing text DEFAULT 'immediate', annual boolean DEFAULT NULL)
	RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM vendor_subscriptions WHERE id = 99;
	PERFORM pg_temp.subscribe(99, tier, 'active', period_start, period_end);
	RETURN pg_temp.numbers(capforecast.quote_tier_change('99', new_tier, timing, annual, proration, as_of => at));
END $$;
SELECT is(pg_temp.case_of('essential', '2025-03-01', '2025-04-01', 'professional', '2025-03-16 12:00'), 'upgrade -2450 4950 2500', '9.4 A');
SELECT is(pg_temp.case_of('essential', '2025-01-31', '2025-02-28', 'professional', '2025-02-10 09:30:15.7'), 'upgrade -3081 6224 3143', '9.4 B');
SELECT is(pg_temp.case_of('c2000', '2026-04-01', '2026-05-01', 'c1000', '2026-04-21'), 'downgrade -667 333 -334', '9.4 C Stripe''s own example');
SELECT is(pg_temp.case_of('professional', '2024-01-31', '2024-02-29', 'business', '2024-02-15'), 'upgrade -4779 9607 4828', '9.4 D');
SELECT is(pg_temp.case_of('essential', '2025-03-01', '2025-04-01', 'professional', '2025-03-31 23:59:59'), 'upgrade 0 0 0', '9.4 E');
SELECT is(pg_temp.case_of('essential', '2025-03-01', '2025-04-01', 'professional', '2025-03-01'), 'upgrade -4900 9900 5000', '9.4 F');
SELECT is(pg_temp.case_of('essential', '2025-03-01', '2025-04-01', 'professional', '2025-04-01'), 'upgrade 0 0 0', '9.4 G');
SELECT is(pg_temp.case_of('essential', '2025-03-01 00:00 Europe/Luxembourg', '2025-04-01 00:00 Europe/Luxembourg', 'professional', '2025-03-16 00:00 Europe/Luxembourg'),
	'upgrade -2526 5103 2577', '9.4 H');
SELECT is(pg_temp.case_of('c1', '2026-04-01', '2026-05-01', 'c3', '2026-04-16'), 'upgrade -1 2 1', '9.4 I');
SELECT is(pg_temp.case_of('essential', '2025-03-01', '2025-04-01', 'professional', '2025-03-16 12:00', 'day'), 'upgrade -2529 5110 2581', '9.4 J');
SELECT is(pg_temp.case_of('professional', '2025-03-01', '2025-04-01', 'professional', '2025-03-16 12:00', annual => true), 'upgrade -4950 99000 94050', '9.4 K');
SELECT is(pg_temp.case_of('essential', '2025-03-01', '2025-04-01', 'professional', '2025-03-16 12:00', 'none'), 'upgrade 0', '8.9.4 none: no lines');
SELECT is((SELECT count(*) FROM capforecast.subscription_state) + (SELECT count(*) FROM capforecast.audit_log), 0::bigint, '8.0.14 a quote writes nothing');
INSERT INTO billing_history (vendor_id, invoice_date, period_start, period_end, total_cents, status) VALUES (99, '2025-03-01', '2025-03-01', '2025-04-01', 4900, 'open');
SELECT is(pg_temp.case_of('essential', '2025-03-01', '2025-04-01', 'professional', '2025-03-16 12:00'), 'upgrade 0 4950 4950', '9.4 M the period is not paid: no credit');
SELECT is((SELECT r.lines -> 0 ->> 'credit_withheld' FROM capforecast.quote_tier_change('99', 'professional', as_of => '2025-03-16 12:00') r), 'unpaid_period', '8.9.4 and says why');
UPDATE billing_history SET status = 'paid' WHERE vendor_id = 99;
SELECT is(pg_temp.case_of('essential', '2025-03-01', '2025-04-01', 'professional', '2025-03-16 12:00'), 'upgrade -2450 4950 2500', '8.9.4 paid: credit');

-- L: two upgrades in one period
SELECT pg_temp.subscribe(1, 'essential', 'active', '2025-03-01', '2025-04-01');
SELECT is(pg_temp.numbers(capforecast.change_tier('1', 'professional', as_of => '2025-03-11')), 'upgrade -3319 6706 3387', '9.4 L the first');
SELECT is(pg_temp.numbers(capforecast.change_tier('1', 'business', as_of => '2025-03-21')), 'upgrade -3513 7061 3548', '9.4 L the second credits what the first billed');
SELECT is(4900 + (SELECT sum(amount_cents)::bigint FROM capforecast.pending_invoice_item WHERE vendor_id = '1'), 11835::bigint, '9.4 L the month''s total');
SELECT is((SELECT array_agg(operation || ' ' || (after ->> 'tier')) FROM capforecast.audit_log WHERE vendor_id = '1'), '{change_tier professional,change_tier business}', 'C9 one audit row for each');
SELECT is(pg_temp.shown(1), 'business active 2025-03-01 2025-04-01 0', '8.9.5 counters and period stay');

-- whose debit it is that an upgrade left: the credit of what is not invoiced yet waits for no invoice; that of another's does
SELECT pg_temp.subscribe(81, 'essential', 'active', '2025-03-01', '2025-04-01');
SELECT pg_temp.subscribe(82, 'professional', 'active', '2025-03-01', '2025-04-01');
INSERT INTO billing_history (vendor_id, invoice_date, period_start, period_end, total_cents, status)
SELECT v, '2025-03-01', '2025-03-01', '2025-04-01', 4900, 'open' FROM generate_series(81, 82) v;
SELECT is(pg_temp.numbers(capforecast.change_tier('81', 'professional', as_of => '2025-03-11')), 'upgrade 0 6706 6706', '8.9.4 of a period that is not paid: no credit');
SELECT is(pg_temp.numbers(capforecast.quote_tier_change('81', 'business', as_of => '2025-03-21')), 'upgrade -3513 7061 3548', '8.9.4 what an upgrade has left open is taken back');
SELECT is(pg_temp.numbers(capforecast.quote_tier_change('82', 'business', as_of => '2025-03-21')), 'upgrade 0 7061 7061', '8.9.4 of its own subscription only');
UPDATE capforecast.pending_invoice_item SET kind = 'addon' WHERE subscription_id = '81' AND kind = 'proration_debit';
SELECT is(pg_temp.numbers(capforecast.quote_tier_change('81', 'business', as_of => '2025-03-21')), 'upgrade 0 7061 7061', '8.9.4 of the same kind');
UPDATE capforecast.pending_invoice_item SET kind = 'proration_debit', code = 'business' WHERE subscription_id = '81' AND kind = 'addon';
SELECT is(pg_temp.numbers(capforecast.quote_tier_change('81', 'business', as_of => '2025-03-21')), 'upgrade 0 7061 7061', '8.9.4 and of the same tier');

-- quote and deed; idempotency
SELECT pg_temp.subscribe(2, 'essential', 'active', '2025-03-01', '2025-04-01');
CREATE TEMP TABLE seen AS SELECT r.* FROM capforecast.quote_tier_change('2', 'professional', as_of => '2025-03-16 12:00') r;
SELECT results_eq($$ SELECT r.* FROM capforecast.change_tier('2', 'professional', idempotency_key => 'k1', as_of => '2025-03-16 12:00') r $$, 'SELECT * FROM seen', '8.0.14 the quote''s numbers are the real ones');
SELECT results_eq($$ SELECT r.* FROM capforecast.change_tier('2', 'professional', idempotency_key => 'k1', as_of => '2025-03-17') r $$, 'SELECT * FROM seen', 'C14 the same key: the same answer');
SELECT is((SELECT count(*) FROM capforecast.pending_invoice_item WHERE vendor_id = '2'), 2::bigint, 'C14 and one effect');
SELECT throws_ok($$ SELECT capforecast.change_tier('2', 'business', idempotency_key => 'k1', as_of => '2025-03-17') $$, '22023', 'the idempotency key was used for another request', 'C14 another request');

-- 9.5
SELECT is((SELECT (r.lines -> 0 ->> 'amount_cents', r.net_cents)::text FROM capforecast.purchase_addon('2', 'a500', 3, as_of => '2025-03-21') r), '(532,532)', '9.5 the add-on, prorated');
SELECT is((SELECT (i.due_at, i.subtotal_cents, i.credit_applied_cents, i.amount_due_cents, i.source, i.estimate)::text FROM capforecast.upcoming_invoice('2', '2025-03-22') i),
	'("2025-04-01 00:00:00+00",14432,0,14432,local,f)', '9.5 the next invoice');
SELECT is((SELECT array_agg((l ->> 'amount_cents')::int) FROM capforecast.upcoming_invoice('2', '2025-03-22') i, jsonb_array_elements(i.lines) l), '{9900,1500,-2450,4950,532}', '9.5 its lines');
UPDATE capforecast.subscription_state SET credit_cents = 2000 WHERE subscription_id = '2';
SELECT is((SELECT (i.credit_applied_cents, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('2', '2025-03-22') i), '(2000,12432)', '9.5 with credit');
UPDATE capforecast.subscription_state SET credit_cents = 20000 WHERE subscription_id = '2';
SELECT is((SELECT (i.credit_applied_cents, i.amount_due_cents, i.credit_left_cents)::text FROM capforecast.upcoming_invoice('2', '2025-03-22') i), '(14432,0,5568)', '9.5 with more credit than is due');
SELECT is((SELECT r.net_cents FROM capforecast.change_tier('2', 'essential', as_of => '2025-03-22') r), 0::bigint, '8.9.6 a downgrade waits, without lines');
SELECT is((SELECT i.lines -> 0 ->> 'amount_cents' FROM capforecast.upcoming_invoice('2', '2025-03-23') i), '4900', '9.5 with a downgrade pending');
SELECT is((SELECT (r.action, r.effective_at)::text FROM capforecast.change_tier('2', 'business', 'period_end', as_of => '2025-03-23') r), '(upgrade,"2025-04-01 00:00:00+00")', '8.9.6 another request replaces it');
SELECT is((SELECT r.action FROM capforecast.change_tier('2', 'professional', as_of => '2025-03-23') r), 'pending_cancelled', '8.9.2 the same tier: what was pending is cancelled');
SELECT is((SELECT r.action FROM capforecast.change_tier('2', 'professional', as_of => '2025-03-23') r), 'noop', '8.9.2 nothing pending: nothing');
DO $$ BEGIN PERFORM capforecast.change_tier('2', 'essential', as_of => '2025-03-22'); END $$;
CREATE TEMP TABLE foreseen AS SELECT i.lines, i.subtotal_cents, i.amount_due_cents FROM capforecast.upcoming_invoice('2', '2025-03-31') i;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-04-01'); END $$;
SELECT results_eq($$ SELECT line_items - -1, subtotal_cents, total_cents FROM billing_history WHERE vendor_id = 2 $$, 'SELECT * FROM foreseen', '8.3.12, 8.11.5 the draft is what was shown');
SELECT is(pg_temp.shown(2), 'essential active 2025-04-01 2025-05-01 0', '8.3.6 the pending change is applied at the boundary');
SELECT is((SELECT (st.pending_tier, st.credit_cents, b.price_cents)::text FROM capforecast.subscription_state st JOIN capforecast.billed_period b ON b.subscription_id = st.subscription_id AND b.ends = st.billed_until WHERE st.subscription_id = '2'), '(,10568,4900)', '8.3.12 credit lowered by what was applied');
SELECT is((SELECT count(*) FROM capforecast.pending_invoice_item WHERE vendor_id = '2' AND invoiced_at IS NULL), 0::bigint, '8.3.12 pending items are invoiced');
SELECT is((SELECT count(*) FROM capforecast.audit_log WHERE vendor_id = '2' AND operation = 'apply_pending_change'), 1::bigint, '8.3.6 audited once');

-- classification and states
SELECT pg_temp.subscribe(3, 'professional', 'active', '2025-03-01', '2026-03-01', annual => true);
SELECT is((SELECT (r.action, r.effective_at)::text FROM capforecast.quote_tier_change('3', 'business', annual => false, as_of => '2025-03-10') r),
	'(downgrade,"2026-03-01 00:00:00+00")', '8.9.1 to a shorter interval is a downgrade, whatever the tier');
SELECT is((SELECT r.action FROM capforecast.quote_tier_change('1', 'essential', annual => true, as_of => '2025-03-22') r), 'downgrade', '8.9.1 a lower tier by the year is one, too');
SELECT throws_ok($$ SELECT capforecast.change_tier('1', 'none') $$, 'P0002', NULL, '8.9.2 unknown tier');
SELECT throws_ok($$ SELECT capforecast.change_tier('1', 'closed') $$, '22023', NULL, '8.9.2 inactive tier');
SELECT throws_ok($$ SELECT capforecast.change_tier('4711', 'business') $$, 'P0002', NULL, 'C12 unknown vendor');
SELECT throws_ok($$ SELECT capforecast.change_tier('1', 'business', timing => 'soon') $$, '22023', NULL, 'C12 bad argument');
SELECT pg_temp.subscribe(4, 'essential', 'trial', '2025-03-01', '2025-04-01', trial_ends_at => '2025-03-20');
SELECT is(pg_temp.numbers(capforecast.change_tier('4', 'business', as_of => '2025-03-10')), 'upgrade 0', '8.9.3 in trial: at once, no lines');
SELECT is((SELECT (tier, status, trial_ends_at::date)::text FROM vendor_subscriptions WHERE id = 4), '(business,trial,2025-03-20)', '8.9.3 the trial''s end is unchanged');
SELECT pg_temp.subscribe(5, 'professional', 'past_due', '2025-03-01', '2025-04-01');
SELECT throws_ok($$ SELECT capforecast.change_tier('5', 'business', as_of => '2025-03-10') $$, '55000', NULL, '8.9.3 past due: no upgrade');
SELECT throws_ok($$ SELECT capforecast.change_tier('5', 'business', 'period_end', as_of => '2025-03-10') $$, '55000', NULL, '8.9.3 past due: nor a later one');
SELECT lives_ok($$ SELECT capforecast.change_tier('5', 'essential', as_of => '2025-03-10') $$, '8.9.3 past due: a downgrade may wait');
SELECT pg_temp.subscribe(6, 'professional', 'cancelled', '2025-03-01', '2025-04-01');
SELECT throws_ok($$ SELECT capforecast.change_tier('6', 'business', as_of => '2025-03-10') $$, '55000', 'subscription 6 is not live', '8.9.3 not live');

-- C at once: to the credit balance, never a refund
SELECT pg_temp.subscribe(7, 'c2000', 'active', '2026-04-01', '2026-05-01');
DO $$ BEGIN PERFORM capforecast.change_tier('7', 'c1000', 'immediate', as_of => '2026-04-21'); END $$;
SELECT is((SELECT credit_cents FROM capforecast.subscription_state WHERE subscription_id = '7'), 334::bigint, '8.9.5 below 0: credit');
SELECT is((SELECT i.amount_due_cents FROM capforecast.upcoming_invoice('7', '2026-04-22') i), 666::bigint, '8.9.5 and no pending items');

-- over the new limits
SELECT pg_temp.subscribe(8, 'professional', 'active', '2025-03-01', '2025-04-01');
INSERT INTO products (vendor_id) SELECT 8 FROM generate_series(1, 201);
SELECT throws_ok($$ SELECT capforecast.change_tier('8', 'essential', as_of => '2025-03-10') $$, '55000', 'vendor 8 uses more than tier "essential" allows', '8.9.6 over the limit');
SELECT is((SELECT r.over_limit FROM capforecast.quote_tier_change('8', 'essential', as_of => '2025-03-10') r), '[{"resource": "products", "used": 201, "limit": 200, "over_by": 1}]', '8.9.6 which');
SELECT lives_ok($$ SELECT capforecast.change_tier('8', 'essential', ack_over_limit => true, as_of => '2025-03-10') $$, '8.9.6 acknowledged');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-04-01 00:01'); END $$;
SELECT is((SELECT tier FROM vendor_subscriptions WHERE id = 8), 'essential', '8.9.6 applied even if still over');
SELECT is((SELECT capforecast.usage_summary('8', '2025-04-02') #> '{resources,products,can_add}'), 'false', '8.9.6 and nothing can be added');

-- cancellation
UPDATE vendor_subscriptions SET cancel_at_period_end = true WHERE id IN (1, 3);
SELECT is((SELECT r.notes FROM capforecast.quote_tier_change('1', 'enterprise', keep_cancel => true, as_of => '2025-03-22') r), '{}', '8.9.7 keep_cancel');
SELECT is((SELECT r.notes FROM capforecast.change_tier('1', 'enterprise', as_of => '2025-03-22') r), '{cancellation_cleared}', '8.9.7 an upgrade clears a cancellation, and says so');
SELECT is((SELECT cancel_at_period_end FROM vendor_subscriptions WHERE id = 1), false, '8.9.7 cleared');

-- K for real: the year begins at once
SELECT pg_temp.subscribe(9, 'professional', 'active', '2025-03-01', '2025-04-01', 12);
SELECT pg_temp.order_at(9, '2025-03-05', '2025-03-16 12:00');
DO $$ BEGIN PERFORM capforecast.change_tier('9', 'professional', annual => true, as_of => '2025-03-16 12:00:00.5'); END $$;
SELECT is((SELECT (is_annual, period_start, period_end, orders_this_period)::text FROM vendor_subscriptions WHERE id = 9), '(t,"2025-03-16 12:00:00+00","2026-03-16 12:00:00+00",1)', '8.9.9 a year from now');
SELECT is((SELECT (anchor_local, usage_end)::text FROM capforecast.subscription_state WHERE subscription_id = '9'), '("2025-03-16 12:00:00","2025-04-16 12:00:00+00")', '8.9.9 the anchor is the change');
SELECT is((SELECT (window_start::date, window_end, reason, orders_counter)::text FROM capforecast.period_ledger WHERE subscription_id = '9'), '(2025-03-01,"2025-03-16 12:00:00+00",reanchor,12)', '8.9.9 the usage window is closed early');
SELECT is((SELECT (status, total_cents)::text FROM billing_history WHERE vendor_id = 9), '(draft,94050)', '9.4 K billed at once');

-- Add-ons
SELECT pg_temp.subscribe(20, 'c2000', 'active', '2026-04-01', '2026-05-01'), pg_temp.subscribe(21, 'essential', 'active', '2025-03-01', '2025-04-01');
SELECT is((SELECT r.net_cents FROM capforecast.quote_addon('20', 'a500', 3, as_of => '2026-04-21') r), 500::bigint, '9.4 N');
SELECT is((SELECT r.net_cents FROM capforecast.purchase_addon('21', 'a333', 3, idempotency_key => 'p', as_of => '2025-03-10') r), 709::bigint, '9.4 O the line is rounded, not the unit');
SELECT is((SELECT r.net_cents FROM capforecast.purchase_addon('21', 'a333', 3, idempotency_key => 'p', as_of => '2025-03-11') r), 709::bigint, 'C14 once');
UPDATE addon_products SET price_cents = 999 WHERE code = 'a333';
SELECT is((SELECT r.lines -> 0 ->> 'unit_price_cents' FROM capforecast.purchase_addon('21', 'a333', 1, as_of => '2025-03-10') r), '333', '8.10.2 at the price of the first purchase');
SELECT is((SELECT (count(*), sum(quantity))::text FROM vendor_addons WHERE vendor_id = 21), '(1,4)', '8.10.1 one live row, the quantity grows');
SELECT throws_ok($$ SELECT capforecast.purchase_addon('21', 'extra_products', 21) $$, '55000', NULL, '8.10.1 max_quantity');
SELECT throws_ok($$ SELECT capforecast.purchase_addon('21', 'a500', 0) $$, '22023', NULL, '8.10.1 quantity below 1');
SELECT throws_ok($$ SELECT capforecast.purchase_addon('21', 'yearly') $$, '22023', NULL, '8.10.2 another interval');
SELECT throws_ok($$ SELECT capforecast.purchase_addon('21', 'none') $$, 'P0002', NULL, 'C12 unknown add-on');
SELECT throws_ok($$ SELECT capforecast.purchase_addon('6', 'a500') $$, '55000', NULL, '8.10.3 not live');
SELECT is((SELECT r.net_cents FROM capforecast.purchase_addon('21', 'setup', as_of => '2025-03-10') r), 25000::bigint, '8.10.2 one time: in full');
SELECT pg_temp.subscribe(22, 'essential', 'trial', '2025-03-01', '2025-04-01', trial_ends_at => '2025-03-20');
SELECT is((SELECT r.lines FROM capforecast.purchase_addon('22', 'extra_products', 2, as_of => '2025-03-10') r), '[]', '8.10.3 in trial no charge');
SELECT is((SELECT capforecast.usage_summary('22', '2025-03-10') #>> '{resources,products,limit}'), '1200', '8.10.4, C5 and it grants at once');
UPDATE addon_products SET currency = 'USD' WHERE code = 'a500';
SELECT throws_ok($$ SELECT capforecast.purchase_addon('21', 'a500') $$, '22023', NULL, '8.10.3 another currency');

SELECT is((SELECT (r.action, r.net_cents)::text FROM capforecast.cancel_addon('21', 'a333', 1, as_of => '2025-03-10') r), '(reduce,-236)', '8.10.5 fewer: at once, with credit');
SELECT is((SELECT (r.action, r.effective_at::date, r.net_cents)::text FROM capforecast.cancel_addon('21', 'a333', as_of => '2025-03-12', idempotency_key => 'c') r), '(cancel,2025-04-01,0)', '8.10.5 at the end of the period');
SELECT is((SELECT (status, quantity)::text FROM vendor_addons WHERE vendor_id = 21 AND unit_price_cents = 333), '(cancelling,3)', '8.10.5 cancelling, granted until then');
SELECT is((SELECT count(*) FROM capforecast.upcoming_invoice('21', '2025-03-13') i, jsonb_array_elements(i.lines) l WHERE l ->> 'kind' = 'addon' AND l ->> 'period_start' >= '2025-04'), 0::bigint, '8.10.5 not on the next invoice');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-04-01 00:01'); END $$;
SELECT is((SELECT (status, cancelled_at::date)::text FROM vendor_addons WHERE vendor_id = 21 AND unit_price_cents = 333), '(cancelled,2025-04-01)', '8.10.5 the boundary makes it cancelled');
SELECT throws_ok($$ SELECT capforecast.cancel_addon('21', 'a333') $$, '55000', NULL, '8.10.5 nothing live');
SELECT is((SELECT r.action FROM capforecast.cancel_addon('21', 'a333', idempotency_key => 'c') r), 'cancel', '8.10.5 with the same key: the stored answer');
SELECT is((SELECT l ->> 'amount_cents' FROM billing_history b, jsonb_array_elements(line_items) l WHERE vendor_id = 21 AND l ->> 'kind' = 'one_time'), '25000', '8.10.2 one time: on one invoice');
SELECT is((SELECT (status)::text FROM vendor_addons WHERE vendor_id = 21 AND unit_price_cents = 25000), 'active', '8.10.2 and granting until cancelled');
-- rounding gains nothing: three times one, and back at once
UPDATE billing_history SET status = 'paid';
SELECT pg_temp.subscribe(23, 'essential', 'active', '2025-03-01', '2025-04-01');
UPDATE addon_products SET price_cents = 333 WHERE code = 'a333';
DO $$ BEGIN FOR i IN 1 .. 3 LOOP PERFORM capforecast.purchase_addon('23', 'a333', 1, as_of => '2025-03-10'); END LOOP; END $$;
SELECT is((SELECT r.net_cents FROM capforecast.cancel_addon('23', 'a333', timing => 'immediate', as_of => '2025-03-10') r), -708::bigint, '8.10.5 credit up to what was billed (3 × 236), not 709');
-- the subscription's end is the add-ons'
SELECT pg_temp.subscribe(24, 'essential', 'active', '2025-03-01', '2025-04-01');
DO $$ BEGIN PERFORM capforecast.purchase_addon('24', 'extra_member', as_of => '2025-03-10'); END $$;
UPDATE vendor_subscriptions SET cancel_at_period_end = true WHERE id = 24;
SELECT is((SELECT i.source FROM capforecast.upcoming_invoice('24', '2025-03-11') i), 'local', '8.11.1 ending, but something is pending');
SELECT pg_temp.subscribe(25, 'essential', 'active', '2025-03-01', '2025-04-01');
DO $$ BEGIN PERFORM capforecast.purchase_addon('25', 'extra_member', as_of => '2025-03-10'); END $$;
UPDATE vendor_subscriptions SET cancel_at_period_end = true WHERE id = 25;
DELETE FROM capforecast.pending_invoice_item WHERE vendor_id = '24';
SELECT is((SELECT i::text FROM capforecast.upcoming_invoice('24', '2025-03-11') i), '(,,,,,,,,"none: ends_at_period_end",,)', '8.11.1 ending: no invoice, and no zeros');
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-04-01'); END $$;
SELECT is((SELECT (status, total_cents, line_items -> 0 ->> 'kind')::text FROM billing_history WHERE vendor_id = 25), '(draft,355,addon)', '8.11.1 and what was pending is on a last draft');
SELECT is((SELECT count(*) FROM billing_history WHERE vendor_id = 24), 0::bigint, '8.11.1 nothing pending: no draft');
SELECT is((SELECT (status, cancelled_at::date)::text FROM vendor_addons WHERE vendor_id = 24), '(cancelled,2025-04-01)', '8.10.6 cancelled with the subscription');
SELECT is((SELECT i.source FROM capforecast.upcoming_invoice('6') i), 'none: cancelled', '8.11.1 not live');
SELECT throws_ok($$ SELECT capforecast.upcoming_invoice('4711') $$, 'P0002', NULL, 'C12 unknown vendor');

-- the next invoice, further
SELECT is((SELECT (i.due_at::date, i.period_start::date, i.period_end::date, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('22', '2025-03-11') i), '(2025-03-20,2025-03-20,2025-04-20,7900)', '8.11.2 in trial: due at its end');
SELECT is((SELECT (i.due_at::date, i.period_end::date, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('9', '2025-04-11') i), '(2026-03-16,2027-03-16,99000)', '8.11.2 annual');
UPDATE vendor_subscriptions SET tier = 'none' WHERE id = 22;
SELECT throws_ok($$ SELECT capforecast.upcoming_invoice('22', '2025-03-11') $$, 'P0002', NULL, '8.11.6 an unknown price is an error, not 0');
UPDATE capforecast.pending_invoice_item SET invoiced_at = NULL, currency = 'USD' WHERE vendor_id = '23';
SELECT throws_ok($$ SELECT capforecast.upcoming_invoice('23', '2025-03-11') $$, '22023', NULL, 'C3 one currency for an invoice');
SELECT * FROM finish();
ROLLBACK;
