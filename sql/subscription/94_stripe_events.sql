-- What comes from Stripe (webhook events) and what goes to it (the outbox).

CREATE FUNCTION capforecast._stripe_signature(body bytea, signature text, as_of timestamptz)
	RETURNS text LANGUAGE C STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'capforecast_stripe_signature';
COMMENT ON FUNCTION capforecast._stripe_signature(bytea, text, timestamptz) IS
	'NULL: the header signs the body with one of the stored secrets; else no_v1, signature_mismatch or timestamp_outside_tolerance. Runs as its owner, who alone can read the secrets.';

CREATE FUNCTION capforecast._read_stripe_event(body bytea)
	RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	event jsonb;
BEGIN
	BEGIN
		event := convert_from(body, 'UTF8')::jsonb;
	EXCEPTION WHEN data_exception THEN
		event := NULL;		-- its text is not repeated in an error: it is a customer's data
	END;
	IF jsonb_typeof(event) IS DISTINCT FROM 'object' OR jsonb_typeof(event -> 'id') IS DISTINCT FROM 'string'
	   OR jsonb_typeof(event -> 'type') IS DISTINCT FROM 'string' OR jsonb_typeof(event -> 'created') IS DISTINCT FROM 'number' THEN
		PERFORM capforecast._fail('22023', 'bad_body', 'the body is not an event of Stripe', 'It is not JSON, or has no id, type or created.',
			'Pass the body as it was received.');
	END IF;
	RETURN event;
END
$$;
COMMENT ON FUNCTION capforecast._read_stripe_event(bytea) IS 'The body of a webhook as a document; 22023 where it is not an event.';

CREATE FUNCTION capforecast._lock_by_stripe(stripe_id text, customer text)
	RETURNS text[] LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	ids text[];
BEGIN
	EXECUTE capforecast._host_sql('SELECT array_agg(l.id) FROM (SELECT {s:vendor_subscriptions.id}::text AS id FROM {vendor_subscriptions} s
		WHERE {s:vendor_subscriptions.stripe_subscription_id} = $1
		   OR ({s:vendor_subscriptions.stripe_subscription_id} IS NULL AND {s:vendor_subscriptions.stripe_customer_id} = $2)
		ORDER BY {s:vendor_subscriptions.id} FOR UPDATE) l') INTO ids USING stripe_id, customer;
	RETURN ids;
END
$$;
COMMENT ON FUNCTION capforecast._lock_by_stripe(text, text) IS 'Lock the subscriptions that an object of Stripe is about; NULL: none.';

CREATE FUNCTION capforecast.ingest_stripe_event(body bytea, signature text, as_of timestamptz DEFAULT NULL,
		OUT event_id text, OUT outcome text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	now timestamptz := capforecast._now(as_of);
	verdict text := CASE WHEN body IS NULL OR signature IS NULL THEN 'no_v1' ELSE capforecast._stripe_signature(body, signature, now) END;
	event jsonb;
	object jsonb;
	ids text[];
BEGIN
	IF verdict IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '28000', MESSAGE = 'the signature of the webhook is not valid', DETAIL = verdict,
			HINT = 'Pass the body as it was received and the Stripe-Signature header, and check that the endpoint''s secret is stored.';
	END IF;
	event := capforecast._read_stripe_event(body);
	object := event #> '{data,object}';
	event_id := event ->> 'id';
	outcome := CASE WHEN event ->> 'type' NOT LIKE 'customer.subscription.%'
		OR (event ->> 'livemode')::boolean <> capforecast._setting('stripe_livemode')::boolean
		OR event ->> 'account' <> nullif(capforecast._setting('stripe_account'), '') OR jsonb_typeof(object -> 'id') IS DISTINCT FROM 'string'
		THEN 'ignored' ELSE 'accepted' END;
	INSERT INTO capforecast.stripe_event AS e (event_id, event_type, object_id, customer_id, livemode, account_id, created, payload,
		body_sha256, received_at, outcome)
	VALUES (event ->> 'id', event ->> 'type', object ->> 'id', object ->> 'customer', (event ->> 'livemode')::boolean, event ->> 'account',
		capforecast._stripe_time(event ->> 'created'), event, sha256(body), now, ingest_stripe_event.outcome)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		outcome := (SELECT CASE WHEN e.body_sha256 = sha256(body) THEN 'duplicate' ELSE 'rejected' END FROM capforecast.stripe_event e
			WHERE e.event_id = event ->> 'id');
		IF ingest_stripe_event.outcome = 'rejected' THEN
			PERFORM capforecast._report('{}', jsonb_build_array(
				jsonb_build_object('code', 'event_id_reuse', 'subject', 'event ' || (event ->> 'id'))), now);
		END IF;
		RETURN;
	ELSIF ingest_stripe_event.outcome = 'ignored' OR capforecast._stripe_relation('subscriptions') IS NOT NULL THEN
		RETURN;
	END IF;
	ids := capforecast._lock_by_stripe(object ->> 'id', object ->> 'customer');
	IF ids IS NULL THEN
		outcome := 'stored_unresolved';
	ELSE
		PERFORM capforecast._stripe_apply(now, ids, '{}');
	END IF;
	UPDATE capforecast.stripe_event e SET outcome = ingest_stripe_event.outcome, applied_at = CASE WHEN ids IS NOT NULL THEN now END
	WHERE e.event_id = event ->> 'id';
END
$$;
COMMENT ON FUNCTION capforecast.ingest_stripe_event(bytea, text, timestamptz) IS
	'Take in a webhook event: body as it was received, and the Stripe-Signature header. outcome: accepted, duplicate, rejected (an id that came with another body), ignored (not about a subscription, or another mode or account), stored_unresolved (its subscription is not known yet). Where a mirror of Stripe is bound events are kept, and the mirror is what counts. Errors: 28000 with signature_mismatch, no_v1 or timestamp_outside_tolerance as its detail (nothing is stored), 22023 for a body that is no event, 55000 where no secret is stored.';
