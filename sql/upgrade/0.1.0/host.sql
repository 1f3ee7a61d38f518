DROP FUNCTION capforecast.bind(text, regclass, jsonb);

-- Whoever updates vouches for the bindings that are there.
ALTER TABLE capforecast.binding ADD COLUMN filter text, ADD COLUMN words jsonb NOT NULL DEFAULT '{}', ADD COLUMN newest_by text,
	ADD COLUMN registrar oid, ADD COLUMN registrar_name name;
UPDATE capforecast.binding SET registrar = current_user::pg_catalog.regrole, registrar_name = current_user;
ALTER TABLE capforecast.binding ALTER COLUMN registrar SET NOT NULL, ALTER COLUMN registrar_name SET NOT NULL;

DROP TRIGGER check_owner ON capforecast.image_storage;
DROP TRIGGER check_owner ON capforecast._metric_query;
DROP FUNCTION capforecast._check_owner();
ALTER TABLE capforecast.image_storage ADD COLUMN reason text;
