-- The frame of the jobs that have findings: begin, dry run, finish.
--
-- A job asks _busy() first, works in a block that a dry run leaves by raising CF000, and
-- returns what _finish() makes of its counts and problems.

CREATE TYPE capforecast.job_result AS (
	run_id bigint, as_of timestamptz, dry_run boolean, examined bigint, changed bigint,
	skipped_locked bigint, failed bigint, findings jsonb, already_running boolean);
COMMENT ON TYPE capforecast.job_result IS
	'What every job returns: findings is {code: number}; a dry run has no run_id and has written nothing; already_running: another run holds the job''s lock, and this one did nothing.';

-- One run of a job at a time, to the end of the transaction; the other one says so and goes.
CREATE FUNCTION capforecast._busy(job text, as_of timestamptz, dry_run boolean)
	RETURNS jsonb LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
	SELECT jsonb_build_object('as_of', as_of, 'dry_run', dry_run, 'examined', 0, 'changed', 0, 'skipped_locked', 0, 'failed', 0,
		'findings', '{}'::jsonb, 'already_running', true)
	WHERE NOT capforecast._begin_run(job, clock_timestamp(), as_of, dry_run, waits => false)
$$;
COMMENT ON FUNCTION capforecast._busy(text, timestamptz, boolean) IS 'Begin a job''s run without waiting; where another run has the job''s lock, what the job is to return, else NULL.';

-- codes: those that this run has looked for in full.
CREATE FUNCTION capforecast._finish(job text, started_at timestamptz, as_of timestamptz, dry_run boolean,
		counts jsonb, problems jsonb, codes text[])
	RETURNS capforecast.job_result LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result capforecast.job_result;
BEGIN
	result := jsonb_populate_record(NULL::capforecast.job_result,
		'{"examined": 0, "changed": 0, "skipped_locked": 0, "failed": 0}'::jsonb || counts);
	result.as_of := as_of;
	result.dry_run := dry_run;
	result.findings := capforecast._count_by_code(problems);
	result.already_running := false;
	IF dry_run THEN
		RETURN result;
	END IF;
	PERFORM capforecast._report(codes, problems, as_of);
	PERFORM capforecast._resolve(ARRAY['job_row_failed'], problems, as_of, job || ' ');
	result.run_id := capforecast._settle_run(job, started_at, as_of, result.examined, result.changed, result.skipped_locked,
		result.failed, counts - ARRAY['examined', 'changed', 'skipped_locked', 'failed'] || jsonb_build_object('findings', result.findings));
	RETURN result;
END
$$;
COMMENT ON FUNCTION capforecast._finish(text, timestamptz, timestamptz, boolean, jsonb, jsonb, text[]) IS
	'Report a job''s findings, settle its run, and make the row that it returns.';
