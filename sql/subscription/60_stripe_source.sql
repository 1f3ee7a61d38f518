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
	ELSIF NOT capforecast._host_trusts(relation) THEN
		PERFORM capforecast._fail('42501', 'untrusted_binding', format('%s reaches what belongs to a role that %I does not trust', relation, current_user),
			'It would be used with the rights of the caller.', 'Give it to a role that the caller trusts, or run it as another role.');
	END IF;
	RETURN relation;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_relation(text) IS 'A table of the mirror; NULL where there is none.';

-- What Stripe's JSON and the columns of a mirror hold is read without ever raising: a value
-- of the wrong kind is one that is not known.  Read row by row for all of a platform: bodies
-- that the planner can put in place.
CREATE FUNCTION capforecast._stripe_number(value text)
	RETURNS bigint LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN value OPERATOR(pg_catalog.~) '^[0-9]{1,12}$' THEN value::bigint END;
COMMENT ON FUNCTION capforecast._stripe_number(text) IS 'A whole number of up to twelve digits; NULL for anything else.';

CREATE FUNCTION capforecast._stripe_time(seconds text)
	RETURNS timestamptz LANGUAGE sql IMMUTABLE
	RETURN pg_catalog.to_timestamp(capforecast._stripe_number(seconds)::double precision);
COMMENT ON FUNCTION capforecast._stripe_time(text) IS 'Unix seconds, as Stripe writes times; NULL for what is none.';

CREATE FUNCTION capforecast._stripe_flag(value jsonb)
	RETURNS boolean LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN value OPERATOR(pg_catalog.=) 'true' THEN true WHEN value OPERATOR(pg_catalog.=) 'false' THEN false END;
COMMENT ON FUNCTION capforecast._stripe_flag(jsonb) IS 'A truth value; NULL for anything else.';

-- Which of two versions is later: second, then status, then event.  Webhooks of one second
-- have no order of their own; a status that ends is final whenever it came.
CREATE FUNCTION capforecast._stripe_rank(status text)
	RETURNS integer LANGUAGE sql IMMUTABLE
	RETURN coalesce(pg_catalog.array_position('{incomplete,trialing,active,past_due,unpaid,paused,canceled,incomplete_expired}'::text[], status), 0);
COMMENT ON FUNCTION capforecast._stripe_rank(text) IS 'Order of Stripe''s statuses within one second; 7 and more are final.';

CREATE FUNCTION capforecast._stripe_last_words(ids text[] DEFAULT NULL, customers text[] DEFAULT NULL)
	RETURNS TABLE (object_id text, event_id text, created timestamptz, object jsonb, trial_ends timestamptz)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT DISTINCT ON (e.object_id) e.object_id, e.event_id, e.created,
		e.payload #> '{data,object}' || CASE WHEN e.event_type = 'customer.subscription.deleted' THEN '{"status": "canceled"}' ELSE '{}'::jsonb END,
		first_value(t.trial_ends) OVER (PARTITION BY e.object_id ORDER BY t.trial_ends IS NULL, e.created DESC, t.trial_ends DESC)
	FROM capforecast.stripe_event e
		CROSS JOIN LATERAL (SELECT CASE WHEN e.event_type = 'customer.subscription.deleted' THEN 7
			ELSE capforecast._stripe_rank(e.payload #>> '{data,object,status}') END AS rank) r
		CROSS JOIN LATERAL (SELECT capforecast._stripe_time(e.payload #>> '{data,object,trial_end}') AS ends) x
		CROSS JOIN LATERAL (SELECT CASE WHEN x.ends > e.created THEN x.ends END AS trial_ends) t
	WHERE e.event_type LIKE 'customer.subscription.%' AND e.outcome <> 'ignored'
	  AND (ids IS NULL OR e.object_id = ANY (ids) OR e.customer_id = ANY (customers))
	ORDER BY e.object_id, r.rank >= 7 DESC, e.created DESC, r.rank DESC, e.event_id DESC
$$;
COMMENT ON FUNCTION capforecast._stripe_last_words(text[], text[]) IS
	'For each subscription of Stripe the event that counts, in whatever order they came; trial_ends: the end of its trial as it was last told beforehand.';

CREATE FUNCTION capforecast._stripe_rows(relation regclass, condition text DEFAULT 'true', ids text[] DEFAULT NULL, customers text[] DEFAULT NULL)
	RETURNS SETOF jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	IF relation IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format('SELECT m.object FROM (SELECT CASE WHEN jsonb_typeof(r -> ''_raw_data'') = ''object'' THEN r -> ''_raw_data'' ELSE ''{}'' END
			|| jsonb_strip_nulls(r - ''_raw_data'') AS object FROM %s x CROSS JOIN LATERAL to_jsonb(x) r WHERE %s) m
		WHERE coalesce(m.object ->> ''livemode'', $1) = $1 AND ($2 = '''' OR coalesce(m.object ->> ''_account_id'', $2) = $2)', relation,
		CASE WHEN ids IS NULL THEN 'true' ELSE condition END)
	USING capforecast._setting('stripe_livemode')::boolean::text, capforecast._setting('stripe_account'), ids, customers;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_rows(regclass, text, text[], text[]) IS
	'The rows of a table of the mirror, of the mode and account that are configured; with ids ($3) and customers ($4) those that meet a condition on x.';

CREATE FUNCTION capforecast._stripe_items(items jsonb)
	RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('id', i ->> 'id', 'quantity', coalesce(capforecast._stripe_number(i ->> 'quantity'), 1),
			'price', CASE jsonb_typeof(i -> 'price') WHEN 'object' THEN i -> 'price' ->> 'id' ELSE i ->> 'price' END,
			'start', capforecast._stripe_number(i ->> 'current_period_start'),
			'end', capforecast._stripe_number(i ->> 'current_period_end')) ORDER BY i ->> 'id'), '[]')
	FROM jsonb_array_elements(CASE jsonb_typeof(items) WHEN 'array' THEN items
		ELSE CASE jsonb_typeof(items -> 'data') WHEN 'array' THEN items -> 'data' ELSE '[]' END END) i
	WHERE i -> 'deleted' IS DISTINCT FROM 'true'
$$;
COMMENT ON FUNCTION capforecast._stripe_items(jsonb) IS 'Items of a subscription in one form, deleted ones left out.';

CREATE FUNCTION capforecast._stripe_source(ids text[] DEFAULT NULL, customers text[] DEFAULT NULL)
	RETURNS TABLE (stripe_id text, customer text, status text, lagging boolean, object jsonb, items jsonb, version timestamptz, event_id text,
		trial_ends timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	mirror regclass := capforecast._stripe_relation('subscriptions');
BEGIN
	IF mirror IS NULL THEN
		RETURN QUERY SELECT w.object_id, w.object ->> 'customer', w.object ->> 'status', false, w.object,
			capforecast._stripe_items(w.object -> 'items'), w.created, w.event_id, w.trial_ends
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
		v.version, '', CASE WHEN t.trial_ends > v.version THEN t.trial_ends END
	FROM subscription
		LEFT JOIN item ON item.subscription = r ->> 'id'
		LEFT JOIN gone g ON g.id = r ->> 'customer'
		CROSS JOIN LATERAL (SELECT coalesce(r ->> 'last_synced_at', r ->> '_last_synced_at', r ->> 'updated_at', r ->> '_updated_at')::timestamptz
			AS version OFFSET 0) v
		CROSS JOIN LATERAL (SELECT capforecast._stripe_time(r ->> 'trial_end') AS trial_ends) t;
END
$$;
COMMENT ON FUNCTION capforecast._stripe_source(text[], text[]) IS
	'The subscriptions of Stripe that are known here (all, or those with the ids or of the customers), with the version of what is known; trial_ends: an end of the trial that lies after it.';

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

-- Add-ons as they are sold, empty where the host has no tables of them.
CREATE FUNCTION capforecast._addon_products_sql()
	RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN capforecast._host_has('vendor_addons') AND capforecast._host_has('addon_products') THEN
		'(SELECT {p:addon_products.id} AS id, {p:addon_products.code} AS code, {p:addon_products.billing_period} AS billing_period,
			capforecast._cents({p:addon_products.price_cents}) AS price, {p:addon_products.stripe_price_id} AS stripe_price FROM {addon_products} p)'
	ELSE
		'(SELECT 0::bigint AS id, ''''::text AS code, ''''::text AS billing_period, 0::bigint AS price, ''''::text AS stripe_price WHERE false)'
	END
$$;
COMMENT ON FUNCTION capforecast._addon_products_sql() IS 'Add-ons as they are sold, with their price''s id at Stripe; empty where the host has none.';

-- The last word on an object is kept as long as a row of the host holds the object.
CREATE FUNCTION capforecast._purge_events()
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
BEGIN
	EXECUTE capforecast._host_sql($sql$
		DELETE FROM capforecast.stripe_event e
		WHERE e.received_at < clock_timestamp() - interval '90 days'
		  AND (NOT EXISTS (SELECT FROM capforecast._stripe_last_words() l WHERE l.event_id = e.event_id)
			OR e.outcome = 'stored_unresolved' AND NOT EXISTS (SELECT FROM $sql$ || capforecast._subscriptions_sql() || $sql$ s
				WHERE s.stripe_subscription_id = e.object_id))$sql$);
END
$$;
COMMENT ON FUNCTION capforecast._purge_events() IS 'Drop events that the clock says are older than 90 days, but for those that still count.';
