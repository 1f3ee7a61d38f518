-- Work that run_job() has done ahead of a job's run, a few rows at a time (src/run/run_ahead.h).

CREATE FUNCTION capforecast._put_aside(worker text, condition text, options jsonb, ids text[])
	RETURNS boolean LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_put_aside';
COMMENT ON FUNCTION capforecast._put_aside(text, text, jsonb, text[]) IS
	'True where run_job() asks what a job would work on: it is worked on later, in transactions of its own, and not now. False everywhere else.';

CREATE FUNCTION capforecast._done_ahead(worker text)
	RETURNS jsonb LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'capforecast_done_ahead';
COMMENT ON FUNCTION capforecast._done_ahead(text) IS
	'What a worker has done ahead of the run of run_job() that is at work, as counts, told once; NULL where it has done nothing.';
