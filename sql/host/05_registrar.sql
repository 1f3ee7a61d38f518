-- Who registered something that others run: a role by its oid and its name, because a
-- name can be taken by another role, and an oid names another one in another cluster.

-- The arguments are the columns that may change without the row being registered anew.
CREATE FUNCTION capforecast._set_registrar()
	RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	is_superuser boolean := (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user);
	is_named boolean := NEW.registrar_name IS NOT NULL AND
		(is_superuser OR (SELECT e.extowner::regrole = current_user::regrole FROM pg_extension e WHERE e.extname = 'capforecast'));
BEGIN
	IF TG_OP = 'UPDATE' THEN
		is_named := is_named AND NEW.registrar_name IS DISTINCT FROM OLD.registrar_name;
		IF NOT is_named AND NEW.registrar_name IS DISTINCT FROM current_user AND to_jsonb(NEW) - coalesce(TG_ARGV, '{}') - '{registrar,registrar_name}'::text[]
				= to_jsonb(OLD) - coalesce(TG_ARGV, '{}') - '{registrar,registrar_name}'::text[] THEN
			NEW.registrar := OLD.registrar;
			NEW.registrar_name := OLD.registrar_name;
			RETURN NEW;
		END IF;
	END IF;
	IF is_named THEN
		-- A dump is loaded. Where there is no such role the row is kept, suspended.
		NEW.registrar := coalesce((SELECT r.oid FROM pg_roles r WHERE r.rolname = NEW.registrar_name
			AND (is_superuser OR pg_has_role(r.oid, 'MEMBER'))), 0);
	ELSE
		NEW.registrar_name := current_user;
		NEW.registrar := (SELECT r.oid FROM pg_roles r WHERE r.rolname = current_user);
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION capforecast._set_registrar() IS
	'Trigger: whoever writes a row is its registrar. A superuser or the owner of the extension, who loads a dump, may name another role; oid 0 where there is none.';

CREATE FUNCTION capforecast._registrar(registrar oid, registrar_name name)
	RETURNS name LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT r.rolname FROM pg_roles r WHERE r.oid = registrar AND r.rolname = registrar_name
$$;
COMMENT ON FUNCTION capforecast._registrar(oid, name) IS
	'The role that registered something; NULL: suspended, because oid and name do not name the same role.';
