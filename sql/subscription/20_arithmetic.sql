-- Periods and money: the one place for each.
--
-- A period is [start, end).  Boundary n is the anchor plus n months on the local clock,
-- always counted from the anchor: 31 January gives 28 February, 31 March, 30 April; see
-- subscription_period.c.

CREATE FUNCTION capforecast._boundary(anchor timestamp, zone text, months integer)
	RETURNS timestamptz LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_boundary';
COMMENT ON FUNCTION capforecast._boundary(timestamp, text, integer) IS 'The instant that lies this many months after the anchor.';

CREATE FUNCTION capforecast._months_before(anchor timestamp, zone text, instant timestamptz)
	RETURNS integer LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_months_before';
COMMENT ON FUNCTION capforecast._months_before(timestamp, text, timestamptz) IS
	'The last boundary at or before an instant, in months from the anchor.';

CREATE FUNCTION capforecast._window(anchor timestamp, zone text, after timestamptz, step integer, instant timestamptz,
		OUT starts timestamptz, OUT ends timestamptz, OUT missed integer)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_window';
COMMENT ON FUNCTION capforecast._window(timestamp, text, timestamptz, integer, timestamptz) IS
	'The window of step months that holds an instant, where an earlier one ended at after; missed: how many have passed between.';

CREATE FUNCTION capforecast._on_grid(anchor timestamp, zone text, instant timestamptz)
	RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN capforecast._boundary(anchor, zone, capforecast._months_before(anchor, zone, instant)) OPERATOR(pg_catalog.=) instant;
COMMENT ON FUNCTION capforecast._on_grid(timestamp, text, timestamptz) IS 'Whether an instant is a boundary of an anchor.';

-- Of two ends that differ in their time of day one was moved out of a gap of the clock:
-- the other one is the host's.
CREATE FUNCTION capforecast._anchor(period_start timestamptz, period_end timestamptz, zone text,
		OUT anchor timestamp, OUT irregular boolean)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first timestamp := timezone(zone, period_start);
	last timestamp := timezone(zone, period_end);
	other timestamp := first;
BEGIN
	IF timezone(zone, last::date + first::time) = period_end THEN
		last := last::date + first::time;
	END IF;
	anchor := last;
	IF extract(day FROM first) >= extract(day FROM last) THEN
		anchor := first::date + last::time;
		other := last;
	END IF;
	irregular := (anchor + make_interval(
		years => (extract(year FROM other) - extract(year FROM anchor))::integer,
		months => (extract(month FROM other) - extract(month FROM anchor))::integer))::date <> other::date;
	IF irregular THEN
		anchor := timezone(zone, period_end);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._anchor(timestamptz, timestamptz, text) IS
	'The anchor that a period shows: the later day of the month of its two ends, if the other is that day clamped to its month; else the end itself, and irregular.';

CREATE FUNCTION capforecast._anchor_at(anchor timestamp, zone text, boundary timestamptz, keeps boolean)
	RETURNS timestamp LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN keeps AND capforecast._on_grid(anchor, zone, boundary) THEN anchor ELSE timezone(zone, boundary) END;
COMMENT ON FUNCTION capforecast._anchor_at(timestamp, text, timestamptz, boolean) IS
	'The anchor of periods that begin at a boundary: the boundary itself, or (keeps) the one that has it already.';

CREATE FUNCTION capforecast._prorate(amount bigint, part numeric, whole numeric)
	RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT (sign(amount::numeric) * div(2 * abs(amount::numeric) * part + whole, 2 * whole))::bigint
$$;
COMMENT ON FUNCTION capforecast._prorate(bigint, numeric, numeric) IS
	'amount x part / whole, rounded half away from zero, exactly; 22003 beyond bigint.';

-- A period of ours that is shorter than the window of the grid that ends with it costs its
-- part of the price.
CREATE FUNCTION capforecast._terms(anchor timestamp, zone text, step integer, starts timestamptz, ends timestamptz,
		OUT periods integer, OUT first integer, OUT whole_from timestamptz)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'capforecast_terms';
COMMENT ON FUNCTION capforecast._terms(timestamp, text, integer, timestamptz, timestamptz) IS
	'How many periods of step months lie in a time, and where the first begins on the grid: in months from the anchor, and when (before starts: that one is short).';

CREATE FUNCTION capforecast._for_periods(price bigint, periods integer, starts timestamptz, first_end timestamptz, whole_from timestamptz)
	RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN whole_from OPERATOR(pg_catalog.<) starts THEN
			capforecast._prorate(price, EXTRACT(epoch FROM first_end OPERATOR(pg_catalog.-) starts),
				EXTRACT(epoch FROM first_end OPERATOR(pg_catalog.-) whole_from))
				OPERATOR(pg_catalog.+) (price OPERATOR(pg_catalog.*) (periods OPERATOR(pg_catalog.-) 1))
		ELSE price OPERATOR(pg_catalog.*) periods END;
COMMENT ON FUNCTION capforecast._for_periods(bigint, integer, timestamptz, timestamptz, timestamptz) IS
	'The price of so many periods, the first of which begins at starts instead of whole_from.';

CREATE FUNCTION capforecast._share(as_of timestamptz, period_start timestamptz, period_end timestamptz, whole_from timestamptz, zone text,
		proration text, OUT part numeric, OUT whole numeric, OUT at timestamptz)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	at := least(greatest(to_timestamp(floor(extract(epoch FROM as_of))), period_start), period_end);
	IF proration = 'day' THEN
		part := timezone(zone, period_end)::date - timezone(zone, at)::date;
		whole := greatest(timezone(zone, period_end)::date - timezone(zone, whole_from)::date, 1);
	ELSE
		part := extract(epoch FROM period_end - at);
		whole := extract(epoch FROM period_end - whole_from);
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._share(timestamptz, timestamptz, timestamptz, timestamptz, text, text) IS
	'What is left of a period, and what its price is for: in seconds (at: the instant cut to the second, within the period), or in whole days of the zone, today included.';

CREATE FUNCTION capforecast._price(annual boolean, monthly bigint, yearly bigint)
	RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE WHEN annual THEN yearly ELSE monthly END;
COMMENT ON FUNCTION capforecast._price(boolean, bigint, bigint) IS 'The price by interval, in minor units; NULL: not known, or not sold so.';

CREATE FUNCTION capforecast._is_live(status text)
	RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN COALESCE(status OPERATOR(pg_catalog.=) ANY (ARRAY['trial', 'active', 'past_due']), false);
COMMENT ON FUNCTION capforecast._is_live(text) IS 'Whether a status gives access: trial, active or past_due.';

CREATE FUNCTION capforecast._cents(amount numeric)
	RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF amount <> trunc(amount) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('price %s is not a whole number of minor units', amount),
			DETAIL = 'fractional_price: a fraction would have to be rounded.',
			HINT = 'Bind the table through a view that returns minor units, price * 100 for example.';
	END IF;
	RETURN amount;
END
$$;
COMMENT ON FUNCTION capforecast._cents(numeric) IS 'A price as minor units; 22023 where it has a fraction.';
