-- Makes the empty sample platform (test/platform/schema.sql) one whose tables by vendor are spread.
--
--   kind      partitioned: partitions here; foreign: partitions on other servers, each with the sample platform of its own,
--             by postgres_fdw; citus: distributed tables, and reference tables for what has no vendor; citus_kept: of
--             these, the tables of subscriptions, add-ons, invoices and what has no vendor stay where they are
--   shards    foreign: the conninfo of each server, separated by ";"
--
-- A vendor's rows are in the same partition of every table: the hash of its key says which.
SELECT set_config('spread.kind', :'kind', false), set_config('spread.shards', :'shards', false) \g /dev/null
SET client_min_messages = warning;
DO $$
DECLARE
	kind text := current_setting('spread.kind');
	shards text[] := CASE WHEN kind = 'foreign' THEN string_to_array(current_setting('spread.shards'), ';') ELSE '{1,2,3}' END;
	options text;
	spread record;
	constraint_name name;
BEGIN
	-- Foreign keys need tables of one server; a unique index of a spread table needs the key that spreads it.
	FOR spread IN SELECT conrelid::regclass AS "table", conname FROM pg_constraint
		WHERE contype = 'f' AND connamespace = 'public'::regnamespace LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', spread."table", spread.conname);
	END LOOP;
	IF kind = 'foreign' THEN
		CREATE EXTENSION postgres_fdw;
		FOR i IN 1 .. cardinality(shards) LOOP
			SELECT string_agg(format('%s %L', split_part(o, '=', 1), split_part(o, '=', 2)), ', ') INTO options
			FROM unnest(string_to_array(shards[i], ' ')) o WHERE o !~ '^user=';
			EXECUTE format('CREATE SERVER shard_%s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (%s, async_capable ''true'', parallel_commit ''true'',
				fetch_size ''10000'')', i, options);
			EXECUTE format('CREATE USER MAPPING FOR PUBLIC SERVER shard_%s OPTIONS (user %L, password_required ''false'')', i,
				substring(shards[i] FROM 'user=(\S+)'));
		END LOOP;
	END IF;
	FOR spread IN SELECT * FROM (VALUES ('vendors', 'id'), ('vendor_subscriptions', 'vendor_id'), ('products', 'vendor_id'),
		('vendor_users', 'vendor_id'), ('orders', 'vendor_id'), ('vendor_addons', 'vendor_id'), ('billing_history', 'vendor_id')) s("table", key) LOOP
		CONTINUE WHEN kind = 'citus_kept' AND spread."table" IN ('vendor_subscriptions', 'vendor_addons', 'billing_history');
		IF kind LIKE 'citus%' THEN
			FOR constraint_name IN SELECT conname FROM pg_constraint WHERE conrelid = spread."table"::regclass AND contype IN ('p', 'u') LOOP
				EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', spread."table", constraint_name);
			END LOOP;
			EXECUTE format('SELECT create_distributed_table(%L, %L)', spread."table", spread.key);
			CONTINUE;
		END IF;
		EXECUTE format('ALTER TABLE %I RENAME TO one_%1$s', spread."table");
		EXECUTE format('CREATE SEQUENCE %I', spread."table" || '_number');
		EXECUTE format('CREATE TABLE %I (LIKE one_%1$s INCLUDING DEFAULTS) PARTITION BY HASH (%2$I)', spread."table", spread.key);
		EXECUTE format('ALTER TABLE %I ALTER id SET DEFAULT nextval(%L)', spread."table", spread."table" || '_number');
		EXECUTE format('DROP TABLE one_%s', spread."table");
		FOR i IN 1 .. cardinality(shards) LOOP
			EXECUTE format(CASE kind WHEN 'foreign'
				THEN 'CREATE FOREIGN TABLE %I PARTITION OF %I FOR VALUES WITH (modulus %s, remainder %s) SERVER %s OPTIONS (table_name %2$L)'
				ELSE 'CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (modulus %s, remainder %s)' END,
				spread."table" || '_' || i, spread."table", cardinality(shards), i - 1, 'shard_' || i);
		END LOOP;
		IF kind = 'partitioned' THEN
			EXECUTE format('CREATE INDEX ON %I (%I)', spread."table", spread.key);
		END IF;
	END LOOP;
	IF kind = 'citus' THEN
		PERFORM create_reference_table(t) FROM unnest('{subscription_tiers,addon_products}'::regclass[]) t;
	END IF;
END
$$;
RESET client_min_messages;
