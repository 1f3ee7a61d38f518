\echo Use "ALTER EXTENSION capforecast UPDATE" to load this file. \quit

SET LOCAL search_path = pg_catalog, pg_temp;

-- Who was granted which routine, by name: those that are made anew get it back at the end.
CREATE TEMPORARY TABLE _granted ON COMMIT DROP AS
	SELECT p.proname, p.prokind, a.grantee, a.is_grantable
	FROM pg_catalog.pg_proc p
		CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) a
	WHERE p.pronamespace OPERATOR(pg_catalog.=) 'capforecast'::pg_catalog.regnamespace
	  AND a.grantee OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
	  AND a.grantee OPERATOR(pg_catalog.<>) p.proowner;

-- And who was granted the same on all tables and views, or on all sequences: they get it on those that come.
CREATE TEMPORARY TABLE _relation ON COMMIT DROP AS
	SELECT c.oid, c.relkind OPERATOR(pg_catalog.=) 'S' AS is_sequence, c.relacl, c.relowner
	FROM pg_catalog.pg_class c
	WHERE c.relnamespace OPERATOR(pg_catalog.=) 'capforecast'::pg_catalog.regnamespace
	  AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,v,S}') AND c.relname OPERATOR(pg_catalog.~) '^[^_]';
CREATE TEMPORARY TABLE _granted_on_all ON COMMIT DROP AS
	SELECT r.is_sequence, a.grantee, a.privilege_type, pg_catalog.bool_and(a.is_grantable) AS is_grantable
	FROM pg_temp._relation r
		CROSS JOIN LATERAL pg_catalog.aclexplode(r.relacl) a
	WHERE a.grantee OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
	  AND a.grantee OPERATOR(pg_catalog.<>) r.relowner
	GROUP BY r.is_sequence, a.grantee, a.privilege_type
	HAVING pg_catalog.count(*) OPERATOR(pg_catalog.=) (
		SELECT pg_catalog.count(*) FROM pg_temp._relation o WHERE o.is_sequence OPERATOR(pg_catalog.=) r.is_sequence);
