\echo Use "CREATE EXTENSION capforecast" to load this file. \quit

-- The server does so anyway, as the control file says; written down, checkers see it, too.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The schema belongs to the extension: it goes with it, and a schema of this name that
-- somebody has made before is refused instead of taken over with what is in it.
CREATE SCHEMA capforecast;
COMMENT ON SCHEMA capforecast IS 'capacity planning and forecasting; grant USAGE on it to whom may ask';
