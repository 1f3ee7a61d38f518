-- What comes from Stripe: webhook events.

-- Volatile, so that it is nobody's but theirs who may take in events: it tells forged from true.
CREATE FUNCTION capforecast._stripe_signature(body bytea, signature text, as_of timestamptz)
	RETURNS text LANGUAGE C VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'capforecast_stripe_signature';
COMMENT ON FUNCTION capforecast._stripe_signature(bytea, text, timestamptz) IS
	'NULL: the header signs the body with one of the stored secrets; else no_v1, signature_mismatch or timestamp_outside_tolerance. Runs as its owner, who alone can read the secrets.';

CREATE FUNCTION capforecast._stripe_text(body bytea)
	RETURNS text LANGUAGE C IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'capforecast_stripe_text';
COMMENT ON FUNCTION capforecast._stripe_text(bytea) IS
	'JSON in UTF-8 as text of this database; characters that its encoding or jsonb does not have become the text of their escape. NULL where the body is not UTF-8.';

CREATE FUNCTION capforecast._stripe_is(value jsonb, kind text)
	RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE kind
		WHEN 'id' THEN jsonb_typeof(value) = 'string' AND octet_length(value #>> '{}') BETWEEN 1 AND 255
		WHEN 'number' THEN jsonb_typeof(value) = 'number' AND capforecast._stripe_number(value #>> '{}') IS NOT NULL
		WHEN 'reference' THEN jsonb_typeof(value) = 'object' AND capforecast._stripe_is(value -> 'id', 'id') OR capforecast._stripe_is(value, 'id')
		WHEN 'items' THEN jsonb_typeof(value -> 'data') = 'array'
		ELSE jsonb_typeof(value) = kind END IS TRUE
$$;
COMMENT ON FUNCTION capforecast._stripe_is(jsonb, text) IS 'Whether a value is what Stripe writes: id (up to 255 bytes), number (whole, up to twelve digits), reference (id or object with one), items (a list), or a type of JSON.';

CREATE FUNCTION capforecast._stripe_fault(document jsonb, kinds jsonb, needed text[] DEFAULT '{}')
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT k.key FROM jsonb_each_text(kinds) k
	WHERE NOT CASE WHEN coalesce(document -> k.key, 'null') = 'null' THEN k.key <> ALL (needed) ELSE capforecast._stripe_is(document -> k.key, k.value) END
	ORDER BY 1 LIMIT 1
$$;
COMMENT ON FUNCTION capforecast._stripe_fault(jsonb, jsonb, text[]) IS 'A field of a document that is missing or not of its kind; NULL: none.';

-- Only what is read here is looked at.
CREATE FUNCTION capforecast._subscription_fault(object jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(
		capforecast._stripe_fault(object, '{"id": "id", "status": "id", "customer": "id", "schedule": "id", "items": "items", "pause_collection": "object",
			"cancel_at_period_end": "boolean", "cancel_at": "number", "ended_at": "number", "trial_end": "number", "billing_cycle_anchor": "number",
			"current_period_start": "number", "current_period_end": "number"}'),
		(SELECT 'items.' || f.field
		 FROM jsonb_array_elements(CASE jsonb_typeof(object #> '{items,data}') WHEN 'array' THEN object #> '{items,data}' ELSE '[]' END) i
			CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(i) <> 'object' THEN 'data' ELSE
				capforecast._stripe_fault(i, '{"id": "id", "price": "reference", "quantity": "number", "deleted": "boolean",
					"current_period_start": "number", "current_period_end": "number"}') END AS field) f
		 WHERE f.field IS NOT NULL LIMIT 1))
$$;
COMMENT ON FUNCTION capforecast._subscription_fault(jsonb) IS 'A field of a subscription that is not what Stripe writes; NULL: none.';

-- No text of the body is repeated in an error: it is a customer's data.
CREATE FUNCTION capforecast._read_stripe_event(body bytea)
	RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	event jsonb;
	fault text;
BEGIN
	BEGIN
		event := capforecast._stripe_text(body)::jsonb;
	EXCEPTION WHEN data_exception OR program_limit_exceeded OR feature_not_supported THEN
		event := NULL;
	END;
	IF event IS NULL THEN
		PERFORM capforecast._fail('22023', 'bad_body', 'the body is not an event of Stripe', 'It is not JSON.', 'Pass the body as it was received.');
	END IF;
	fault := CASE WHEN jsonb_typeof(event) <> 'object' THEN 'id' ELSE
		capforecast._stripe_fault(event, '{"id": "id", "type": "id", "created": "number", "livemode": "boolean", "account": "id"}', '{id,type,created}') END;
	IF fault IS NOT NULL THEN
		PERFORM capforecast._fail('22023', 'bad_event', 'the body is not an event of Stripe', format('Its field "%s" is missing, or not what Stripe writes.', fault),
			'Pass the body as it was received.');
	END IF;
	fault := CASE WHEN event ->> 'type' LIKE 'customer.subscription.%' THEN capforecast._subscription_fault(event #> '{data,object}') END;
	IF fault IS NOT NULL THEN
		PERFORM capforecast._fail('22023', 'bad_subscription', 'the event''s subscription is not one of Stripe',
			format('Its field "%s" is not what Stripe writes.', fault), 'Pass the body as it was received.');
	END IF;
	RETURN event;
END
$$;
COMMENT ON FUNCTION capforecast._read_stripe_event(bytea) IS 'The body of a webhook as a document; 22023 bad_body, bad_event or bad_subscription where it is none.';

CREATE FUNCTION capforecast._lock_by_stripe("column" text, stripe_id text)
	RETURNS text[] LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
	ids text[];
BEGIN
	EXECUTE capforecast._host_sql(format('SELECT coalesce(array_agg(l.id), ''{}'') FROM (SELECT {s:vendor_subscriptions.id}::text AS id
		FROM {vendor_subscriptions} s WHERE {s:vendor_subscriptions.%s} = $1 ORDER BY {s:vendor_subscriptions.id} FOR UPDATE) l', "column"))
	INTO ids USING stripe_id;
	RETURN ids;
END
$$;
COMMENT ON FUNCTION capforecast._lock_by_stripe(text, text) IS 'Lock the subscriptions whose column of an id of Stripe has this one.';

-- Findings about some subscriptions only: others stay as they are.
CREATE FUNCTION capforecast._report_about(ids text[], problems jsonb, as_of timestamptz)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT capforecast._report('{}', problems, as_of);
	UPDATE capforecast.finding f SET resolved_at = as_of
	WHERE f.resolved_at IS NULL AND f.subject IN (SELECT 'subscription ' || id FROM unnest(ids) id)
	  AND f.code IN ('stripe_addon_differs', 'stripe_ambiguous', 'stripe_period_inverted', 'stripe_period_missing', 'stripe_price_unknown',
		'stripe_status_unknown')
	  AND (f.code, f.subject) NOT IN (SELECT r.code, r.subject FROM jsonb_to_recordset(problems) AS r(code text, subject text))
$$;
COMMENT ON FUNCTION capforecast._report_about(text[], jsonb, timestamptz) IS 'Open, update and resolve the findings about these subscriptions that follow from Stripe''s data.';

-- A row that cannot take it is a finding, and the job's to try again: no event is refused for
-- what one vendor's row is like.
CREATE FUNCTION capforecast._take_event(as_of timestamptz, ids text[])
	RETURNS boolean LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	one text;
	taken boolean := true;
	decided capforecast._stripe_decision[];
	problems jsonb;
BEGIN
	FOR one IN SELECT DISTINCT id FROM unnest(ids) id WHERE id IS NOT NULL ORDER BY 1 LOOP
		BEGIN
			decided := ARRAY(SELECT d FROM capforecast._stripe_decide(ARRAY[one]) d);
			PERFORM capforecast._stripe_write(as_of, decided);
			problems := capforecast._stripe_findings(to_jsonb(decided), as_of);
			SET CONSTRAINTS ALL IMMEDIATE;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE ~ '^(40|53|57)' OR SQLSTATE = '55P03' THEN
				RAISE;
			END IF;
			taken := false;
			problems := jsonb_build_array(jsonb_build_object('code', 'job_row_failed', 'subject', 'sync_stripe_status subscription ' || one,
				'detail', jsonb_build_object('sqlstate', SQLSTATE, 'message', left(SQLERRM, 1000))));
		END;
		PERFORM capforecast._report_about(ARRAY[one], problems, as_of);
	END LOOP;
	RETURN taken;
END
$$;
COMMENT ON FUNCTION capforecast._take_event(timestamptz, text[]) IS 'Bring locked subscriptions to agree with what is stored of Stripe; false where one of them could not.';

CREATE FUNCTION capforecast.ingest_stripe_event(body bytea, signature text, as_of timestamptz DEFAULT NULL,
		OUT event_id text, OUT outcome text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	now timestamptz := capforecast._now(as_of);
	largest constant integer := 4194304;	-- Stripe's own are some kilobytes, a hundred at most
	verdict text;
	event jsonb;
	object jsonb;
	ids text[];
	taken boolean;
BEGIN
	PERFORM capforecast._host_lockable();
	IF octet_length(body) > largest THEN
		PERFORM capforecast._fail('22023', 'body_too_large', 'the body is too large for an event of Stripe',
			format('It has %s bytes; at most %s are taken.', octet_length(body), largest), 'Pass the body as it was received.');
	END IF;
	verdict := CASE WHEN body IS NULL OR signature IS NULL THEN 'no_v1' ELSE capforecast._stripe_signature(body, signature, now) END;
	IF verdict IS NOT NULL THEN
		PERFORM capforecast._fail('28000', verdict, 'the signature of the webhook is not valid',
			CASE verdict WHEN 'no_v1' THEN 'The header has no signature of scheme v1.' WHEN 'signature_mismatch' THEN 'It does not sign this body with a stored secret.'
				ELSE 'Its time is too far from now.' END,
			'Pass the body as it was received and the Stripe-Signature header, and check that the endpoint''s secret is stored.');
	END IF;
	event := capforecast._read_stripe_event(body);
	object := event #> '{data,object}';
	event_id := event ->> 'id';
	outcome := CASE WHEN event ->> 'type' NOT LIKE 'customer.subscription.%'
		OR event -> 'livemode' <> to_jsonb(capforecast._setting('stripe_livemode')::boolean)
		OR event ->> 'account' <> nullif(capforecast._setting('stripe_account'), '') OR NOT capforecast._stripe_is(object -> 'id', 'id')
		THEN 'ignored' ELSE 'accepted' END;
	INSERT INTO capforecast.stripe_event AS e (event_id, event_type, object_id, customer_id, livemode, account_id, created, payload,
		body_sha256, received_at, outcome)
	VALUES (event ->> 'id', event ->> 'type', CASE WHEN capforecast._stripe_is(object -> 'id', 'id') THEN object ->> 'id' END,
		CASE WHEN capforecast._stripe_is(object -> 'customer', 'id') THEN object ->> 'customer' END,
		capforecast._stripe_flag(event -> 'livemode'), event ->> 'account',
		capforecast._stripe_time(event ->> 'created'), event, sha256(body), now, ingest_stripe_event.outcome)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		-- delivered again it may be rendered anew: with other counters, or for another version of the API
		outcome := (SELECT CASE WHEN (e.event_type, e.created, e.object_id) IS NOT DISTINCT FROM (event ->> 'type',
				capforecast._stripe_time(event ->> 'created'), CASE WHEN capforecast._stripe_is(object -> 'id', 'id') THEN object ->> 'id' END)
				THEN 'duplicate' ELSE 'rejected' END
			FROM capforecast.stripe_event e WHERE e.event_id = event ->> 'id');
		IF ingest_stripe_event.outcome = 'rejected' THEN
			PERFORM capforecast._report('{}', jsonb_build_array(
				jsonb_build_object('code', 'event_id_reuse', 'subject', 'event ' || (event ->> 'id'))), now);
		END IF;
		RETURN;
	ELSIF ingest_stripe_event.outcome = 'ignored' THEN
		RETURN;
	END IF;
	IF event ->> 'type' = 'customer.subscription.pending_update_expired' THEN
		PERFORM capforecast._expire_request(object ->> 'id', capforecast._stripe_time(event ->> 'created'));
	END IF;
	IF capforecast._stripe_relation('subscriptions') IS NOT NULL THEN
		RETURN;		-- the mirror is what counts
	END IF;
	-- rows that hold it; where none does, one of its customer's may come to follow it
	ids := capforecast._lock_by_stripe('stripe_subscription_id', object ->> 'id');
	taken := cardinality(ids) > 0;
	IF NOT taken THEN
		ids := capforecast._lock_by_stripe('stripe_customer_id', object ->> 'customer');
	END IF;
	IF NOT capforecast._take_event(now, ids)
	   OR NOT (taken OR cardinality(capforecast._lock_by_stripe('stripe_subscription_id', object ->> 'id')) > 0) THEN
		outcome := 'stored_unresolved';
	END IF;
	UPDATE capforecast.stripe_event e SET outcome = ingest_stripe_event.outcome,
		applied_at = CASE ingest_stripe_event.outcome WHEN 'accepted' THEN now END
	WHERE e.event_id = event ->> 'id';
END
$$;
COMMENT ON FUNCTION capforecast.ingest_stripe_event(bytea, text, timestamptz) IS
	'Take in a webhook event: body as it was received (up to 4 MB), and the Stripe-Signature header. outcome: accepted, duplicate (also where it was rendered anew), rejected (an id that came with another type, time or object), ignored (not about a subscription, or another mode or account), stored_unresolved (its subscription is not known yet, or its row could not be written, which is a finding; the job tries again). Where a mirror of Stripe is bound events are kept, and the mirror is what counts. Errors: 28000 no_v1, signature_mismatch, timestamp_outside_tolerance (nothing is stored); 22023 body_too_large, bad_body (not JSON), bad_event, bad_subscription (a field is missing or not what Stripe writes); 55000 no_secret.
Example: SELECT i.* FROM (SELECT ''{}''::bytea AS body, ''t=1,v1=0'' AS signature WHERE false) request, capforecast.ingest_stripe_event(body, signature) i;';
