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
	FOR was IN
		SELECT c.oid::pg_catalog.regclass AS name, g.*, g.grantee::pg_catalog.regrole AS role_name
		FROM pg_temp._granted_on_all g
			JOIN pg_catalog.pg_class c ON (c.relkind OPERATOR(pg_catalog.=) 'S') OPERATOR(pg_catalog.=) g.is_sequence
		WHERE c.relnamespace OPERATOR(pg_catalog.=) 'capforecast'::pg_catalog.regnamespace
		  AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,v,S}') AND c.relname OPERATOR(pg_catalog.~) '^[^_]'
		  AND NOT EXISTS (SELECT FROM pg_temp._relation r WHERE r.oid OPERATOR(pg_catalog.=) c.oid)
	LOOP
		EXECUTE pg_catalog.format('GRANT %s ON %s %s TO %s%s', was.privilege_type,
			CASE WHEN was.is_sequence THEN 'SEQUENCE' ELSE 'TABLE' END, was.name, was.role_name,
			CASE WHEN was.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
	END LOOP;
END
$$;

-- These are the grants of those who use the extension, not its own: pg_dump is to carry them.
UPDATE pg_catalog.pg_init_privs i
SET initprivs = (
	SELECT pg_catalog.array_agg(a.item)
	FROM pg_catalog.unnest(i.initprivs) AS a(item)
		CROSS JOIN LATERAL (SELECT e.grantee FROM pg_catalog.aclexplode(ARRAY[a.item]) e LIMIT 1) e
	WHERE e.grantee OPERATOR(pg_catalog.=) ANY (ARRAY[0::pg_catalog.oid, o.owner]))
FROM (
	SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass AS classoid, p.oid, p.proowner AS owner FROM pg_catalog.pg_proc p
	WHERE p.pronamespace OPERATOR(pg_catalog.=) 'capforecast'::pg_catalog.regnamespace
	UNION ALL
	SELECT 'pg_catalog.pg_class', c.oid, c.relowner FROM pg_catalog.pg_class c
	WHERE c.relnamespace OPERATOR(pg_catalog.=) 'capforecast'::pg_catalog.regnamespace) o
WHERE i.objoid OPERATOR(pg_catalog.=) o.oid AND i.classoid OPERATOR(pg_catalog.=) o.classoid
  AND i.privtype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char";
DROP TABLE pg_temp._granted, pg_temp._granted_on_all, pg_temp._relation;
