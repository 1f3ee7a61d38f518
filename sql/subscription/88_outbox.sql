-- What has become of the rows of stripe_outbox.

CREATE FUNCTION capforecast.settle_outbox(id bigint, ok boolean, result jsonb DEFAULT NULL)
	RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	o capforecast.stripe_outbox;
	held record;
	s capforecast._subscription_row;
BEGIN
	IF ok IS NULL THEN
		PERFORM capforecast._fail('22023', 'bad_argument', 'ok must be true or false', 'It is NULL.', 'Settle the row when Stripe has answered.');
	END IF;
	SELECT * INTO o FROM capforecast.stripe_outbox x WHERE x.id = settle_outbox.id;
	IF o.id IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_request', format('stripe_outbox has no row %s', settle_outbox.id), 'It does not exist.',
			'Pass the id of the row that was sent.');
	END IF;
	s := capforecast._subscription(o.vendor_id, true);
	SELECT * INTO o FROM capforecast.stripe_outbox x WHERE x.id = settle_outbox.id FOR UPDATE;
	IF o.status IN ('confirmed', 'cancelled') OR (ok AND o.status IN ('sent', 'scheduled')) THEN
		RETURN o.status;	-- Stripe's own data was faster, or the answer came twice
	ELSIF o.status = 'failed' THEN
		IF NOT ok THEN
			RETURN o.status;
		END IF;
		PERFORM capforecast._fail('55000', 'settled', format('row %s of stripe_outbox was settled as failed', o.id),
			'It cannot succeed any more.', 'Make the request again.');
	END IF;
	UPDATE capforecast.stripe_outbox x
	SET status = CASE WHEN NOT ok THEN 'failed' WHEN o.payload ->> 'timing' = 'period_end' THEN 'scheduled' ELSE 'sent' END,
		result = settle_outbox.result, settled_at = clock_timestamp()
	WHERE x.id = o.id RETURNING * INTO o;
	IF NOT ok AND o.operation = 'purchase_addon' THEN
		SELECT * INTO held FROM capforecast._addons_of(o.vendor_id, o.payload ->> 'addon') a WHERE a.status = 'pending';
		IF FOUND THEN
			PERFORM capforecast._write_addon(s, held.id, held.code, 'cancelled', held.quantity, held.unit_price, clock_timestamp());
			INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
			VALUES ('settle_outbox', s.vendor_id, s.subscription_id, jsonb_build_object('addon', held.code, 'status', 'pending'),
				'{"status": "cancelled"}', 'failed');
		END IF;
	END IF;
	RETURN o.status;
END
$$;
COMMENT ON FUNCTION capforecast.settle_outbox(bigint, boolean, jsonb) IS
	'The application''s answer for a row of stripe_outbox: ok false makes it failed, with the result; ok true sent, or scheduled for a change at the end of the period. confirmed follows when Stripe''s own data shows the change. Returns the status. Errors: P0002 unknown_request, 55000 settled.';

-- The host's row of a tier follows from Stripe's data by itself; that of an add-on is
-- written here, when the item has the quantity that was asked for.
CREATE FUNCTION capforecast._confirm_outbox(as_of timestamptz, subscription_id text, items jsonb)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	o capforecast.stripe_outbox;
	held record;
	item jsonb;
	wanted bigint;
	shown bigint;
	s capforecast._subscription_row;
BEGIN
	FOR o IN SELECT * FROM capforecast.stripe_outbox x WHERE x.subscription_id = _confirm_outbox.subscription_id
			AND x.status IN ('pending', 'sent', 'scheduled') ORDER BY x.id FOR UPDATE LOOP
		item := (SELECT i FROM jsonb_array_elements(items) i WHERE i ->> 'price' = o.payload ->> 'price' LIMIT 1);
		shown := coalesce((item ->> 'quantity')::bigint, 0);
		wanted := coalesce((o.payload ->> 'quantity')::bigint, shown);
		CONTINUE WHEN shown <> wanted OR (item IS NULL AND o.operation <> 'cancel_addon');
		UPDATE capforecast.stripe_outbox x SET status = 'confirmed', settled_at = as_of WHERE x.id = o.id;
		CONTINUE WHEN o.operation = 'change_tier';
		s := capforecast._subscription(o.vendor_id, false);
		SELECT * INTO held FROM capforecast._addons_of(o.vendor_id, o.payload ->> 'addon');
		CONTINUE WHEN held.id IS NULL;
		PERFORM capforecast._write_addon(s, held.id, held.code, CASE WHEN wanted = 0 THEN 'cancelled' ELSE 'active' END,
			CASE WHEN wanted = 0 THEN held.quantity ELSE wanted END, held.unit_price, as_of, item ->> 'id');
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		VALUES (o.operation, o.vendor_id, o.subscription_id, jsonb_build_object('addon', held.code, 'quantity', held.quantity, 'status', held.status),
			jsonb_build_object('addon', held.code, 'quantity', wanted), 'confirmed');
	END LOOP;
END
$$;
COMMENT ON FUNCTION capforecast._confirm_outbox(timestamptz, text, jsonb) IS 'Confirm the requests that Stripe''s data shows, and write the add-ons that they were for.';
