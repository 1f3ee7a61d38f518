-- The invoice to come as Stripe has drafted it.

CREATE TYPE capforecast.invoice_preview AS (
	due_at timestamptz, period_start timestamptz, period_end timestamptz, currency text, lines jsonb, subtotal_cents bigint,
	credit_applied_cents bigint, amount_due_cents bigint, source text, estimate boolean, credit_left_cents bigint);
COMMENT ON TYPE capforecast.invoice_preview IS 'What upcoming_invoice() returns; minor units, net of tax.';

CREATE FUNCTION capforecast._stripe_draft(stripe_id text, customer text, OUT draft jsonb, OUT customer_balance bigint)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT (SELECT i FROM capforecast._stripe_rows(capforecast._stripe_relation('invoices'),
		'x.status::text = ''draft'' AND x.customer = ANY ($4)', '{}', ARRAY[customer]) i
			WHERE coalesce(i ->> 'subscription', i #>> '{parent,subscription_details,subscription}') = stripe_id
			ORDER BY (i ->> 'created')::bigint DESC LIMIT 1),
		(SELECT (c ->> 'balance')::bigint FROM capforecast._stripe_rows(capforecast._stripe_relation('customers'), 'x.id = ANY ($4)', '{}',
			ARRAY[customer]) c)
$$;
COMMENT ON FUNCTION capforecast._stripe_draft(text, text) IS 'The draft invoice that Stripe has for a subscription, and the customer''s balance (below 0: credit).';

CREATE FUNCTION capforecast._draft_preview(draft jsonb)
	RETURNS capforecast.invoice_preview LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT capforecast._stripe_time(coalesce(draft ->> 'next_payment_attempt', draft ->> 'due_date', draft ->> 'period_end')),
		capforecast._stripe_time(draft ->> 'period_start'), capforecast._stripe_time(draft ->> 'period_end'), upper(draft ->> 'currency'),
		(SELECT coalesce(jsonb_agg(jsonb_build_object('kind', 'stripe', 'description', l -> 'description', 'amount_cents',
			l -> 'amount') ORDER BY n), '[]')
		 FROM jsonb_array_elements(coalesce(draft #> '{lines,data}', '[]')) WITH ORDINALITY AS x(l, n)),
		(draft ->> 'subtotal')::bigint, greatest((draft ->> 'total')::bigint - (draft ->> 'amount_due')::bigint, 0), (draft ->> 'amount_due')::bigint,
		'stripe_draft', false, NULL::bigint
$$;
COMMENT ON FUNCTION capforecast._draft_preview(jsonb) IS 'Stripe''s draft as upcoming_invoice() returns it.';
