\echo Use "ALTER EXTENSION capforecast UPDATE" to load this file. \quit

-- Who was granted which routine, by name: those that are made anew get it back at the end.
CREATE TEMPORARY TABLE _granted ON COMMIT DROP AS
	SELECT p.proname, p.prokind, a.grantee, a.is_grantable
	FROM pg_catalog.pg_proc p
		CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) a
	WHERE p.pronamespace OPERATOR(pg_catalog.=) 'capforecast'::pg_catalog.regnamespace
	  AND a.grantee OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
	  AND a.grantee OPERATOR(pg_catalog.<>) p.proowner;
