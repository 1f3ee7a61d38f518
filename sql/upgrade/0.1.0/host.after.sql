-- The query and its owner have a table of their own, which readers do not see.
INSERT INTO capforecast._image_source (definition, registrar_name)
SELECT s.definition, s.owner FROM capforecast.image_storage s WHERE s.definition IS NOT NULL;
ALTER TABLE capforecast.image_storage DROP COLUMN definition, DROP COLUMN owner;
