-- Refusals: a SQLSTATE, a code for programs, and what to do.

CREATE FUNCTION capforecast._fail(errcode text, word text, message text, explanation text, hint text)
	RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = errcode, MESSAGE = message, DETAIL = word || ': ' || explanation, HINT = hint, CONSTRAINT = word;
END
$$;
COMMENT ON FUNCTION capforecast._fail(text, text, text, text, text) IS 'Raise an error with a word that an application can test: the name of its constraint, and the beginning of its detail.';
