-- What Stripe says: from a mirror of its tables in this database, or from the webhook
-- events that ingest_stripe_event() keeps.  Rows of a mirror are read as JSON, so that
-- its two forms (columns, or _raw_data with generated columns) and the events of the
-- inbox are one kind of object.

CREATE FUNCTION capforecast._stripe_relation(name text)
	RETURNS regclass LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass := to_regclass(format('%I.%I', capforecast._setting('stripe_schema'), name));
BEGIN
	IF (SELECT c.relkind FROM pg_class c WHERE c.oid = relation) = 'f' THEN
		PERFORM capforecast._fail('55000', 'foreign_table', format('%s is a foreign table', relation),
			'Every read of it would be a call over the network, made by the database.',
				'Copy it to a local table, and point capforecast.stripe_schema there.');
	END IF;
	RETURN relation;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_relation(text) IS 'A table of the mirror; NULL where there is none.';

-- Which of two versions is later: second, then status, then event.  Webhooks of one second
-- have no order of their own; a status that ends is final whenever it came.
CREATE FUNCTION capforecast._stripe_rank(status text)
	RETURNS integer LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(array_position('{incomplete,trialing,active,past_due,unpaid,paused,canceled,incomplete_expired}'::text[], status), 0)
$$;
COMMENT ON FUNCTION capforecast._stripe_rank(text) IS 'Order of Stripe''s statuses within one second; 7 and more are final.';

CREATE FUNCTION capforecast._stripe_last_words(ids text[] DEFAULT NULL, customers text[] DEFAULT NULL)
	RETURNS TABLE (object_id text, event_id text, created timestamptz, object jsonb)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT DISTINCT ON (e.object_id) e.object_id, e.event_id, e.created,
		e.payload #> '{data,object}' || CASE WHEN e.event_type = 'customer.subscription.deleted' THEN '{"status": "canceled"}' ELSE '{}'::jsonb END
	FROM capforecast.stripe_event e
		CROSS JOIN LATERAL (SELECT CASE WHEN e.event_type = 'customer.subscription.deleted' THEN 7
			ELSE capforecast._stripe_rank(e.payload #>> '{data,object,status}') END AS rank) r
	WHERE e.event_type LIKE 'customer.subscription.%' AND e.outcome <> 'ignored'
	  AND (ids IS NULL OR e.object_id = ANY (ids) OR e.customer_id = ANY (customers))
	ORDER BY e.object_id, r.rank >= 7 DESC, e.created DESC, r.rank DESC, e.event_id DESC
$$;
COMMENT ON FUNCTION capforecast._stripe_last_words(text[], text[]) IS 'For each subscription of Stripe the event that counts, in whatever order they came.';

CREATE FUNCTION capforecast._stripe_rows(relation regclass, condition text DEFAULT 'true', ids text[] DEFAULT NULL, customers text[] DEFAULT NULL)
	RETURNS SETOF jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF relation IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format('SELECT m.object FROM (SELECT CASE WHEN jsonb_typeof(r -> ''_raw_data'') = ''object'' THEN r -> ''_raw_data'' ELSE ''{}'' END
			|| jsonb_strip_nulls(r - ''_raw_data'') AS object FROM %s x CROSS JOIN LATERAL to_jsonb(x) r WHERE %s) m
		WHERE coalesce((m.object ->> ''livemode'')::boolean, $1) = $1 AND ($2 = '''' OR coalesce(m.object ->> ''_account_id'', $2) = $2)', relation,
		CASE WHEN ids IS NULL THEN 'true' ELSE condition END)
	USING capforecast._setting('stripe_livemode')::boolean, capforecast._setting('stripe_account'), ids, customers;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_rows(regclass, text, text[], text[]) IS
	'The rows of a table of the mirror, of the mode and account that are configured; with ids ($3) and customers ($4) those that meet a condition on x.';

CREATE FUNCTION capforecast._stripe_items(items jsonb)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('id', i ->> 'id', 'quantity', coalesce((i ->> 'quantity')::bigint, 1),
			'price', CASE jsonb_typeof(i -> 'price') WHEN 'object' THEN i -> 'price' ->> 'id' ELSE i ->> 'price' END,
			'start', (i ->> 'current_period_start')::numeric, 'end', (i ->> 'current_period_end')::numeric) ORDER BY i ->> 'id'), '[]')
	FROM jsonb_array_elements(CASE jsonb_typeof(items) WHEN 'array' THEN items
		ELSE CASE jsonb_typeof(items -> 'data') WHEN 'array' THEN items -> 'data' ELSE '[]' END END) i
	WHERE coalesce((i ->> 'deleted')::boolean, false) IS FALSE
$$;
COMMENT ON FUNCTION capforecast._stripe_items(jsonb) IS 'Items of a subscription in one form, deleted ones left out.';

CREATE FUNCTION capforecast._stripe_source(ids text[] DEFAULT NULL, customers text[] DEFAULT NULL)
	RETURNS TABLE (stripe_id text, customer text, status text, lagging boolean, object jsonb, items jsonb, version timestamptz, event_id text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	mirror regclass := capforecast._stripe_relation('subscriptions');
BEGIN
	IF mirror IS NULL THEN
		RETURN QUERY SELECT w.object_id, w.object ->> 'customer', w.object ->> 'status', false, w.object,
			capforecast._stripe_items(w.object -> 'items'), w.created, w.event_id
		FROM capforecast._stripe_last_words(ids, customers) w;
		RETURN;
	END IF;
	RETURN QUERY
	WITH subscription AS MATERIALIZED (
		SELECT r FROM capforecast._stripe_rows(mirror, 'x.id = ANY ($3) OR x.customer = ANY ($4)', ids, customers) r
	), item AS MATERIALIZED (
		SELECT i ->> 'subscription' AS subscription, jsonb_agg(i) AS items
		FROM capforecast._stripe_rows(capforecast._stripe_relation('subscription_items'), 'x.subscription = ANY ($3)',
			CASE WHEN ids IS NOT NULL THEN ARRAY(SELECT r ->> 'id' FROM subscription) END) i GROUP BY 1
	), gone AS MATERIALIZED (
		SELECT c ->> 'id' AS id FROM capforecast._stripe_rows(capforecast._stripe_relation('customers'), 'x.deleted', '{}') c
	)
	SELECT r ->> 'id', r ->> 'customer',
		CASE WHEN g.id IS NOT NULL AND capforecast._stripe_rank(r ->> 'status') < 7 THEN 'canceled' ELSE r ->> 'status' END,
		g.id IS NOT NULL AND capforecast._stripe_rank(r ->> 'status') < 7, r,
		capforecast._stripe_items(coalesce(item.items, r -> 'items')),
		coalesce(r ->> 'last_synced_at', r ->> '_last_synced_at', r ->> 'updated_at', r ->> '_updated_at')::timestamptz, ''
	FROM subscription
		LEFT JOIN item ON item.subscription = r ->> 'id'
		LEFT JOIN gone g ON g.id = r ->> 'customer';
END
$$;
COMMENT ON FUNCTION capforecast._stripe_source(text[], text[]) IS
	'The subscriptions of Stripe that are known here (all, or those with the ids or of the customers), with the version of what is known.';

-- A constant: what Stripe's words mean.  NULL: the host keeps what it has.
CREATE FUNCTION capforecast._stripe_map(status text, OUT host_status text, OUT entitled boolean, OUT known boolean)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT m.host_status, m.entitled, m.stripe_status IS NOT NULL
	FROM (SELECT status AS wanted) w LEFT JOIN (VALUES
		('trialing', 'trial', true),
		('active', 'active', true),
		('past_due', 'past_due', true),				-- the first failure keeps access
		('unpaid', 'past_due', false),				-- retries are exhausted; a payment still turns it
		('incomplete', NULL, false),				-- the first payment has not succeeded
		('incomplete_expired', 'expired', false),
		('paused', 'expired', false),				-- a trial ended without a card
		('canceled', 'cancelled', false)) m(stripe_status, host_status, entitled) ON m.stripe_status = w.wanted
$$;
COMMENT ON FUNCTION capforecast._stripe_map(text) IS 'Status and entitlement that follow from a status of Stripe; known false: a word that Stripe did not have.';

CREATE FUNCTION capforecast._stripe_time(seconds text)
	RETURNS timestamptz LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT to_timestamp(nullif(seconds, '')::numeric::double precision)
$$;
COMMENT ON FUNCTION capforecast._stripe_time(text) IS 'Unix seconds, as Stripe writes times.';
