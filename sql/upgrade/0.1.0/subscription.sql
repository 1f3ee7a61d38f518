DROP FUNCTION capforecast._purge(timestamptz);
DROP FUNCTION capforecast._fail(text, text, text, text, text);
DROP FUNCTION capforecast._addons_of(text, text);
DROP FUNCTION capforecast._adopt_periods(timestamptz, text, text[]);
DROP FUNCTION capforecast._apply_change(capforecast._subscription_row, capforecast.change_result, text, boolean, text, timestamptz);
DROP FUNCTION capforecast._entitled(text);
DROP FUNCTION capforecast._next_invoice(text, timestamptz);
DROP FUNCTION capforecast._orders_sql();
DROP FUNCTION capforecast._over_limit(text, timestamptz, text);
DROP FUNCTION capforecast._period_is_unpaid(text, timestamptz);
DROP FUNCTION capforecast._plan_addon_end(capforecast._subscription_row, text, bigint, boolean, timestamptz);
DROP FUNCTION capforecast._plan_change(capforecast._subscription_row, capforecast.subscription_state, capforecast.tier_info, text, boolean, text, boolean, timestamptz);
DROP FUNCTION capforecast._see(timestamptz, text[]);
DROP FUNCTION capforecast._sellable_addon(text, bigint, capforecast._subscription_row);
DROP FUNCTION capforecast._share(timestamptz, timestamptz, timestamptz, text, text);
DROP FUNCTION capforecast._subscription(text, boolean);
DROP FUNCTION capforecast._state_of(capforecast._subscription_row);
DROP FUNCTION capforecast._tier_lines(capforecast._subscription_row, capforecast.subscription_state, capforecast.tier_info, boolean, text, timestamptz);
DROP FUNCTION capforecast._usage(text, timestamptz, text);
DROP FUNCTION capforecast._windows_of(capforecast._subscription_row, capforecast.subscription_state, timestamptz);
DROP FUNCTION capforecast.cancel_addon(text, text, integer, text, text, boolean, timestamptz);
DROP FUNCTION capforecast.change_tier(text, text, text, boolean, text, text, boolean, boolean, boolean, timestamptz);
DROP FUNCTION capforecast.check_limit(text, text, bigint, boolean, timestamptz);
DROP FUNCTION capforecast.purchase_addon(text, text, integer, text, boolean, timestamptz);
DROP FUNCTION capforecast.reconcile_order_counters(boolean, timestamptz);

-- Functions that take a row of it are made anew.
ALTER TYPE capforecast._subscription_row ADD ATTRIBUTE managed boolean;

ALTER TABLE capforecast.subscription_state RENAME COLUMN billed_from TO period_start;
ALTER TABLE capforecast.subscription_state ADD COLUMN credit_currency text, ADD COLUMN period_end timestamptz;
UPDATE capforecast.subscription_state SET credit_currency = billed_currency, period_end = billed_until;
ALTER TABLE capforecast.subscription_state ALTER COLUMN period_end SET NOT NULL;
ALTER TABLE capforecast.pending_invoice_item ADD COLUMN invoice_ref text, ADD COLUMN awaits_invoice text;

-- Stripe: one open request of a subscription, which says what is wanted.  Requests that 0.1.0
-- had open beside each other become one, asked for again unless all of them were sent.
DROP FUNCTION capforecast._confirm_outbox(timestamptz, text, jsonb);
DROP FUNCTION capforecast._order(capforecast._subscription_row, text, jsonb, text);
DROP FUNCTION capforecast._order_change(capforecast._subscription_row, capforecast.change_result, capforecast.tier_info, boolean, text);
DROP FUNCTION capforecast._order_addon(capforecast._subscription_row, capforecast.change_result, text, text, bigint, text, text, text, text);
DROP FUNCTION capforecast._stripe_matched_sql(boolean);
DROP FUNCTION capforecast._stripe_last_words(text[], text[]);
DROP FUNCTION capforecast._stripe_source(text[], text[]);
DROP FUNCTION capforecast._lock_by_stripe(text, text);
ALTER TYPE capforecast._stripe_decision ADD ATTRIBUTE schedule text, ADD ATTRIBUTE final boolean;
DROP INDEX capforecast.stripe_outbox_open;
ALTER TABLE capforecast._secret ALTER COLUMN name SET DEFAULT 'stripe_webhook';
ALTER TABLE capforecast.stripe_outbox
	ADD COLUMN wanted jsonb NOT NULL DEFAULT '{}', ADD COLUMN taken_at timestamptz, ADD COLUMN attempts integer NOT NULL DEFAULT 0,
	ADD COLUMN known_version timestamptz, ADD COLUMN known_event text,
	DROP CONSTRAINT stripe_outbox_operation_check, DROP CONSTRAINT stripe_outbox_status_check,
	ADD CONSTRAINT stripe_outbox_operation_check CHECK (operation IN ('change_tier', 'purchase_addon', 'cancel_addon', 'cancel_subscription',
		'resume_subscription', 'release_schedule')),
	ADD CONSTRAINT stripe_outbox_status_check CHECK (status IN ('pending', 'taken', 'sent', 'scheduled', 'confirmed', 'failed', 'cancelled'));
UPDATE capforecast.stripe_outbox SET wanted = CASE WHEN operation OPERATOR(pg_catalog.=) 'change_tier'
	THEN pg_catalog.jsonb_build_object('plan', payload OPERATOR(pg_catalog.->) 'price')
	ELSE pg_catalog.jsonb_build_object('addons', pg_catalog.jsonb_build_object(payload OPERATOR(pg_catalog.->>) 'price', payload OPERATOR(pg_catalog.->) 'quantity')) END
WHERE status OPERATOR(pg_catalog.=) ANY ('{pending,sent,scheduled}') AND payload OPERATOR(pg_catalog.?) 'price';
WITH beside AS (
	SELECT o.payload OPERATOR(pg_catalog.->>) 'subscription' AS stripe_id, pg_catalog.max(o.id) AS newest, pg_catalog.bool_or(o.status OPERATOR(pg_catalog.=) 'pending') AS waits,
		pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
			'plan', (pg_catalog.array_agg(o.wanted OPERATOR(pg_catalog.->) 'plan' ORDER BY o.id DESC) FILTER (WHERE o.wanted OPERATOR(pg_catalog.?) 'plan'))[1],
			'addons', pg_catalog.jsonb_object_agg(coalesce(o.payload OPERATOR(pg_catalog.->>) 'price', ''), o.payload OPERATOR(pg_catalog.->) 'quantity' ORDER BY o.id)
				FILTER (WHERE o.wanted OPERATOR(pg_catalog.?) 'addons'))) AS wanted
	FROM capforecast.stripe_outbox o WHERE o.status OPERATOR(pg_catalog.=) ANY ('{pending,sent}')
	GROUP BY 1 HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1
)
UPDATE capforecast.stripe_outbox o
SET status = CASE WHEN o.id OPERATOR(pg_catalog.<>) b.newest THEN 'cancelled' WHEN b.waits THEN 'pending' ELSE o.status END,
	wanted = CASE WHEN o.id OPERATOR(pg_catalog.=) b.newest THEN b.wanted ELSE o.wanted END,
	result = CASE WHEN o.id OPERATOR(pg_catalog.<>) b.newest THEN '{"reason": "replaced"}' ELSE o.result END,
	idempotency_key = CASE WHEN o.id OPERATOR(pg_catalog.=) b.newest AND b.waits THEN o.idempotency_key OPERATOR(pg_catalog.||) ':0.2.0' ELSE o.idempotency_key END
FROM beside b
WHERE o.payload OPERATOR(pg_catalog.->>) 'subscription' OPERATOR(pg_catalog.=) b.stripe_id AND o.status OPERATOR(pg_catalog.=) ANY ('{pending,sent}');
