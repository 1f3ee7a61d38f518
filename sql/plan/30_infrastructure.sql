-- Sizes of infrastructure.

-- Empty until the operator edits the view below: then it holds the whole list, so that
-- a dump carries what was changed, added and removed, and a new version's defaults reach
-- everyone who changed nothing.
CREATE TABLE capforecast._infrastructure_tier (
	position           integer PRIMARY KEY,
	name               text NOT NULL UNIQUE CHECK (name <> ''),
	max_vendors        bigint CHECK (max_vendors > 0),
	max_products       bigint CHECK (max_products > 0),
	max_orders_month   bigint CHECK (max_orders_month > 0),
	max_db_size_mb     bigint CHECK (max_db_size_mb > 0),
	max_storage_gb     bigint CHECK (max_storage_gb > 0),
	monthly_cost_cents bigint NOT NULL CHECK (monthly_cost_cents >= 0),
	currency           char(3) NOT NULL DEFAULT 'EUR'
);
COMMENT ON TABLE capforecast._infrastructure_tier IS
	'The operator''s own list of sizes; empty while the default list is in use.';
SELECT pg_catalog.pg_extension_config_dump('capforecast._infrastructure_tier', '');

CREATE FUNCTION capforecast._default_infrastructure_tiers()
	RETURNS SETOF capforecast._infrastructure_tier
	LANGUAGE sql IMMUTABLE ROWS 6 BEGIN ATOMIC
	VALUES
		(1, 'Starter',      50::bigint,  10000::bigint, NULL::bigint, NULL::bigint, NULL::bigint,   3000::bigint, 'EUR'::char(3)),
		(2, 'Small',       100,          30000,         NULL,         NULL,         NULL,           8000,         'EUR'),
		(3, 'Medium',      300,         100000,         NULL,         NULL,         NULL,          15000,         'EUR'),
		(4, 'Large',       500,         250000,         NULL,         NULL,         NULL,          35000,         'EUR'),
		(5, 'Scale',      1000,         500000,         NULL,         NULL,         NULL,          70000,         'EUR'),
		(6, 'Enterprise', NULL,           NULL,         NULL,         NULL,         NULL,         150000,         'EUR');
END;
COMMENT ON FUNCTION capforecast._default_infrastructure_tiers() IS 'The list of sizes while the operator has no list of their own.';

CREATE VIEW capforecast.infrastructure_tiers WITH (security_invoker = true) AS
	SELECT * FROM capforecast._infrastructure_tier
	UNION ALL
	SELECT * FROM capforecast._default_infrastructure_tiers()
	WHERE NOT EXISTS (SELECT FROM capforecast._infrastructure_tier);
COMMENT ON VIEW capforecast.infrastructure_tiers IS
	'Sizes of infrastructure in order of position, with what each carries at most (NULL: no limit) and costs a month. INSERT, UPDATE and DELETE edit it; deleting every row brings the default list back, and inserting at one of its positions then begins a list of your own.';
COMMENT ON COLUMN capforecast.infrastructure_tiers.monthly_cost_cents IS 'in minor units of the currency';
COMMENT ON COLUMN capforecast.infrastructure_tiers.max_orders_month IS 'further maxima, NULL by default';

CREATE FUNCTION capforecast._edit_infrastructure_tiers()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- "DELETE everything, INSERT my list" must not meet the default list again.
	IF NOT EXISTS (SELECT FROM capforecast._infrastructure_tier) AND NOT (TG_OP = 'INSERT'
		AND EXISTS (SELECT FROM capforecast._default_infrastructure_tiers() d WHERE d.position = NEW.position))
	THEN
		INSERT INTO capforecast._infrastructure_tier SELECT * FROM capforecast._default_infrastructure_tiers();
	END IF;
	IF TG_OP = 'INSERT' THEN
		NEW.position := coalesce(NEW.position, (SELECT max(t.position) + 1 FROM capforecast._infrastructure_tier t));
		NEW.currency := coalesce(NEW.currency, 'EUR');
		INSERT INTO capforecast._infrastructure_tier SELECT NEW.*;
	ELSIF TG_OP = 'UPDATE' THEN
		UPDATE capforecast._infrastructure_tier t
		SET (position, name, max_vendors, max_products, max_orders_month, max_db_size_mb, max_storage_gb, monthly_cost_cents, currency)
			= (SELECT NEW.*)
		WHERE t.position = OLD.position;
	ELSE
		DELETE FROM capforecast._infrastructure_tier t WHERE t.position = OLD.position;
		RETURN OLD;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION capforecast._edit_infrastructure_tiers() IS 'Trigger: makes infrastructure_tiers editable.';

CREATE TRIGGER edit INSTEAD OF INSERT OR UPDATE OR DELETE ON capforecast.infrastructure_tiers
	FOR EACH ROW EXECUTE FUNCTION capforecast._edit_infrastructure_tiers();

-- What each size carries, beside the metrics that it is measured by.
CREATE FUNCTION capforecast._tier_maxima(tier capforecast._infrastructure_tier)
	RETURNS TABLE (metric text, maximum bigint)
	LANGUAGE sql IMMUTABLE ROWS 5 BEGIN ATOMIC
	VALUES ('vendors', tier.max_vendors), ('products', tier.max_products), ('orders', tier.max_orders_month),
		('db_size_mb', tier.max_db_size_mb), ('storage_gb', tier.max_storage_gb);
END;
COMMENT ON FUNCTION capforecast._tier_maxima(capforecast._infrastructure_tier) IS
	'What a size of infrastructure carries at most, per metric (NULL: no limit).';

CREATE FUNCTION capforecast._usage_of(day capforecast.capacity_snapshots)
	RETURNS jsonb LANGUAGE sql STABLE
	RETURN jsonb_strip_nulls(jsonb_build_object('vendors', day.active_vendors, 'products', day.total_products,
		'orders', day.total_orders_month, 'db_size_mb', day.db_size_mb, 'storage_gb', day.storage_used_gb));
COMMENT ON FUNCTION capforecast._usage_of(capforecast.capacity_snapshots) IS
	'A snapshot''s numbers that infrastructure is measured by: metric to number, without those that are not known.';

CREATE FUNCTION capforecast._last_usage(as_of timestamptz)
	RETURNS SETOF jsonb LANGUAGE sql STABLE ROWS 1 BEGIN ATOMIC
	SELECT capforecast._usage_of(s) FROM capforecast.capacity_snapshots s
	WHERE s.snapshot_date <= (as_of AT TIME ZONE 'UTC')::date
	ORDER BY s.snapshot_date DESC LIMIT 1;
END;
COMMENT ON FUNCTION capforecast._last_usage(timestamptz) IS '_usage_of() the last snapshot; no row where there is none.';

CREATE TYPE capforecast.tier_fit AS (tier capforecast._infrastructure_tier, is_exceeded boolean);
COMMENT ON TYPE capforecast.tier_fit IS 'A size of infrastructure, and whether the use is above even that.';

-- What the usage does not name, and what a size has no maximum of, excludes no size.
CREATE FUNCTION capforecast._tier_for(usage jsonb)
	RETURNS SETOF capforecast.tier_fit LANGUAGE sql STABLE ROWS 1 BEGIN ATOMIC
	SELECT t.tier, t.is_exceeded
	FROM (SELECT ROW(i.*)::capforecast._infrastructure_tier AS tier, i.position,
			EXISTS (SELECT FROM capforecast._tier_maxima(ROW(i.*)::capforecast._infrastructure_tier) m
					WHERE (usage ->> m.metric)::double precision > m.maximum) AS is_exceeded
			FROM capforecast.infrastructure_tiers i) t
	ORDER BY t.is_exceeded, CASE WHEN t.is_exceeded THEN -t.position ELSE t.position END LIMIT 1;
END;
COMMENT ON FUNCTION capforecast._tier_for(jsonb) IS
	'The first size of infrastructure that carries the usage (metric to number); the last one, exceeded, where none does.';

-- Only the operator knows what is in use.
CREATE TABLE capforecast.infrastructure_in_use (
	is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
	tier    text NOT NULL,
	is_told boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE capforecast.infrastructure_in_use IS
	'The size of infrastructure in use: what use_infrastructure_tier() was told, else the first that carried the first captured day.';
COMMENT ON COLUMN capforecast.infrastructure_in_use.is_told IS 'false: nobody has told; doctor() asks';
SELECT pg_catalog.pg_extension_config_dump('capforecast.infrastructure_in_use', '');

CREATE TYPE capforecast.tier_used AS (tier capforecast._infrastructure_tier, is_told boolean);
COMMENT ON TYPE capforecast.tier_used IS 'The size of infrastructure in use, and whether the operator has told so.';

-- Never a larger one because use has grown: a limit that is passed is passed. History that was
-- rebuilt or imported says nothing of the size: until a day is captured, the last one known does.
CREATE FUNCTION capforecast._tier_in_use(usage jsonb)
	RETURNS SETOF capforecast.tier_used LANGUAGE sql STABLE ROWS 1 BEGIN ATOMIC
	SELECT ROW(i.*)::capforecast._infrastructure_tier, u.is_told
	FROM capforecast.infrastructure_in_use u JOIN capforecast.infrastructure_tiers i ON i.name = u.tier
	UNION ALL
	SELECT f.tier, false
	FROM (SELECT capforecast._usage_of(s) AS usage FROM capforecast.capacity_snapshots s
			WHERE s.source = 'captured' AND s.active_vendors IS NOT NULL AND s.total_products IS NOT NULL
			ORDER BY s.snapshot_date LIMIT 1) first
		CROSS JOIN LATERAL capforecast._tier_for(first.usage) f
	UNION ALL
	SELECT f.tier, false FROM capforecast._tier_for(usage) f
	LIMIT 1;
END;
COMMENT ON FUNCTION capforecast._tier_in_use(jsonb) IS
	'The size in use: as told, else the first that carries the first captured day; only where no day was captured, the first that carries the usage.';

CREATE FUNCTION capforecast.use_infrastructure_tier(name text)
	RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF use_infrastructure_tier.name IS NOT NULL
		AND NOT EXISTS (SELECT FROM capforecast.infrastructure_tiers t WHERE t.name = use_infrastructure_tier.name) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('infrastructure tier "%s" does not exist', use_infrastructure_tier.name),
			HINT = 'SELECT name FROM capforecast.infrastructure_tiers lists them.';
	END IF;
	DELETE FROM capforecast.infrastructure_in_use;
	INSERT INTO capforecast.infrastructure_in_use (tier, is_told)
	SELECT use_infrastructure_tier.name, true WHERE use_infrastructure_tier.name IS NOT NULL;
END
$$;
COMMENT ON FUNCTION capforecast.use_infrastructure_tier(text) IS
	'Tell which size of infrastructure_tiers is in use: outlook, alerts, plans and recommendations measure against it, and go on doing so after use has passed it. NULL: not told; then it is the first that carried the first captured day. Error: 22023.
Example: SELECT capforecast.use_infrastructure_tier(''Small'');';

CREATE FUNCTION capforecast._keep_first_tier()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a role that may capture, but not write here, captures all the same
	IF has_table_privilege('capforecast.infrastructure_in_use', 'INSERT')
		AND NOT EXISTS (SELECT FROM capforecast.infrastructure_in_use) THEN
		INSERT INTO capforecast.infrastructure_in_use (tier, is_told)
		SELECT (u.tier).name, false FROM capforecast._tier_in_use(capforecast._usage_of(NEW)) u
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION capforecast._keep_first_tier() IS 'Trigger: the first captured day settles which size is in use until the operator tells.';

-- Not for rows that a dump brings back: those were captured before.
CREATE TRIGGER keep_first_tier AFTER INSERT OR UPDATE ON capforecast.capacity_snapshots
	FOR EACH ROW WHEN (NEW.source = 'captured' AND NEW.captured_at >= transaction_timestamp()
		AND NEW.active_vendors IS NOT NULL AND NEW.total_products IS NOT NULL)
	EXECUTE FUNCTION capforecast._keep_first_tier();
