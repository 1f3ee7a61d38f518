DO $$
DECLARE
	was record;
BEGIN
	FOR was IN
		SELECT DISTINCT p.oid::pg_catalog.regprocedure AS signature, g.grantee::pg_catalog.regrole AS grantee, g.is_grantable
		FROM pg_temp._granted g
			JOIN pg_catalog.pg_proc p ON p.proname OPERATOR(pg_catalog.=) g.proname
		WHERE p.pronamespace OPERATOR(pg_catalog.=) 'capforecast'::pg_catalog.regnamespace
	LOOP
		EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %s%s', was.signature, was.grantee,
			CASE WHEN was.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
	END LOOP;
END
$$;
DROP TABLE pg_temp._granted;
