-- Cancelling a locally billed subscription, and taking that back.
BEGIN;
\ir ../subscription/fixture.sql
SELECT no_plan();
CREATE FUNCTION pg_temp.word(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; word text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, word = CONSTRAINT_NAME;
	RETURN state || ' ' || word;
END $$;
CREATE FUNCTION pg_temp.state(n bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', s.status, CASE WHEN s.cancel_at_period_end AND s.cancelled_at IS NULL THEN 'ends' END, s.cancelled_at::date, s.cancellation_reason) FROM vendor_subscriptions s WHERE s.id = n
$$;
SELECT pg_temp.subscribe(n, 'professional', 'active', '2025-06-01', '2025-07-01') FROM generate_series(1, 6) n;
SELECT pg_temp.subscribe(7, 'professional', 'trial', '2025-06-01', '2025-07-01', trial_ends_at => '2025-06-15');

-- At the end of the period
SELECT is((r.action, r.effective_at, r.net_cents, r.lines, r.outbox_id, r.estimate, r.currency)::text, '(cancel_scheduled,"2025-07-01 00:00:00+00",0,[],,f,EUR)', '8.0.15 the quote') FROM capforecast.quote_cancellation('1', as_of => '2025-06-10') r;
SELECT is(pg_temp.state(1), 'active', '8.0.14 writes nothing');
SELECT is((r.action, r.effective_at, r.net_cents, r.lines, r.outbox_id, r.estimate, r.currency)::text, '(cancel_scheduled,"2025-07-01 00:00:00+00",0,[],,f,EUR)', '8.0.14 is the deed') FROM capforecast.cancel_subscription('1', reason => 'too dear', as_of => '2025-06-10', idempotency_key => 'k') r;
SELECT is(pg_temp.state(1), 'active ends too dear', '8.0.15 access stays until then');
SELECT is((SELECT (r.action)::text FROM capforecast.cancel_subscription('1', reason => 'too dear', as_of => '2025-06-11', idempotency_key => 'k') r), 'cancel_scheduled', 'C14 the same request again');
SELECT is(pg_temp.word($$SELECT capforecast.cancel_subscription('1', 'immediate', as_of => '2025-06-11', idempotency_key => 'k')$$), '22023 idempotency_key_mismatch', 'C14 another one with its key');
SELECT is((SELECT r.action FROM capforecast.cancel_subscription('1', as_of => '2025-06-12') r), 'noop', '8.0.15 it is cancelled already');
SELECT is((SELECT count(*) FROM capforecast.audit_log WHERE operation = 'cancel_subscription' AND vendor_id = '1'), 1::bigint, 'C9 one audit row');
SELECT is((SELECT r.action FROM capforecast.resume_subscription('1', as_of => '2025-06-12') r), 'resume', '8.0.15 taken back');
SELECT is(pg_temp.state(1), 'active', '8.0.15 it goes on');
SELECT is((SELECT r.action FROM capforecast.resume_subscription('1', as_of => '2025-06-12') r), 'noop', '8.0.15 there is nothing to take back');
DO $$ BEGIN PERFORM capforecast.cancel_subscription('1', as_of => '2025-06-20'); PERFORM capforecast.cleanup_stale_subscriptions('2025-07-01'); END $$;
SELECT is(pg_temp.state(1), 'cancelled 2025-07-01', '8.6.2 the job lets it take effect');
SELECT is(pg_temp.word(format('SELECT capforecast.%s', call)), '55000 ' || word, '8.0.15 ' || call) FROM (VALUES ($$resume_subscription('1', as_of => '2025-07-02')$$, 'already_ended'), ($$cancel_subscription('1', as_of => '2025-07-02')$$, 'already_ended'),
	($$quote_cancellation('1', as_of => '2025-07-02')$$, 'already_ended')) x(call, word);
-- the job is late
DO $$ BEGIN PERFORM capforecast.cancel_subscription('2', as_of => '2025-06-20'); END $$;
SELECT is(pg_temp.word($$SELECT capforecast.resume_subscription('2', as_of => '2025-07-01')$$), '55000 already_ended', '8.0.15 what is over is over, though the job is late');
SELECT is((SELECT r.action FROM capforecast.resume_subscription('2', as_of => '2025-06-30 23:59:59') r), 'resume', '8.0.15 a second before');

-- A change of tier that was to come
DO $$ BEGIN PERFORM capforecast.change_tier('3', 'essential', as_of => '2025-06-10'); END $$;
SELECT is((SELECT r.notes FROM capforecast.quote_cancellation('3', as_of => '2025-06-11') r), '{pending_change_cleared}', '8.9.7 the quote tells of it');
SELECT is((SELECT r.notes FROM capforecast.cancel_subscription('3', as_of => '2025-06-11') r), '{pending_change_cleared}', '8.9.7 is cleared');
SELECT is((SELECT pending_tier FROM capforecast.subscription_state WHERE subscription_id = '3'), NULL, '8.9.7 gone');

-- At once
DO $$ BEGIN PERFORM capforecast.purchase_addon('4', 'extra_member', 2, as_of => '2025-06-16'); PERFORM capforecast.change_tier('4', 'essential', as_of => '2025-06-16'); END $$;
SELECT is((r.action, r.effective_at, r.net_cents, r.lines, r.notes)::text, '(cancel,"2025-06-20 00:00:00+00",0,[],{pending_change_cleared})', '8.0.15 at once: nothing is given back') FROM capforecast.cancel_subscription('4', 'immediate', as_of => '2025-06-20') r;
SELECT is(pg_temp.state(4), 'cancelled 2025-06-20', '8.0.15 it has ended');
SELECT is((SELECT (status, cancelled_at::date)::text FROM vendor_addons WHERE vendor_id = 4), '(cancelled,2025-06-20)', '8.10.6 with its add-ons');
SELECT is((SELECT string_agg((status, subtotal_cents, line_items -> 0 ->> 'kind')::text, '') FROM billing_history WHERE vendor_id = 4), '(draft,500,addon)', '8.0.8 what was pending is on a last draft (2 x 500 for 15 of 30 days)');
DO $$ BEGIN PERFORM capforecast.reset_period_counters('2025-09-01'); PERFORM capforecast.cleanup_stale_subscriptions('2025-09-01'); END $$;
SELECT is((SELECT count(*) FROM billing_history WHERE vendor_id = 4), 1::bigint, '8.0.8 once');

-- In a trial
SELECT is((r.action, r.effective_at::date)::text, '(cancel_scheduled,2025-06-15)', '8.0.4 a trial is cancelled to its own end') FROM capforecast.cancel_subscription('7', as_of => '2025-06-10') r;
SELECT is(pg_temp.word($$SELECT capforecast.resume_subscription('7', as_of => '2025-06-15')$$), '55000 already_ended', '8.0.15 until then');
SELECT is((SELECT r.action FROM capforecast.resume_subscription('7', as_of => '2025-06-14') r), 'resume', '8.0.15 it can be taken back');

-- What is no choice, and no vendor
SELECT is(pg_temp.word(format('SELECT capforecast.%s', call)), word, '8.0.15 ' || call) FROM (VALUES ($$cancel_subscription('5', 'tomorrow')$$, '22023 bad_argument'), ($$cancel_subscription('5', NULL)$$, '22023 bad_argument'),
	($$quote_cancellation('5', 'tomorrow')$$, '22023 bad_argument'), ($$cancel_subscription('4711')$$, 'P0002 unknown_vendor'), ($$quote_cancellation('4711')$$, 'P0002 unknown_vendor'), ($$resume_subscription('4711')$$, 'P0002 unknown_vendor')) x(call, word);

-- A host without the flag
ALTER TABLE vendor_subscriptions DROP COLUMN cancel_at_period_end;
SELECT is(pg_temp.word($$SELECT capforecast.cancel_subscription('5', as_of => '2025-06-10')$$), '42703 unknown_column', '8.0.12 nowhere to note it');
SELECT is((SELECT r.action FROM capforecast.cancel_subscription('5', 'immediate', as_of => '2025-06-10') r), 'cancel', '8.0.12 at once it can be done');
SELECT * FROM finish();
ROLLBACK;
