-- What becomes of the rows of stripe_outbox when Stripe's data comes in.

-- What was sold once shows nowhere in the data of a subscription, and what was left to a
-- schedule is done when its date has come and there is no schedule any more.  A release alone leaves the items as
-- they are, whatever has become of them.
CREATE FUNCTION capforecast._request_shown(o capforecast.stripe_outbox, items jsonb, cancels boolean, schedule text, ended boolean,
		version timestamptz)
	RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN w.wanted ? 'cancelled' THEN ended
		ELSE w.wanted - 'one_time' <> '{}'
			AND capforecast._wanted_left(w.wanted - '{one_time,release}'::text[], items, cancels) = '{}'
			AND (o.payload ->> 'timing' = 'immediate' OR schedule IS NULL AND capforecast._stripe_time(o.payload ->> 'proration_date') <= version)
			AND NOT coalesce(w.wanted ? 'release' AND (w.wanted -> 'release' = 'true' AND schedule IS NOT NULL OR w.wanted ->> 'release' = schedule), false) END
	FROM (SELECT CASE o.operation WHEN 'release_schedule' THEN o.wanted - '{plan,addons}'::text[] ELSE o.wanted END AS wanted) w
$$;
COMMENT ON FUNCTION capforecast._request_shown(capforecast.stripe_outbox, jsonb, boolean, text, boolean, timestamptz) IS
	'Whether a subscription was as a request wants it, at the time of a version.';

CREATE FUNCTION capforecast._fail_request(o capforecast.stripe_outbox, result jsonb)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	UPDATE capforecast.stripe_outbox x SET status = 'failed', result = _fail_request.result, settled_at = clock_timestamp() WHERE x.id = o.id;
	SELECT capforecast._drop_pending_addons(o);
$$;
COMMENT ON FUNCTION capforecast._fail_request(capforecast.stripe_outbox, jsonb) IS 'End a request as failed; add-ons that waited for it are cancelled.';

-- A schedule is gone.  What it was to do is asked for again, unless it was overridden or the
-- subscription is to end; with a key of its own: Stripe would answer the old one as before.
CREATE FUNCTION capforecast._after_release(o capforecast.stripe_outbox, as_of timestamptz)
	RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	UPDATE capforecast.stripe_outbox x
	SET status = CASE WHEN r.again THEN 'pending' ELSE 'cancelled' END, wanted = CASE WHEN r.again THEN r.rest ELSE x.wanted END,
		settled_at = CASE WHEN NOT r.again THEN clock_timestamp() END, result = CASE WHEN NOT r.again THEN coalesce(x.result, '{}') || '{"reason": "released"}' END,
		idempotency_key = x.idempotency_key || CASE WHEN r.again THEN ':after ' || o.id ELSE '' END,
		attempts = 0, taken_at = NULL
	FROM (SELECT y.id, m.rest, m.rest <> '{}' AND o.payload ->> 'timing' = 'immediate' AND o.wanted -> 'cancel_at_period_end' IS DISTINCT FROM 'true'
				AND to_timestamp((y.payload ->> 'proration_date')::bigint) > as_of AS again
		  FROM capforecast.stripe_outbox y
			CROSS JOIN LATERAL (SELECT y.wanted - 'release' - CASE WHEN o.wanted ? 'plan' THEN 'plan' ELSE '' END AS w) w
			CROSS JOIN LATERAL (SELECT jsonb_strip_nulls(w.w || jsonb_build_object('addons',
				(SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(w.w -> 'addons') a WHERE NOT coalesce(o.wanted -> 'addons' ? a.key, false)))) AS rest) m
		  WHERE y.payload ->> 'subscription' = o.payload ->> 'subscription' AND y.status = 'scheduled' AND y.id <> o.id) r
	WHERE x.id = r.id AND o.wanted ? 'release'
$$;
COMMENT ON FUNCTION capforecast._after_release(capforecast.stripe_outbox, timestamptz) IS 'What becomes of the scheduled request whose schedule this one has released.';

-- In the portal it may have been changed again at once, and events come in any order: that it
-- was so for a moment is enough.
CREATE FUNCTION capforecast._event_shows(o capforecast.stripe_outbox)
	RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM capforecast.stripe_event e CROSS JOIN LATERAL (SELECT e.payload #> '{data,object}' AS object) x
		WHERE e.object_id = o.payload ->> 'subscription' AND e.created >= o.known_version AND (e.created, e.event_id) > (o.known_version, o.known_event)
		  AND e.event_type LIKE 'customer.subscription.%' AND e.outcome <> 'ignored'
		  AND capforecast._request_shown(o, capforecast._stripe_items(x.object -> 'items'),
			coalesce(capforecast._stripe_flag(x.object -> 'cancel_at_period_end') OR x.object ->> 'cancel_at' IS NOT NULL, false),
			x.object ->> 'schedule', false, e.created))
$$;
COMMENT ON FUNCTION capforecast._event_shows(capforecast.stripe_outbox) IS 'Whether an event later than the known one shows a subscription as a request wants it.';

-- Later data, not what was true before: its version is another one than was known when the
-- request was handed out.  A row that is just being handed out or settled is left to the next run.
CREATE FUNCTION capforecast._follow_requests(as_of timestamptz, subscription_id text, stripe_id text, items jsonb, cancels boolean, schedule text,
		ended boolean, version timestamptz, event_id text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	o capforecast.stripe_outbox;
BEGIN
	FOR o IN SELECT * FROM capforecast.stripe_outbox x WHERE x.subscription_id = _follow_requests.subscription_id
			AND x.status IN ('pending', 'taken', 'sent', 'scheduled') ORDER BY x.id FOR UPDATE SKIP LOCKED LOOP
		IF o.payload ->> 'subscription' <> stripe_id THEN
			PERFORM capforecast._fail_request(o, '{"reason": "another_subscription"}');
		ELSIF ended AND NOT o.wanted ? 'cancelled' THEN
			PERFORM capforecast._fail_request(o, '{"reason": "subscription_ended"}');
		ELSIF o.status <> 'pending' AND (o.known_version, o.known_event) IS DISTINCT FROM (version, event_id)
			AND (capforecast._request_shown(o, items, cancels, schedule, ended, version)
				OR capforecast._event_shows(o)) THEN
			UPDATE capforecast.stripe_outbox x SET status = 'confirmed', settled_at = as_of WHERE x.id = o.id;
			PERFORM capforecast._after_release(o, as_of);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION capforecast._follow_requests(timestamptz, text, text, jsonb, boolean, text, boolean, timestamptz, text) IS
	'Confirm the requests that Stripe''s data shows, and end those that nothing can come of.';

CREATE FUNCTION capforecast._expire_request(stripe_id text, expired_at timestamptz)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	o capforecast.stripe_outbox;
BEGIN
	SELECT * INTO o FROM capforecast.stripe_outbox x
	WHERE x.payload ->> 'subscription' = stripe_id AND x.status IN ('taken', 'sent') AND x.wanted ?| '{plan,addons,one_time}'
	  AND coalesce(x.known_version <= expired_at, true) FOR UPDATE SKIP LOCKED;
	IF o.id IS NOT NULL THEN
		PERFORM capforecast._fail_request(o, '{"reason": "pending_update_expired"}');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._expire_request(text, timestamptz) IS 'A change that waited for a payment was given up by Stripe: its request has failed.';

CREATE FUNCTION capforecast._grant_one_time(o capforecast.stripe_outbox)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET timezone = 'UTC' AS $$
BEGIN
	IF NOT capforecast._host_has('vendor_addons') THEN
		RETURN;
	END IF;
	EXECUTE capforecast._keyed_sql($sql$
		WITH granted AS (
			UPDATE {vendor_addons} h SET $sql$ || capforecast._host_set('vendor_addons', 'status', '''active''', 'updated_at', '$2') || $sql$
			FROM $sql$ || capforecast._addon_products_sql() || $sql$ p
			WHERE {h:vendor_addons.vendor_id} = @key AND {h:vendor_addons.status} = 'pending'
			  AND p.id = {h:vendor_addons.addon_product_id} AND $1 ? p.stripe_price
			RETURNING p.code
		)
		INSERT INTO capforecast.audit_log (operation, vendor_id, subscription_id, before, after, reason)
		SELECT 'settle_outbox', $3, $4, jsonb_build_object('addon', g.code, 'status', 'pending'), '{"status": "active"}', 'sold' FROM granted g$sql$,
		o.vendor_id)
	USING o.wanted -> 'one_time', clock_timestamp(), o.vendor_id, o.subscription_id;
END
$$;
COMMENT ON FUNCTION capforecast._grant_one_time(capforecast.stripe_outbox) IS 'What was sold once grants from when Stripe has taken the order.';
