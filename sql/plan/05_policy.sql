-- The operator's numbers: how near is near, what is urgent, when an alert ends.

-- What differs from the list below, so that a dump carries what was changed, and a new
-- version's defaults reach everyone who changed nothing.
CREATE TABLE capforecast.policy_change (
	name  text PRIMARY KEY,
	value text NOT NULL
);
COMMENT ON TABLE capforecast.policy_change IS 'The values of policy that the operator has changed.';
SELECT pg_catalog.pg_extension_config_dump('capforecast.policy_change', '');

CREATE FUNCTION capforecast._default_policy()
	RETURNS TABLE (name text, value text, unit text, about text, lowest double precision, highest double precision)
	LANGUAGE sql IMMUTABLE BEGIN ATOMIC
	VALUES
		('critical_days', '7', 'days', 'a limit that is to be reached within so many days is critical', 0::double precision, 3650::double precision),
		('warning_days', '30', 'days', 'within so many it is a warning; so is what is to be ordered within so many', 0, 3650),
		('watch_days', '90', 'days', 'within so many it is to be watched', 0, 3650),
		('watch_ratio', '0.9', 'of the limit', 'so is what is used to this share', 0, 1),
		('calm_days', '45', 'days', 'an alert may end where no date is nearer than this', 0, 3650),
		('calm_ratio', '0.98', 'of the limit', 'an alert about a limit that was reached may end where use is measured below this share', 0, 1),
		('alert_horizon_days', '120', 'days', 'how far raise_alerts() looks ahead', 1, 3650),
		('alert_cooldown_hours', '24', 'hours', 'how long nothing must speak for an alert before it ends, and how long it is not raised anew', 0, 8760),
		('health_warning_percent', '80', '%', 'from this share of a maximum on platform_health() warns', 0, 1000),
		('health_critical_percent', '95', '%', 'from this share on it is critical', 0, 1000),
		('recommend_days', '90', 'days', 'how far scaling_recommendations() looks ahead', 1, 366),
		('lead_time_days', '14', 'days', 'how long before it is needed capacity is ordered', 0, 366),
		('tier_mix_days', '30', 'days', 'over so many days a shift among the vendors'' tiers is looked for', 1, 36500),
		('tier_mix_ratio', '0.05', 'of the vendors', 'a tier''s share that has changed by this is told', 0, 1),
		('vendor_days', '30', 'days', 'a vendor that is to pass a limit of its plan within so many days is near it', 1, 366),
		('vendor_chance', '0.5', 'probability', 'a vendor that is to pass a limit of its plan before its period ends with this chance is told in vendor_alert', 0.01, 1),
		('vendor_list_days', '2', 'days', 'how old the list of vendors near a limit may be for scaling_recommendations()', 0, 366);
END;
COMMENT ON FUNCTION capforecast._default_policy() IS 'What policy holds while the operator has changed nothing, and between what each value must lie.';

CREATE VIEW capforecast.policy WITH (security_invoker = true) AS
	SELECT d.name, coalesce(p.value, d.value) AS value, d.unit, d.about
	FROM capforecast._default_policy() d LEFT JOIN capforecast.policy_change p ON p.name = d.name;
COMMENT ON VIEW capforecast.policy IS
	'The numbers that urgency, alerts, health and recommendations go by. UPDATE changes a value (refused where it makes no sense: 22023); DELETE brings the default back.';
COMMENT ON COLUMN capforecast.policy.value IS 'a number, in the unit beside it';

-- A new number is a row above and an attribute here.
CREATE TYPE capforecast._planning AS (
	critical_days double precision, warning_days double precision, watch_days double precision, watch_ratio double precision,
	calm_days double precision, calm_ratio double precision, alert_horizon_days double precision, alert_cooldown_hours double precision,
	health_warning_percent double precision, health_critical_percent double precision,
	recommend_days double precision, lead_time_days double precision,
	tier_mix_days double precision, tier_mix_ratio double precision,
	vendor_days double precision, vendor_list_days double precision, vendor_chance double precision
);
COMMENT ON TYPE capforecast._planning IS 'The values of policy as numbers, by name.';

-- In PL/pgSQL, whose plans are kept for the session.
CREATE FUNCTION capforecast._planning_now()
	RETURNS capforecast._planning LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT jsonb_populate_record(NULL::capforecast._planning, jsonb_object_agg(p.name, p.value)) FROM capforecast.policy p);
END
$$;
COMMENT ON FUNCTION capforecast._planning_now() IS 'Policy, read once by each function that goes by it.';

CREATE FUNCTION capforecast._check_policy_value()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known record;
BEGIN
	SELECT d.* INTO known FROM capforecast._default_policy() d WHERE d.name = NEW.name;
	IF NOT FOUND THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('there is no policy "%s"', NEW.name),
			HINT = 'SELECT name, value, unit, about FROM capforecast.policy lists them.';
	ELSIF NEW.value IS NULL OR NEW.value !~ '^-?[0-9]{1,9}(\.[0-9]{1,9})?$' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('policy %s must be a number', NEW.name),
			DETAIL = format('It is "%s".', NEW.value),
			HINT = format('Give a number between %s and %s (%s).', known.lowest, known.highest, known.unit);
	ELSIF NOT NEW.value::double precision BETWEEN known.lowest AND known.highest THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('policy %s must be between %s and %s', NEW.name, known.lowest, known.highest),
			DETAIL = format('It is %s: %s.', NEW.value, known.about),
			HINT = format('Give a number between %s and %s (%s).', known.lowest, known.highest, known.unit);
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION capforecast._check_policy_value() IS 'Trigger: a value of policy is a number between its bounds.';

CREATE TRIGGER check_value BEFORE INSERT OR UPDATE ON capforecast.policy_change
	FOR EACH ROW EXECUTE FUNCTION capforecast._check_policy_value();

CREATE FUNCTION capforecast._edit_policy()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		DELETE FROM capforecast.policy_change p WHERE p.name = OLD.name;
		RETURN OLD;
	ELSIF TG_OP = 'UPDATE' AND (NEW.name, NEW.unit, NEW.about) IS DISTINCT FROM (OLD.name, OLD.unit, OLD.about) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('of policy %s only the value can be changed', OLD.name),
			HINT = format('UPDATE capforecast.policy SET value = %L WHERE name = %L;', NEW.value, OLD.name);
	END IF;
	-- a default given back is none of the operator's
	IF EXISTS (SELECT FROM capforecast._default_policy() d WHERE d.name = NEW.name AND d.value = NEW.value) THEN
		DELETE FROM capforecast.policy_change p WHERE p.name = NEW.name;
	ELSE
		INSERT INTO capforecast.policy_change AS p (name, value) VALUES (NEW.name, NEW.value)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION capforecast._edit_policy() IS 'Trigger: makes policy editable.';

CREATE TRIGGER edit INSTEAD OF INSERT OR UPDATE OR DELETE ON capforecast.policy
	FOR EACH ROW EXECUTE FUNCTION capforecast._edit_policy();

-- Once a statement has changed all that it changes: numbers that name one scale stay in its order.
CREATE FUNCTION capforecast._check_policy_order()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wrong record;
BEGIN
	SELECT o.* INTO wrong
	FROM (VALUES ('critical_days', 'warning_days'), ('warning_days', 'watch_days'), ('warning_days', 'calm_days'),
			('calm_days', 'alert_horizon_days'), ('health_warning_percent', 'health_critical_percent')) AS o(smaller, larger)
		JOIN capforecast.policy s ON s.name = o.smaller
		JOIN capforecast.policy l ON l.name = o.larger
	WHERE s.value::double precision > l.value::double precision;
	IF FOUND THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('policy %s must not be larger than %s', wrong.smaller, wrong.larger),
			HINT = 'Change both in one UPDATE.';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION capforecast._check_policy_order() IS 'Trigger: what is critical is not wider than what is a warning, and the like.';

CREATE TRIGGER check_order AFTER INSERT OR UPDATE OR DELETE ON capforecast.policy
	FOR EACH STATEMENT EXECUTE FUNCTION capforecast._check_policy_order();
