-- What the subscription room keeps.  The host's tables hold what is sold; these hold
-- what the host's tables cannot say: when periods begin, what was billed, what is to be
-- billed, what was asked for, and what a person must look at.  Ids of the host are text.

CREATE TABLE capforecast.subscription_state (
	subscription_id      text PRIMARY KEY,
	vendor_id            text NOT NULL,
	anchor_local         timestamp NOT NULL,
	anchor_zone          text NOT NULL,
	anchor_irregular     boolean NOT NULL DEFAULT false,
	usage_start          timestamptz NOT NULL,
	usage_end            timestamptz NOT NULL,
	period_start         timestamptz NOT NULL,
	billed_until         timestamptz NOT NULL,
	credit_cents         bigint NOT NULL DEFAULT 0 CHECK (credit_cents >= 0),
	pending_tier         text,
	pending_annual       boolean,
	pending_at           timestamptz,
	pending_requested_at timestamptz,
	last_status          text,
	status_since         timestamptz,
	entitled             boolean NOT NULL DEFAULT true,
	collection_paused    boolean NOT NULL DEFAULT false,
	stripe_subscription_id text,
	stripe_status        text,
	stripe_version       timestamptz,
	stripe_event_id      text,
	stripe_missing_since timestamptz,
	stripe_missing_runs  integer NOT NULL DEFAULT 0,
	credit_currency      text,
	period_end           timestamptz NOT NULL,
	CHECK (usage_end > usage_start),
	CHECK (num_nulls(pending_tier, pending_annual, pending_at, pending_requested_at) IN (0, 4))
) WITH (fillfactor = 50);	-- rolled twice a month, each time within the page
COMMENT ON TABLE capforecast.subscription_state IS 'One row per subscription of the host, from when it is first seen.';
COMMENT ON COLUMN capforecast.subscription_state.anchor_local IS 'every period begins a whole number of months after this local time, clamped to the month''s last day';
COMMENT ON COLUMN capforecast.subscription_state.anchor_irregular IS 'the first period seen was no whole number of months';
COMMENT ON COLUMN capforecast.subscription_state.usage_start IS 'begin of the window that orders_this_period counts, inclusive';
COMMENT ON COLUMN capforecast.subscription_state.usage_end IS 'its end, exclusive';
COMMENT ON COLUMN capforecast.subscription_state.period_start IS 'the billing period last seen or written on the host''s row: begin';
COMMENT ON COLUMN capforecast.subscription_state.period_end IS 'and end';
COMMENT ON COLUMN capforecast.subscription_state.billed_until IS 'billed through: the end of the last row in billed_period';
COMMENT ON COLUMN capforecast.subscription_state.credit_cents IS 'credit that the next invoices are lowered by, those of its currency';
COMMENT ON COLUMN capforecast.subscription_state.credit_currency IS 'currency of credit_cents; NULL: that of the first invoice it meets';
COMMENT ON COLUMN capforecast.subscription_state.pending_tier IS 'a change that was asked for, applied at pending_at';
COMMENT ON COLUMN capforecast.subscription_state.status_since IS 'when a run first saw the status; NULL: it had it when first seen';
COMMENT ON COLUMN capforecast.subscription_state.entitled IS 'false where Stripe says that nothing is being paid for';
COMMENT ON COLUMN capforecast.subscription_state.stripe_version IS 'with stripe_status and stripe_event_id: the version of Stripe''s object that was applied last';
SELECT pg_catalog.pg_extension_config_dump('capforecast.subscription_state', '');

-- Each row begins where the one before it ends, so that no time is billed twice and none is
-- left out: the foreign key refuses holes, the unique ends and the one first row overlaps.
-- A reference within the table, because parallel restores load tables in any order.
CREATE TABLE capforecast.billed_period (
	subscription_id text NOT NULL,
	starts          timestamptz NOT NULL,
	ends            timestamptz NOT NULL,
	billed_by       text NOT NULL CHECK (billed_by IN ('us', 'host', 'stripe', 'nobody')),
	tier            text,
	is_annual       boolean,
	price_cents     bigint,
	amount_cents    bigint,
	currency        text,
	invoice_ref     text,
	previous_end    timestamptz,
	PRIMARY KEY (subscription_id, starts),
	UNIQUE (subscription_id, ends),
	CHECK (ends > starts),
	CHECK (previous_end = starts),
	FOREIGN KEY (subscription_id, previous_end) REFERENCES capforecast.billed_period (subscription_id, ends)
);
CREATE UNIQUE INDEX billed_period_first ON capforecast.billed_period (subscription_id) WHERE previous_end IS NULL;
COMMENT ON TABLE capforecast.billed_period IS 'What of a subscription''s time has been billed, by whom and at what price; the last row''s ends is what it is billed through. Times are [starts, ends).';
COMMENT ON COLUMN capforecast.billed_period.billed_by IS 'us: by a draft of ours; host: the host moved the period, and bills it; stripe; nobody: a trial, or time in which the subscription was not live';
COMMENT ON COLUMN capforecast.billed_period.price_cents IS 'price of a whole period of the tier; NULL: not known';
COMMENT ON COLUMN capforecast.billed_period.amount_cents IS 'what was billed last for the tier in this period: no credit exceeds it';
COMMENT ON COLUMN capforecast.billed_period.invoice_ref IS 'id of the draft in billing_history; NULL: none of ours';
COMMENT ON COLUMN capforecast.billed_period.previous_end IS 'end of the row before this one; NULL: this is the first';
SELECT pg_catalog.pg_extension_config_dump('capforecast.billed_period', '');

CREATE TABLE capforecast.period_ledger (
	subscription_id text NOT NULL,
	window_start    timestamptz NOT NULL,
	window_end      timestamptz NOT NULL,
	orders_counter  bigint,
	orders_recount  bigint,
	orders_limit    bigint,
	tier            text,
	caught_up       boolean NOT NULL DEFAULT false,
	reason          text NOT NULL DEFAULT 'period_end',
	closed_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (subscription_id, window_start),
	CHECK (window_end > window_start)
);
COMMENT ON TABLE capforecast.period_ledger IS 'One row per closed usage window; the primary key is why no window is closed twice.';
COMMENT ON COLUMN capforecast.period_ledger.orders_counter IS 'the host''s counter when the window was closed; NULL in windows caught up later';
COMMENT ON COLUMN capforecast.period_ledger.orders_recount IS 'orders created in the window; NULL where the host has no orders table';
COMMENT ON COLUMN capforecast.period_ledger.orders_limit IS 'the limit that applied; NULL: unlimited or not known';
COMMENT ON COLUMN capforecast.period_ledger.caught_up IS 'the window had begun and ended before a run saw it';
COMMENT ON COLUMN capforecast.period_ledger.reason IS 'period_end, host_moved, stripe (who moved the period), trial_end or reanchor (a change of interval)';
SELECT pg_catalog.pg_extension_config_dump('capforecast.period_ledger', '');

CREATE TABLE capforecast.pending_invoice_item (
	id              bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	vendor_id       text NOT NULL,
	subscription_id text NOT NULL,
	kind            text NOT NULL CHECK (kind IN ('proration_credit', 'proration_debit', 'addon', 'addon_credit', 'one_time', 'manual')),
	code            text,
	amount_cents    bigint NOT NULL,
	currency        text NOT NULL,
	service_start   timestamptz,
	service_end     timestamptz,
	details         jsonb NOT NULL DEFAULT '{}',
	invoiced_at     timestamptz,
	created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	invoice_ref     text,
	awaits_invoice  text
);
CREATE INDEX pending_invoice_item_open ON capforecast.pending_invoice_item (subscription_id) WHERE invoiced_at IS NULL;
COMMENT ON TABLE capforecast.pending_invoice_item IS 'Lines that the next invoice of a subscription takes over; minor units, net of tax.';
COMMENT ON COLUMN capforecast.pending_invoice_item.code IS 'tier or add-on';
COMMENT ON COLUMN capforecast.pending_invoice_item.invoiced_at IS 'when an invoice took it; credits that went to the balance are born with it';
COMMENT ON COLUMN capforecast.pending_invoice_item.invoice_ref IS 'id of the invoice in billing_history that took it';
COMMENT ON COLUMN capforecast.pending_invoice_item.awaits_invoice IS 'id of an invoice in billing_history: the line counts from when that one is paid';
SELECT pg_catalog.pg_extension_config_dump('capforecast.pending_invoice_item', '');
SELECT pg_catalog.pg_extension_config_dump('capforecast.pending_invoice_item_id_seq', '');

CREATE TABLE capforecast.request_log (
	operation       text NOT NULL,
	vendor_id       text NOT NULL,
	idempotency_key text NOT NULL,
	request         jsonb NOT NULL,
	response        jsonb NOT NULL,
	created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (operation, vendor_id, idempotency_key)
);
COMMENT ON TABLE capforecast.request_log IS 'Requests made with an idempotency key, and what they were answered: a retry gets the same answer and has no effect. Kept 30 days, and as long as a row of stripe_outbox bears the key.';
SELECT pg_catalog.pg_extension_config_dump('capforecast.request_log', '');

CREATE TABLE capforecast.audit_log (
	id               bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	at               timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor            text NOT NULL DEFAULT session_user,
	effective_role   text NOT NULL DEFAULT current_user,
	application_name text DEFAULT current_setting('application_name', true),
	operation        text NOT NULL,
	vendor_id        text,
	subscription_id  text,
	before           jsonb,
	after            jsonb,
	reason           text,
	idempotency_key  text
);
CREATE INDEX audit_log_vendor ON capforecast.audit_log (vendor_id, at);
COMMENT ON TABLE capforecast.audit_log IS 'One row for each row of the host that was changed, with what changed; a plain roll-over of a period is in period_ledger instead. Append-only.';
SELECT pg_catalog.pg_extension_config_dump('capforecast.audit_log', '');
SELECT pg_catalog.pg_extension_config_dump('capforecast.audit_log_id_seq', '');

CREATE FUNCTION capforecast._refuse_change()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = format('table "%s" is append-only', TG_TABLE_NAME),
		DETAIL = 'append_only: rows are neither changed nor deleted.',
		HINT = 'Write a further row that says what was wrong.';
END
$$;
COMMENT ON FUNCTION capforecast._refuse_change() IS 'Trigger of the tables that are append-only.';

-- A dump that is loaded keeps what it says; nobody else writes in another's name or time.
CREATE FUNCTION capforecast._sign_audit()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'USAGE') THEN
		NEW.at := clock_timestamp();
		NEW.actor := session_user;
		NEW.effective_role := current_user;
		NEW.application_name := current_setting('application_name', true);
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION capforecast._sign_audit() IS 'Trigger: who wrote an audit row, and when, is not the writer''s to say.';

CREATE TRIGGER sign BEFORE INSERT ON capforecast.audit_log
	FOR EACH ROW EXECUTE FUNCTION capforecast._sign_audit();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON capforecast.audit_log
	FOR EACH STATEMENT EXECUTE FUNCTION capforecast._refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON capforecast.period_ledger
	FOR EACH STATEMENT EXECUTE FUNCTION capforecast._refuse_change();
