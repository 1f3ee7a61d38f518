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
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	VALUES
		(1, 'Starter',      50::bigint,  10000::bigint, NULL::bigint, NULL::bigint, NULL::bigint,   3000::bigint, 'EUR'::char(3)),
		(2, 'Small',       100,          30000,         NULL,         NULL,         NULL,           8000,         'EUR'),
		(3, 'Medium',      300,         100000,         NULL,         NULL,         NULL,          15000,         'EUR'),
		(4, 'Large',       500,         250000,         NULL,         NULL,         NULL,          35000,         'EUR'),
		(5, 'Scale',      1000,         500000,         NULL,         NULL,         NULL,          70000,         'EUR'),
		(6, 'Enterprise', NULL,           NULL,         NULL,         NULL,         NULL,         150000,         'EUR')
$$;
COMMENT ON FUNCTION capforecast._default_infrastructure_tiers() IS 'The list of sizes while the operator has none of his own.';

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
