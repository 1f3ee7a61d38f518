-- For the application that talks to Stripe: requests handed out, and its answers.

-- The payload is made from the items as they are known when a request is first handed out;
-- after that it stays, because a key may be used again only with the same request.
CREATE FUNCTION capforecast.take_outbox(max_requests integer DEFAULT 10, as_of timestamptz DEFAULT NULL)
	RETURNS SETOF capforecast.stripe_outbox
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	now timestamptz := capforecast._now(as_of);
	o capforecast.stripe_outbox;
	known record;
	cancels boolean;
BEGIN
	IF max_requests IS NULL OR max_requests < 1 THEN
		PERFORM capforecast._fail('22023', 'bad_argument', 'max_requests must be 1 or more', format('It is %s.', coalesce(max_requests::text, 'NULL')),
			'Leave it out for 10.');
	END IF;
	FOR o IN SELECT * FROM capforecast.stripe_outbox x
			WHERE x.status = 'pending' OR (x.status = 'taken' AND x.taken_at <= now - interval '15 minutes')
			ORDER BY x.id LIMIT max_requests FOR UPDATE SKIP LOCKED LOOP
		IF o.attempts = 0 THEN
			SELECT x.* INTO known FROM capforecast._stripe_source(ARRAY[o.payload ->> 'subscription']) x WHERE x.stripe_id = o.payload ->> 'subscription';
			cancels := coalesce(capforecast._stripe_flag(known.object -> 'cancel_at_period_end') OR known.object ->> 'cancel_at' IS NOT NULL, false);
			IF known.stripe_id IS NOT NULL AND NOT o.wanted ?| '{release,one_time,cancelled}'
			   AND capforecast._request_shown(o, known.items, cancels, known.object ->> 'schedule', false, known.version) THEN
				UPDATE capforecast.stripe_outbox x SET status = 'cancelled', settled_at = now, result = '{"reason": "already_so"}' WHERE x.id = o.id;
				CONTINUE;
			ELSIF known.stripe_id IS NOT NULL AND o.wanted ? 'plan' AND capforecast._plan_item(known.items) IS NULL THEN
				PERFORM capforecast._fail_request(o, '{"reason": "items_unknown"}');
				CONTINUE;
			ELSIF known.stripe_id IS NOT NULL THEN
				o.payload := capforecast._request_payload(known.stripe_id,
					CASE WHEN o.operation = 'release_schedule' THEN o.wanted - '{plan,addons}'::text[] ELSE o.wanted END, known.items,
					o.payload ->> 'timing', o.payload - '{subscription,timing,items,invoice_items,cancel_at_period_end,cancel,release_schedule,payment_behavior}'::text[]);
				o.known_version := known.version;
				o.known_event := known.event_id;
			END IF;
		END IF;
		UPDATE capforecast.stripe_outbox x
		SET status = 'taken', taken_at = now, attempts = o.attempts + 1, payload = o.payload, known_version = o.known_version, known_event = o.known_event
		WHERE x.id = o.id RETURNING * INTO o;
		RETURN NEXT o;
	END LOOP;
END
$$;
COMMENT ON FUNCTION capforecast.take_outbox(integer, timestamptz) IS
	'Hand out requests to Stripe, oldest first: each becomes taken, and counts as sent from when this commits. Whoever takes one calls Stripe with its payload and its idempotency_key and answers with settle_outbox(). Others that ask at the same time get other requests; one that is taken for 15 minutes is handed out again, with the same payload and key. Errors: 22023 bad_argument.
Example: SELECT id, payload, idempotency_key FROM capforecast.take_outbox(10);';

CREATE FUNCTION capforecast.settle_outbox(id bigint, ok boolean, result jsonb DEFAULT NULL)
	RETURNS text LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	o capforecast.stripe_outbox;
	d capforecast._stripe_decision;
BEGIN
	IF ok IS NULL THEN
		PERFORM capforecast._fail('22023', 'bad_argument', 'ok must be true or false', 'It is NULL.', 'Settle the row when Stripe has answered.');
	END IF;
	SELECT * INTO o FROM capforecast.stripe_outbox x WHERE x.id = settle_outbox.id;
	IF o.id IS NULL THEN
		PERFORM capforecast._fail('P0002', 'unknown_request', format('stripe_outbox has no row %s', settle_outbox.id), 'It does not exist.',
			'Pass the id of the row that was sent.');
	END IF;
	EXECUTE capforecast._keyed_sql('SELECT FROM {vendor_subscriptions} s WHERE {s:vendor_subscriptions.vendor_id} = @key
		ORDER BY {s:vendor_subscriptions.id} FOR UPDATE', o.vendor_id);
	SELECT * INTO o FROM capforecast.stripe_outbox x WHERE x.id = settle_outbox.id FOR UPDATE;
	IF o.status IN ('confirmed', 'cancelled') OR (ok AND o.status IN ('sent', 'scheduled')) OR (NOT ok AND o.status = 'failed') THEN
		RETURN o.status;	-- Stripe's own data was faster, or the answer came twice
	ELSIF o.status = 'failed' THEN
		PERFORM capforecast._fail('55000', 'settled', format('row %s of stripe_outbox was settled as failed', o.id),
			'It cannot succeed any more.', 'Make the request again.');
	ELSIF NOT ok THEN
		PERFORM capforecast._fail_request(o, result);
		RETURN 'failed';
	END IF;
	UPDATE capforecast.stripe_outbox x
	SET status = CASE WHEN o.wanted - 'one_time' = '{}' THEN 'confirmed' WHEN o.payload ->> 'timing' = 'period_end' THEN 'scheduled' ELSE 'sent' END,
		result = settle_outbox.result, settled_at = clock_timestamp()
	WHERE x.id = o.id RETURNING * INTO o;
	IF o.wanted ? 'one_time' THEN
		PERFORM capforecast._grant_one_time(o);
	END IF;
	IF o.status = 'scheduled' THEN
		PERFORM capforecast._after_release(o, clock_timestamp());
	END IF;
	FOR d IN SELECT x.* FROM capforecast._stripe_decide(ARRAY[o.subscription_id]) x WHERE x.verdict = 'unchanged' LOOP	-- it may have come already
		PERFORM capforecast._follow_requests(clock_timestamp(), d.subscription_id, d.stripe_id, d.items, (d.target ->> 'cancel_at_period_end')::boolean,
			d.schedule, capforecast._stripe_rank(d.stripe_status) >= 7, d.version, d.event_id);
	END LOOP;
	RETURN (SELECT x.status FROM capforecast.stripe_outbox x WHERE x.id = o.id);
END
$$;
COMMENT ON FUNCTION capforecast.settle_outbox(bigint, boolean, jsonb) IS
	'The application''s answer for a row of stripe_outbox: ok false makes it failed, with the result; ok true sent, or scheduled for a change at the end of the period (result: {"schedule": its id at Stripe}, so that it can be released). confirmed follows when Stripe''s own data, later than what was known when it was handed out, shows the change. Returns the status. Errors: P0002 unknown_request, 22023 bad_argument, 55000 settled.
Example: SELECT capforecast.settle_outbox(o.id, true) FROM capforecast.take_outbox() o;';
