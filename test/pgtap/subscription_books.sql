-- Two parties write: what the host moves, saves again, ends and begins beside the jobs, one
-- case each; the random walk through all of them is subscription_ledger.sql.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();
SET LOCAL capforecast.manage_subscriptions = on;
INSERT INTO addon_products (code, name, category, price_cents, billing_period, grants_resource, grants_per_unit) VALUES
	('seats', 'Seats', 'x', 700, 'monthly', 'team_members', 1), ('vault', 'Vault', 'x', 8000, 'annual', 'products', 100), ('setup', 'Setup', 'x', 3300, 'one_time', NULL, 0);
INSERT INTO subscription_tiers (code, name, price_monthly_cents, price_annual_cents, currency) VALUES ('dollar', 'Dollar', 3900, 39000, 'USD');
CREATE FUNCTION pg_temp.drafts(v bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s..%s %s', invoice_date::date, period_end::date, subtotal_cents), ', ' ORDER BY id) FROM billing_history WHERE vendor_id = v
$$;
CREATE FUNCTION pg_temp.books(v bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s..%s %s %s', starts::date, ends::date, billed_by, amount_cents), ', ' ORDER BY starts) FROM capforecast.billed_period WHERE subscription_id = v::text
$$;
CREATE FUNCTION pg_temp.word(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	word text;
BEGIN
	EXECUTE statement;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS word = CONSTRAINT_NAME;
	RETURN SQLSTATE || ' ' || word;
END $$;

-- 8.0.1: an old row that is saved again
SELECT pg_temp.subscribe(1, 'business', 'active', '2025-05-07', '2025-06-07');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-05-20'), capforecast.reset_period_counters('2025-06-07 00:02'); END $$;
SELECT pg_temp.order_at(1, '2025-06-07 08:00');
UPDATE vendor_subscriptions SET period_start = '2025-05-07', period_end = '2025-06-07', orders_this_period = 40 WHERE id = 1;
SELECT is((SELECT (i.due_at::date, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('1', '2025-06-08') i), '(2025-07-07,19900)', '8.0.2 a read follows in thought');
SELECT is(pg_temp.shown(1), 'business active 2025-05-07 2025-06-07 40', '8.0.2 and writes nothing');
SELECT is((SELECT r.findings FROM capforecast.reset_period_counters('2025-06-08') r), '{"period_moved_back": 1}', '8.0.1 period_moved_back');
SELECT is(pg_temp.shown(1), 'business active 2025-06-07 2025-07-07 1', '8.0.1 the row is put forward, and counted');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-07-07 00:02'); END $$;
SELECT is(pg_temp.drafts(1), '2025-06-07..2025-07-07 19900, 2025-07-07..2025-08-07 19900', '8.0.1 nothing is billed again');
SELECT is((SELECT resolved_at FROM capforecast.finding WHERE code = 'period_moved_back'), '2025-07-07 00:02+00', '8.6.4 the finding is resolved when the next period begins');
SELECT throws_ok($$ INSERT INTO capforecast.billed_period (subscription_id, starts, ends, billed_by, previous_end) VALUES ('1', '2025-08-01', '2025-09-01', 'us', '2025-08-01') $$, '23503', NULL, '8.0.1 the books refuse what overlaps or leaves a hole');
SELECT throws_ok($$ INSERT INTO capforecast.billed_period (subscription_id, starts, ends, billed_by) VALUES ('1', '2025-08-01', '2025-09-01', 'us') $$, '23505', NULL, '8.0.1 and a second beginning');
SELECT throws_ok($$ UPDATE capforecast.billed_period SET ends = '2025-06-30' WHERE subscription_id = '1' AND starts = '2025-06-07' $$, '23503', NULL, '8.0.1 nor can a row within be cut');

-- 8.0.1: what could not be billed stays due
SELECT pg_temp.subscribe(2, 'secret', 'active', '2025-05-01', '2025-06-01');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-06-01 00:02'), capforecast.reset_period_counters('2025-07-01 00:02'); END $$;
SELECT is((SELECT (count(*), (SELECT billed_until::date FROM capforecast.subscription_state WHERE subscription_id = '2'))::text FROM billing_history WHERE vendor_id = 2), '(0,2025-06-01)', '8.0.1 no price, no draft, not billed');
SELECT is((SELECT code FROM capforecast.finding WHERE subject = 'subscription 2' AND resolved_at IS NULL), 'no_price', '8.0.1 a finding');
SELECT is(pg_temp.word($$ SELECT capforecast.upcoming_invoice('2', '2025-07-02') $$), 'P0002 no_price', '8.11.6 unknown is not 0');
INSERT INTO subscription_tiers (code, name, price_monthly_cents) VALUES ('secret', 'Secret', 1300);
SELECT is((SELECT (i.due_at::date, i.period_end::date, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('2', '2025-07-02') i), '(2025-06-01,2025-08-01,2600)', '8.0.1 it is shown once it can be billed');
SELECT is((SELECT (r.drafts, r.changed)::text FROM capforecast.reset_period_counters('2025-07-02') r), '(1,0)', '8.0.1 put right: billed by the next run');
SELECT is(pg_temp.drafts(2), '2025-06-01..2025-08-01 2600', '8.0.1 both months');
SELECT is(pg_temp.books(2), '2025-05-01..2025-06-01 host , 2025-06-01..2025-07-01 us 1300, 2025-07-01..2025-08-01 us 1300', '8.0.1 each in the books');

-- 8.0.2: the host renews by itself, and the vendor goes up before a job has seen it
SELECT pg_temp.subscribe(3, 'essential', 'active', '2025-09-01', '2025-10-01');
SELECT is((SELECT r.net_cents FROM capforecast.change_tier('3', 'professional', as_of => '2025-09-29') r), 333::bigint, '8.0.2 up in the last days');
UPDATE vendor_subscriptions SET period_start = '2025-10-01', period_end = '2025-11-01' WHERE id = 3;
SELECT is((SELECT r.net_cents FROM capforecast.quote_tier_change('3', 'business', as_of => '2025-10-16 12:00') r), 5000::bigint, '8.0.2 credit of what the host billed for its period');
SELECT is((SELECT r.net_cents FROM capforecast.change_tier('3', 'business', as_of => '2025-10-16 12:00') r), 5000::bigint, '8.0.14 as quoted');
SELECT is(pg_temp.books(3), '2025-09-01..2025-10-01 host 660, 2025-10-01..2025-11-01 host 9950', '8.0.2 the host''s period, and what was charged in it');
UPDATE vendor_subscriptions SET period_start = '2025-11-01', period_end = '2025-12-01' WHERE id = 3;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-11-01 00:02'); END $$;
SELECT is(pg_temp.drafts(3), '2025-11-01.. 5333', '8.0.2 the host bills for two periods running: what is open goes on a draft of its own');
SELECT is((SELECT count(*) FROM capforecast.pending_invoice_item WHERE vendor_id = '3' AND (invoiced_at IS NULL OR invoice_ref IS NULL)), 0::bigint, '8.0.2 and knows which');
-- the same without a job at all: a read still knows
SELECT pg_temp.subscribe(4, 'essential', 'active', '2025-09-01', '2025-10-01');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-09-02'); END $$;
UPDATE vendor_subscriptions SET period_start = '2025-10-01', period_end = '2025-11-01', tier = 'professional' WHERE id = 4;
SELECT is((SELECT r.lines -> 0 ->> 'amount_cents' FROM capforecast.quote_tier_change('4', 'business', as_of => '2025-10-16 12:00') r), '-4950', '8.0.2 another tier that the host has billed');
-- a gap, and an anchor
SELECT pg_temp.subscribe(5, 'essential', 'active', '2025-03-10', '2025-04-10');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-03-11'); END $$;
UPDATE vendor_subscriptions SET period_start = '2025-04-23', period_end = '2025-05-23' WHERE id = 5;
SELECT is((SELECT r.findings - 'clock_moved_back' FROM capforecast.reset_period_counters('2025-04-24') r), '{"anchor_moved": 1, "period_gap": 1}', '8.0.2 anchor_moved, period_gap');
SELECT is((SELECT severity FROM capforecast.finding WHERE code = 'period_gap'), 'info', '8.0.2 the gap is the host''s');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-05-23 00:02'); END $$;
SELECT is(pg_temp.books(5), '2025-03-10..2025-04-10 host 4900, 2025-04-10..2025-04-23 host , 2025-04-23..2025-05-23 host 4900, 2025-05-23..2025-06-23 us 4900', '8.0.2 the grid is the new one');
-- came back
SELECT pg_temp.subscribe(6, 'professional', 'active', '2025-01-09', '2025-02-09');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-02-09 00:02'), capforecast.cancel_subscription('6', as_of => '2025-02-10'), capforecast.cleanup_stale_subscriptions('2025-03-09 03:00'); END $$;
UPDATE vendor_subscriptions SET status = 'active', cancel_at_period_end = false, cancelled_at = NULL, period_start = '2025-05-26', period_end = '2025-06-26' WHERE id = 6;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-05-26 00:02'), capforecast.reset_period_counters('2025-06-26 00:02'), capforecast.reset_period_counters('2025-07-10'); END $$;
SELECT is(pg_temp.drafts(6), '2025-02-09..2025-03-09 9900, 2025-06-26..2025-07-26 9900', '8.0.2 a vendor who came back is billed from the end of the host''s period');
SELECT is(pg_temp.books(6), '2025-01-09..2025-02-09 host 9900, 2025-02-09..2025-03-09 us 9900, 2025-03-09..2025-05-26 nobody , 2025-05-26..2025-06-26 host 9900, 2025-06-26..2025-07-26 us 9900', '8.0.2 nobody billed the time between');
-- what a draft has billed is not billed again, whoever comes back by the month
SELECT pg_temp.subscribe(7, 'essential', 'active', '2024-03-10', '2025-03-10', annual => true);
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-03-10 00:02'), capforecast.cancel_subscription('7', 'immediate', as_of => '2025-04-01'); END $$;
UPDATE vendor_subscriptions SET status = 'active', cancelled_at = NULL, is_annual = false, period_start = '2025-05-01', period_end = '2025-06-01' WHERE id = 7;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-05-01 00:02'), capforecast.reset_period_counters('2025-06-05'), capforecast.reset_period_counters('2026-03-10 00:02'); END $$;
SELECT is(pg_temp.drafts(7), '2025-03-10..2026-03-10 49000, 2026-03-10..2026-04-10 4900', '8.0.1 billed through never goes back');

-- 8.0.4: trials
SET LOCAL capforecast.trial_action = 'activate';
SELECT pg_temp.subscribe(10, 'essential', 'trial', '2025-03-01', '2025-03-20', trial_ends_at => '2025-03-20');
DO $$ BEGIN PERFORM capforecast.cancel_subscription('10', as_of => '2025-03-02'); END $$;
SELECT is((SELECT i.source FROM capforecast.upcoming_invoice('10', '2025-03-10') i), 'none: ends with the trial', '8.0.4 a cancelled trial: no invoice');
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-03-20 03:00'), capforecast.check_trial_expirations('2025-03-20 03:00'); END $$;
SELECT is((SELECT (status, cancelled_at::date)::text FROM vendor_subscriptions WHERE id = 10), '(cancelled,2025-03-20)', '8.0.4 cancelled, whatever becomes of other trials');
SELECT is(pg_temp.drafts(10), NULL, '8.0.4 and no draft');
SELECT pg_temp.subscribe(11, 'essential', 'trial', '2025-03-05', '2025-04-05', trial_ends_at => '2025-02-11');
SELECT is((SELECT (r.changed, r.failed)::text FROM capforecast.check_trial_expirations('2025-03-05 06:00') r), '(1,0)', '8.0.4 a trial that ended before its window began is settled');
SELECT is(pg_temp.books(11), '2025-02-11..2025-03-11 us 4900', '8.0.4 from its end');
SELECT pg_temp.subscribe(12, 'professional', 'trial', '2025-03-01', '2025-04-01', trial_ends_at => '2025-03-15');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-03-02'); END $$;
UPDATE vendor_subscriptions SET status = 'active' WHERE id = 12;
SELECT is((SELECT (r.net_cents, r.lines -> 0 ->> 'amount_cents')::text FROM capforecast.quote_tier_change('12', 'business', as_of => '2025-03-16 12:00') r), '(9950,0)', '8.0.4 nothing was billed in a trial: no credit');
SET LOCAL capforecast.trial_action = 'expire';
SELECT pg_temp.subscribe(13, 'essential', 'trial', '2025-03-01', '2025-04-01', trial_ends_at => '2025-03-15');
SELECT is((SELECT i.source FROM capforecast.upcoming_invoice('13', '2025-03-10') i), 'none: the trial expires', '8.0.4 upcoming follows trial_action: expire');
SET LOCAL capforecast.trial_action = 'downgrade:professional';
SELECT is((SELECT (i.due_at::date, i.amount_due_cents, i.estimate)::text FROM capforecast.upcoming_invoice('13', '2025-03-10') i), '(2025-03-15,9900,f)', '8.0.4 downgrade: that tier''s price');
SET LOCAL capforecast.manage_subscriptions = off;
SELECT is((SELECT (i.due_at::date, i.amount_due_cents, i.estimate)::text FROM capforecast.upcoming_invoice('13', '2025-03-10') i), '(2025-03-15,4900,t)', '8.0.4 not managed: the tier''s price, as an estimate');
SET LOCAL capforecast.manage_subscriptions = on;
RESET capforecast.trial_action;

-- 8.0.5: credit
SELECT pg_temp.subscribe(20, 'essential', 'active', '2025-02-01', '2025-03-01');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-02-02'), capforecast.reset_period_counters('2025-03-01 00:02'); END $$;
SELECT is((SELECT (r.net_cents, r.lines -> 0 ->> 'withheld_cents')::text FROM capforecast.change_tier('20', 'professional', as_of => '2025-03-16 12:00') r), '(4950,2450)', '8.0.5 of an unpaid invoice: withheld, and kept');
SELECT is((SELECT i.subtotal_cents FROM capforecast.upcoming_invoice('20', '2025-03-17') i), (9900 + 4950)::bigint, '8.0.5 not shown before it is paid');
SELECT is((SELECT r.net_cents FROM capforecast.change_tier('20', 'business', as_of => '2025-03-20') r), (round(19900 * 12 / 31.0) - least(round(9900 * 12 / 31.0), 4950))::bigint, '8.0.5 what is on no invoice yet is credited in full');
UPDATE billing_history SET status = 'paid' WHERE vendor_id = 20;
SELECT is((SELECT i.subtotal_cents FROM capforecast.upcoming_invoice('20', '2025-03-21') i), (19900 + 4950 + round(19900 * 12 / 31.0) - round(9900 * 12 / 31.0) - 2450)::bigint, '8.0.5 shown from when it is paid');
CREATE TEMP TABLE foreseen AS SELECT i.lines, i.subtotal_cents FROM capforecast.upcoming_invoice('20', '2025-03-31') i;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-04-01 00:02'); END $$;
SELECT results_eq($$ SELECT line_items, subtotal_cents FROM billing_history WHERE vendor_id = 20 ORDER BY id DESC LIMIT 1 $$, 'SELECT * FROM foreseen', '8.0.5 and on the next draft');
SELECT pg_temp.subscribe(21, 'essential', 'active', '2025-03-01', '2025-04-01');
INSERT INTO billing_history (vendor_id, invoice_date, period_start, period_end, total_cents, status, line_items) VALUES
	(21, '2025-03-01', '2025-03-01', '2025-04-01', 4900, 'void', '[]'), (21, '2025-03-02', '2025-03-01', '2025-04-01', 4900, 'paid', '[]'),
	(21, '2025-03-05', '2025-03-05', '2025-03-25', 9000, 'open', '[{"kind": "one_time"}]'), (21, '2025-03-06', '2025-03-06', '2025-03-20', 9000, 'open', '[]');
SELECT is((SELECT r.net_cents FROM capforecast.quote_tier_change('21', 'professional', as_of => '2025-03-16 12:00') r), 2500::bigint, '8.0.5 void ones do not count, nor what stands beside the plan''s');
UPDATE billing_history SET status = 'void' WHERE vendor_id = 21 AND status = 'paid';
SELECT is((SELECT r.net_cents FROM capforecast.quote_tier_change('21', 'professional', as_of => '2025-03-16 12:00') r), 4950::bigint, '8.0.5 all void: no credit');
SELECT is((SELECT (r.net_cents)::text FROM capforecast.purchase_addon('20', 'seats', 4, as_of => '2025-04-11') r), '1867', '8.0.5 an add-on');
SELECT is((SELECT (r.net_cents)::text FROM capforecast.cancel_addon('20', 'seats', timing => 'immediate', as_of => '2025-04-11 00:00:40') r), '-1867', '8.0.5 given back while on no invoice: in full, though the plan''s draft is open');
SELECT is((SELECT i.amount_due_cents FROM capforecast.upcoming_invoice('20', '2025-04-12') i), 19900::bigint, '8.0.5 and is not owed');

-- 8.0.6: currency
SELECT pg_temp.subscribe(30, 'professional', 'active', '2025-03-01', '2025-04-01');
SELECT is(pg_temp.word($$ SELECT capforecast.change_tier('30', 'dollar', as_of => '2025-03-10') $$), '22023 currency_mismatch', '8.0.6 a change that waits is checked as one at once');
SELECT is(pg_temp.word($$ SELECT capforecast.quote_tier_change('30', 'dollar', 'immediate', as_of => '2025-03-10') $$), '22023 currency_mismatch', '8.0.6 and so is a quote');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-03-02'); END $$;
UPDATE capforecast.subscription_state SET credit_cents = 3000 WHERE subscription_id = '30';
UPDATE vendor_subscriptions SET tier = 'dollar' WHERE id = 30;
SELECT is((SELECT (i.currency, i.credit_applied_cents, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('30', '2025-03-11') i), '(USD,0,3900)', '8.0.6 credit pays invoices of its currency alone');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-04-01 00:02'); END $$;
SELECT is((SELECT (b.total_cents, st.credit_cents, st.credit_currency)::text FROM billing_history b, capforecast.subscription_state st WHERE b.vendor_id = 30 AND st.subscription_id = '30'), '(3900,3000,EUR)', '8.0.6 in the draft, too');

-- 8.0.7: intervals
SELECT pg_temp.subscribe(40, 'professional', 'active', '2025-03-01', '2025-04-01');
SELECT is((SELECT r.net_cents FROM capforecast.quote_tier_change('40', 'professional', annual => true, proration => 'none', as_of => '2025-03-16 12:00') r), 99000::bigint, '8.0.7 none: what will be drafted');
DO $$ BEGIN PERFORM capforecast.change_tier('40', 'professional', annual => true, proration => 'none', as_of => '2025-03-16 12:00'); END $$;
SELECT is(pg_temp.drafts(40), '2025-03-16..2026-03-16 99000', '8.0.7 and is');
SELECT is(pg_temp.books(40), '2025-03-01..2025-03-16 host 9900, 2025-03-16..2026-03-16 us 99000', '8.0.1 the last row can be cut short');
SELECT is((SELECT r.action FROM capforecast.change_tier('40', 'professional', annual => false, as_of => '2025-09-01') r), 'downgrade', '8.9.1 to the month: at the end of the year');
SELECT is(pg_temp.word($$ SELECT capforecast.quote_addon('40', 'vault', as_of => '2025-09-02') $$), '22023 interval_mismatch', '8.0.7 an add-on must fit what is to come');
SELECT is(pg_temp.word($$ SELECT capforecast.purchase_addon('40', 'seats', as_of => '2025-09-02') $$), '22023 interval_mismatch', '8.0.7 and what there is');
SELECT pg_temp.subscribe(41, 'professional', 'active', '2025-03-01', '2025-04-01');
DO $$ BEGIN PERFORM capforecast.purchase_addon('41', 'seats', as_of => '2025-03-05'); END $$;
SELECT is(pg_temp.word($$ SELECT capforecast.change_tier('41', 'professional', 'period_end', annual => true, as_of => '2025-03-06') $$), '22023 interval_mismatch', '8.0.7 an add-on of the other interval is in the way');
DO $$ BEGIN PERFORM capforecast.cancel_addon('41', 'seats', as_of => '2025-03-06'); END $$;
SELECT is((SELECT r.action FROM capforecast.change_tier('41', 'professional', 'period_end', annual => true, as_of => '2025-03-06') r), 'upgrade', '8.0.7 one that ends is not');

-- 8.0.8: endings, and what was pending
SELECT pg_temp.subscribe(50 + n, 'essential', 'active', '2025-03-01', '2025-04-01') FROM generate_series(0, 3) n;
DO $$ BEGIN PERFORM capforecast.purchase_addon((50 + n)::text, 'setup', as_of => '2025-03-02') FROM generate_series(0, 3) n; END $$;
UPDATE vendor_subscriptions SET status = 'cancelled', cancelled_at = '2025-03-10' WHERE id = 50;
UPDATE vendor_subscriptions SET status = 'past_due' WHERE id = 51;
DO $$ BEGIN PERFORM capforecast.cancel_subscription('52', 'immediate', 'moves away', as_of => '2025-03-12'), capforecast.cancel_subscription('53', as_of => '2025-03-12'); END $$;
SELECT is((SELECT (cancel_at_period_end, status)::text FROM vendor_subscriptions WHERE id = 53), '(t,active)', '8.0.15 cancelled at the end of the period: access stays');
SELECT is((SELECT cancellation_reason FROM vendor_subscriptions WHERE id = 52), 'moves away', '8.0.15 the reason');
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-03-15'), capforecast.reset_period_counters('2025-03-15'); END $$;
DO $$ BEGIN PERFORM capforecast.cleanup_stale_subscriptions('2025-04-20'), capforecast.reset_period_counters('2025-04-20'); END $$;
SELECT is((SELECT string_agg(format('%s %s', id, pg_temp.drafts(id)), '; ' ORDER BY id) FROM vendors WHERE id IN (50, 52, 53)),
	'50 2025-03-10.. 3300; 52 2025-03-12.. 3300; 53 2025-04-01.. 3300', '8.0.8 ended by the host, at once, at the end of the period: a last draft, once');
SELECT is((SELECT (status, pg_temp.drafts(51))::text FROM vendor_subscriptions WHERE id = 51), '(expired,"2025-04-20.. 3300")', '8.0.8 lapsed');
UPDATE vendor_subscriptions SET status = 'active', cancelled_at = NULL, period_start = '2026-03-01', period_end = '2026-04-01' WHERE id = 50;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2026-03-01 00:02'), capforecast.reset_period_counters('2026-04-01 00:02'); END $$;
SELECT is(pg_temp.drafts(50), '2025-03-10.. 3300, 2026-04-01..2026-05-01 4900', '8.0.8 nothing of it returns a year later');

-- 8.0.15
SELECT pg_temp.subscribe(60, 'professional', 'active', '2025-03-01', '2025-04-01');
SELECT is((SELECT r.action FROM capforecast.change_tier('60', 'essential', as_of => '2025-03-05') r), 'downgrade', 'a change waits');
SELECT is((SELECT (q.action, q.effective_at::date, q.notes)::text FROM capforecast.quote_cancellation('60', as_of => '2025-03-06') q), '(cancel_scheduled,2025-04-01,{pending_change_cleared})', '8.0.14 the quote of a cancellation');
SELECT is((SELECT to_jsonb(r) FROM capforecast.cancel_subscription('60', idempotency_key => 'k', as_of => '2025-03-06') r), capforecast.quote_cancellation_json('60', as_of => '2025-03-06') || '{"action": "cancel_scheduled", "notes": ["pending_change_cleared"]}', '8.0.15 the deed');
SELECT is((SELECT r.action FROM capforecast.cancel_subscription('60', idempotency_key => 'k', as_of => '2025-03-07') r), 'cancel_scheduled', 'C14 the same key, the same answer');
SELECT is((SELECT r.action FROM capforecast.cancel_subscription('60', as_of => '2025-03-07') r), 'noop', '8.0.15 it is cancelled already');
SELECT is((SELECT r.action FROM capforecast.resume_subscription('60', as_of => '2025-03-08') r), 'resume', '8.0.15 taken back');
SELECT is((SELECT r.action FROM capforecast.resume_subscription('60', as_of => '2025-03-08') r), 'noop', '8.0.15 there is nothing to take back');
DO $$ BEGIN PERFORM capforecast.cancel_subscription('60', 'immediate', as_of => '2025-03-09'); END $$;
SELECT is(pg_temp.word($$ SELECT capforecast.resume_subscription('60', as_of => '2025-03-10') $$), '55000 already_ended', '8.0.15 what has ended has ended');
SELECT is(pg_temp.word($$ SELECT capforecast.cancel_subscription('60', as_of => '2025-03-10') $$), '55000 already_ended', '8.0.15 once');
SELECT is(pg_temp.word($$ SELECT capforecast.cancel_subscription('no such id') $$), 'P0002 unknown_vendor', '8.0.17 an id that is none is unknown');
SELECT is(pg_temp.word($$ SELECT capforecast.cancel_subscription('60', 'now') $$), '22023 bad_argument', '8.0.15 timing');

-- 8.0.18: a free plan, a boundary in a gap of the clock
INSERT INTO subscription_tiers (code, name, price_monthly_cents) VALUES ('free', 'Free', 0);
SELECT pg_temp.subscribe(70, 'free', 'active', '2025-03-01', '2025-04-01');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-03-02'), capforecast.reset_period_counters('2025-04-01 00:02'); END $$;
SELECT is((pg_temp.drafts(70), pg_temp.books(70))::text, '(,"2025-03-01..2025-04-01 host 0, 2025-04-01..2025-05-01 us 0")', '8.0.18 lines that add up to nothing: in the books, without a draft');
SELECT is((SELECT a.anchor FROM capforecast._anchor('2027-02-28 02:30 Europe/Berlin', '2027-03-28 02:30 Europe/Berlin', 'Europe/Berlin') a), '2027-02-28 02:30', '8.0.18 the hour before the gap stays the anchor''s');
SELECT is(timezone('Europe/Berlin', capforecast._boundary('2027-02-28 02:30', 'Europe/Berlin', 1)), '2027-03-28 03:30', '8.0.18 the hour after it, for that month');
SELECT is(timezone('Europe/Berlin', capforecast._boundary('2027-02-28 02:30', 'Europe/Berlin', 2)), '2027-04-28 02:30', '8.0.18 only');
SELECT is((SELECT a.anchor FROM capforecast._anchor('2018-10-04 00:00 America/Sao_Paulo', '2018-11-04 01:00 America/Sao_Paulo', 'America/Sao_Paulo') a), '2018-10-04 00:00', '8.0.18 at midnight, too');
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'job_row_failed'), 0::bigint, 'no row failed');

-- Found by hosts that write what they like (subscription_scribble.sql)
-- a draft of ours for the period before is not the invoice of the one that the host begins within it
SELECT pg_temp.subscribe(170, 'business', 'active', '2025-01-19 05:00', '2025-02-19 05:00');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-02-01'), capforecast.reset_period_counters('2025-02-19 05:02'); END $$;
UPDATE vendor_subscriptions SET period_start = '2025-02-19 07:00', period_end = '2025-03-19 07:00' WHERE id = 170;
SELECT is((SELECT q.lines -> 0 ->> 'amount_cents' FROM capforecast.quote_tier_change('170', 'enterprise', as_of => '2025-03-05 07:00') q), '-9950', '8.0.5 the host''s period is credited whatever becomes of our draft');
-- a change that was applied at the boundary survives an old row
SELECT pg_temp.subscribe(171, 'professional', 'active', '2024-03-01', '2025-03-01', annual => true);
DO $$ BEGIN PERFORM capforecast.change_tier('171', 'essential', annual => false, ack_over_limit => true, as_of => '2025-02-20'), capforecast.reset_period_counters('2025-03-01 00:02'); END $$;
UPDATE vendor_subscriptions SET tier = 'professional', is_annual = true, period_start = '2024-03-01', period_end = '2025-03-01' WHERE id = 171;
SELECT is((SELECT (i.due_at::date, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('171', '2025-03-05') i), '(2025-04-01,4900)', '8.0.1 shown so');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-03-05'), capforecast.reset_period_counters('2025-04-01 00:02'); END $$;
SELECT is(pg_temp.drafts(171), '2025-03-01..2025-04-01 4900, 2025-04-01..2025-05-01 4900', '8.0.1 and billed so');
-- unless the host has chosen another tier meanwhile
UPDATE vendor_subscriptions SET tier = 'business', period_start = '2025-03-01', period_end = '2025-04-01' WHERE id = 171;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-04-05'); END $$;
SELECT is(pg_temp.shown(171), 'business active 2025-04-01 2025-05-01 0', '8.0.1 a tier that the old period never had is the host''s choice');
-- a draft of ours stays ours when the host makes its period longer, and another tier of it
SELECT pg_temp.subscribe(172, 'essential', 'active', '2025-01-01', '2025-02-01');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-01-10'), capforecast.reset_period_counters('2025-02-01 00:02'); END $$;
UPDATE vendor_subscriptions SET tier = 'business', period_end = '2025-03-05' WHERE id = 172;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-02-03'); END $$;
SELECT is(pg_temp.books(172), '2025-01-01..2025-02-01 host 4900, 2025-02-01..2025-03-05 us 4900', '8.0.2 what was billed');
-- access that is given back within no period: what lies between is nobody's to pay
SELECT pg_temp.subscribe(173, 'professional', 'active', '2025-01-01', '2025-02-01');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-01-10'), capforecast.cancel_subscription('173', as_of => '2025-01-20'), capforecast.cleanup_stale_subscriptions('2025-02-01 00:10'); END $$;
UPDATE vendor_subscriptions SET status = 'active', cancelled_at = NULL, cancel_at_period_end = false WHERE id = 173;
SELECT is((SELECT (i.due_at::date, i.period_end::date, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('173', '2025-06-11') i), '(2025-06-11,2025-07-01,6600)', '8.0.2 shown so');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-06-11'); END $$;
SELECT is(pg_temp.drafts(173), '2025-06-11..2025-07-01 6600', '8.0.2 20 of 30 days');
SELECT is(pg_temp.books(173), '2025-01-01..2025-02-01 host 9900, 2025-02-01..2025-06-11 nobody 0, 2025-06-11..2025-07-01 us 6600', '8.0.2 in the books');
-- a trial after a billed period is not billed, and one that was put back into it bills nothing again
SET LOCAL capforecast.trial_action = 'activate';
SELECT pg_temp.subscribe(174, 'professional', 'active', '2025-01-01', '2025-02-01');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-01-10'); END $$;
UPDATE vendor_subscriptions SET status = 'trial', trial_ends_at = '2025-02-11' WHERE id = 174;
SELECT is((SELECT (i.due_at::date, i.period_end::date, i.amount_due_cents)::text FROM capforecast.upcoming_invoice('174', '2025-01-20') i), '(2025-02-11,2025-03-11,9900)', '8.0.4 shown from its end');
DO $$ BEGIN PERFORM capforecast.check_trial_expirations('2025-02-11'); END $$;
SELECT is(pg_temp.drafts(174), '2025-02-11..2025-03-11 9900', '8.0.4 billed from its end');
UPDATE vendor_subscriptions SET status = 'trial', period_start = '2025-01-01', period_end = '2025-02-01' WHERE id = 174;
SELECT is((SELECT (i.due_at::date, i.period_end::date)::text FROM capforecast.upcoming_invoice('174', '2025-02-20') i), '(2025-03-11,2025-04-11)', '8.0.4 put back: shown');
DO $$ BEGIN PERFORM capforecast.check_trial_expirations('2025-02-20'); END $$;
SELECT is(pg_temp.drafts(174), '2025-02-11..2025-03-11 9900', '8.0.4 and nothing again');
-- what could not be billed of before a change is billed as what it was
INSERT INTO subscription_tiers (code, name, price_monthly_cents, price_annual_cents) VALUES ('later', 'Later', 2000, 20000);
SELECT pg_temp.subscribe(175, 'later', 'active', '2025-01-01', '2025-02-01');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-01-10'); END $$;
ALTER TABLE subscription_tiers ALTER price_monthly_cents DROP NOT NULL;
UPDATE subscription_tiers SET price_monthly_cents = NULL WHERE code = 'later';
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-02-01 00:02'); END $$;
UPDATE vendor_subscriptions SET period_start = '2025-01-01', period_end = '2025-02-01' WHERE id = 175;		-- and an old row comes meanwhile
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-02-02'); END $$;
SELECT is(pg_temp.shown(175), 'later active 2025-02-01 2025-03-01 0', '8.0.1 what is owed is not lost to an old row');
UPDATE subscription_tiers SET price_monthly_cents = 2000 WHERE code = 'later';
UPDATE capforecast.subscription_state SET pending_tier = 'essential', pending_annual = false, pending_at = '2025-03-01', pending_requested_at = '2025-02-10' WHERE subscription_id = '175';
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-03-01 00:02'); END $$;
SELECT is(pg_temp.drafts(175), '2025-02-01..2025-03-01 2000, 2025-03-01..2025-04-01 4900', '8.0.1 each month as what it was');
-- in a trial the tier that it will be says the currency
SELECT pg_temp.subscribe(176, 'essential', 'trial', '2025-01-01', '2025-02-01', trial_ends_at => '2025-01-15');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-01-02'), capforecast.change_tier('176', 'dollar', as_of => '2025-01-03'); END $$;
SELECT is(pg_temp.word($$ SELECT capforecast.purchase_addon('176', 'seats', as_of => '2025-01-04') $$), '22023 currency_mismatch', '8.0.6 an add-on of another currency');
-- an old row after a trial is old, too; a shorter period that begins later is the host's
UPDATE vendor_subscriptions SET tier = 'essential' WHERE id = 176;
DO $$ BEGIN PERFORM capforecast.check_trial_expirations('2025-01-15'); END $$;
SELECT pg_temp.subscribe(177, 'essential', 'trial', '2025-01-01', '2025-03-01', trial_ends_at => '2025-01-15');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-01-02'); END $$;
UPDATE vendor_subscriptions SET status = 'active', period_start = '2025-01-15', period_end = '2025-02-15' WHERE id = 177;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-01-16'); END $$;
SELECT is(pg_temp.books(177), '2025-01-01..2025-01-15 nobody 0, 2025-01-15..2025-02-15 host 4900', '8.0.2 the host begins after the trial');
SELECT pg_temp.subscribe(178, 'essential', 'trial', '2025-01-01', '2025-02-01', trial_ends_at => '2025-01-15');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-01-02'); END $$;
UPDATE vendor_subscriptions SET status = 'active', period_start = '2024-12-20', period_end = '2025-01-20' WHERE id = 178;
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-01-16'); END $$;
SELECT is(pg_temp.shown(178), 'essential active 2025-01-01 2025-02-01 0', '8.0.1 a period that lies before the one that was seen');
SELECT is((SELECT count(*) FROM capforecast.finding WHERE code = 'job_row_failed'), 0::bigint, 'no row failed');

SELECT * FROM finish();
ROLLBACK;
