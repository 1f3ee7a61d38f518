-- Refusals: a SQLSTATE, a word for programs, and what to do.

CREATE FUNCTION capforecast._fail(errcode text, word text, message text, explanation text, hint text)
	RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = errcode, CONSTRAINT = word, MESSAGE = message, DETAIL = explanation, HINT = hint;
END
$$;
COMMENT ON FUNCTION capforecast._fail(text, text, text, text, text) IS
	'Raise an error with a word that an application can test: it is the name of the constraint (psycopg: diag.constraint_name).';

CREATE FUNCTION capforecast._check_choice(name text, value text, choices text[])
	RETURNS void LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF value IS NULL OR value <> ALL (choices) THEN
		PERFORM capforecast._fail('22023', 'bad_argument', format('%s must be one of %s', name, array_to_string(choices, ', ')),
			format('It is %s.', coalesce(value, 'NULL')), 'Leave it out for the default.');
	END IF;
END
$$;
COMMENT ON FUNCTION capforecast._check_choice(text, text, text[]) IS '22023 unless the value is one of the choices.';
