# 0.1.0 with data and grants, updated, is what a new installation is.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $node = new_server('main');
$node->safe_psql('postgres', 'CREATE ROLE reader; CREATE ROLE operator; CREATE DATABASE old; CREATE DATABASE new');
$node->safe_psql($_, slurp_file(source_file('test/platform/schema.sql'))) for 'old', 'new';
$node->safe_psql('new', 'CREATE EXTENSION capforecast');

# --- 0.1.0 as its users have it: rows in every table (its routines belong to its own library, so rows are inserted)

$node->safe_psql('old', "CREATE EXTENSION capforecast VERSION '0.1.0'");
$node->safe_psql('old', slurp_file(source_file('test/upgrade/0.1.0.sql')));
is($node->safe_psql('old', q{SELECT string_agg(relname, ', ') FROM pg_class c WHERE relnamespace = 'capforecast'::regnamespace AND relkind = 'r'
		AND (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s', c.oid::regclass), true, true, '')))[1]::text = '0'}),
	'', 'every table of 0.1.0 has rows');
$node->safe_psql('old', <<'SQL');
	GRANT USAGE ON SCHEMA capforecast TO reader, operator;
	GRANT SELECT ON ALL TABLES IN SCHEMA capforecast TO reader, operator;
	GRANT INSERT, UPDATE, DELETE ON capforecast.own_metric TO operator;
	GRANT EXECUTE ON ALL ROUTINES IN SCHEMA capforecast TO operator;
	GRANT EXECUTE ON FUNCTION capforecast.capture_daily_snapshot TO reader WITH GRANT OPTION;
SQL

# Rows of each table by the columns that both versions have.
my %columns = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('old', q{
	SELECT attrelid::regclass, string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute JOIN pg_class ON oid = attrelid
	WHERE relnamespace = 'capforecast'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped GROUP BY 1});


sub rows_of
{
	my ($database) = @_;
	my $text = '';
	for my $table (grep { $_ ne 'capforecast._secret' } sort keys %columns)
	{
		my $kept = $node->safe_psql('new', qq{SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute
			WHERE attrelid = to_regclass('$table') AND attnum > 0 AND NOT attisdropped
			AND quote_ident(attname) = ANY (string_to_array('$columns{$table}', ', '))});
		$text .= "$table\n" . ($kept eq '' ? "gone\n" : $node->safe_psql($database, "SELECT $kept FROM $table t ORDER BY 1, t::text") . "\n");
	}
	return $text;
}

# What the extension consists of: routines with their bodies and comments, relations with columns,
# constraints and indexes, types, what is dumped, and what may be called by whom beside the grantees.
my $shape = q{
	SELECT 'routine ' || p.oid::regprocedure || ' ' || CASE WHEN p.prokind = 'a' THEN '' ELSE pg_get_functiondef(p.oid) END
		|| coalesce(obj_description(p.oid, 'pg_proc'), '?')
		|| coalesce((SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee IN (0, p.proowner)), '')
	FROM pg_proc p WHERE p.pronamespace = 'capforecast'::regnamespace
	UNION ALL
	SELECT 'relation ' || c.relname || ' ' || c.relkind::text || ' ' || c.relrowsecurity || coalesce(array_to_string(c.reloptions, ' '), '')
		|| coalesce(obj_description(c.oid, 'pg_class'), '?') || coalesce(pg_get_viewdef(CASE WHEN c.relkind = 'v' THEN c.oid END), '')
	FROM pg_class c WHERE c.relnamespace = 'capforecast'::regnamespace AND c.relkind IN ('r', 'v', 'S', 'c')
	UNION ALL
	SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || a.attidentity::text
		|| coalesce(pg_get_expr(d.adbin, d.adrelid), '') || coalesce(col_description(c.oid, a.attnum), '')
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE c.relnamespace = 'capforecast'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'c')
	UNION ALL
	SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
	WHERE connamespace = 'capforecast'::regnamespace AND contype <> 'n'		-- those are of columns, above; 18 names them
	UNION ALL
	SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'capforecast'
	UNION ALL
	SELECT 'trigger ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace = 'capforecast'::regnamespace AND NOT t.tgisinternal
	UNION ALL
	SELECT 'policy ' || polrelid::regclass || ' ' || polname || coalesce(pg_get_expr(polqual, polrelid), '') FROM pg_policy
	UNION ALL
	SELECT 'type ' || t.oid::regtype || ' ' || t.typtype::text || coalesce(obj_description(t.oid, 'pg_type'), '')
		|| coalesce((SELECT string_agg(enumlabel, ' ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), '')
	FROM pg_type t WHERE t.typnamespace = 'capforecast'::regnamespace
	UNION ALL
	SELECT 'member ' || pg_describe_object(classid, objid, 0) FROM pg_depend
	WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'capforecast') AND deptype = 'e'
	UNION ALL
	SELECT 'dumped ' || t.rel::regclass || ' ' || t.condition FROM pg_extension, unnest(extconfig, extcondition) AS t(rel, condition)
	WHERE extname = 'capforecast'
	ORDER BY 1};

sub version_in { return $node->safe_psql($_[0], q{SELECT extversion FROM pg_extension WHERE extname = 'capforecast'}) }

my $rows = rows_of('old');
my $granted = q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'capforecast'::regnamespace AND NOT has_function_privilege('operator', oid, 'EXECUTE')};
is($node->safe_psql('old', $granted), '0', 'the operator may call everything');
# requests to Stripe that 0.1.0 had open beside each other
$node->safe_psql('old', <<'SQL');
	INSERT INTO capforecast.stripe_outbox (vendor_id, subscription_id, operation, payload, idempotency_key, status) VALUES
		('open', '1', 'change_tier', '{"subscription": "sub_o", "price": "p1", "timing": "immediate"}', 'o1', 'sent'),
		('open', '1', 'purchase_addon', '{"subscription": "sub_o", "price": "a1", "quantity": 2, "timing": "immediate"}', 'o2', 'pending'),
		('open', '1', 'cancel_addon', '{"subscription": "sub_o", "price": "a2", "quantity": 0, "timing": "immediate"}', 'o3', 'sent'),
		('open', '2', 'change_tier', '{"subscription": "sub_p", "price": "p2", "timing": "immediate"}', 'o4', 'sent'),
		('open', '2', 'change_tier', '{"subscription": "sub_p", "price": "p3", "timing": "period_end"}', 'o5', 'scheduled');
SQL
$node->safe_psql('old', 'ALTER EXTENSION capforecast UPDATE');
is($node->safe_psql('old', q{SELECT idempotency_key, status, wanted FROM capforecast.stripe_outbox WHERE vendor_id = 'open' ORDER BY id}), <<'ROWS' =~ s/\n$//r, 'of several requests one is open, and wants all of it');
o1|cancelled|{"plan": "p1"}
o2|cancelled|{"addons": {"a1": 2}}
o3:0.2.0|pending|{"plan": "p1", "addons": {"a1": 2, "a2": 0}}
o4|sent|{"plan": "p2"}
o5|scheduled|{"plan": "p3"}
ROWS
$node->safe_psql('old', q{DELETE FROM capforecast.stripe_outbox WHERE vendor_id = 'open'});
is(version_in('old'), version_in('new'), 'updated');
my ($updated, $new) = map { $node->safe_psql($_, $shape) } 'old', 'new';
my %in_new = map { $_ => 1 } split /\n(?=routine|relation|column|constraint|index|trigger|policy|type|member|dumped)/, $new;
my %in_old = map { $_ => 1 } split /\n(?=routine|relation|column|constraint|index|trigger|policy|type|member|dumped)/, $updated;
is(join("\n", sort grep { !$in_new{$_} } keys %in_old), '', 'nothing is left that a new installation has not');
is(join("\n", sort grep { !$in_old{$_} } keys %in_new), '', 'nothing lacks that a new installation has');
is(rows_of('old'), $rows, 'every row is there');
is($node->safe_psql('old', q{SELECT secret ~ '^sealed:', capforecast._unseal(secret) FROM capforecast._secret}), 't|whsec_test', 'the secret is sealed');
is($node->safe_psql('old', q{SELECT string_agg(capforecast._registrar(registrar, registrar_name), ' ')
		FROM (TABLE capforecast.binding UNION ALL (SELECT metric, NULL, NULL, '{}', NULL, '{}', NULL, registrar, registrar_name FROM capforecast._metric_query)
			UNION ALL (SELECT definition, NULL, NULL, '{}', NULL, '{}', NULL, registrar, registrar_name FROM capforecast._image_source)) r}),
	'postgres postgres postgres', 'what was registered has its registrar');
is($node->safe_psql('old', q{SELECT string_agg(oid::regprocedure::text, ' ') FROM pg_proc WHERE pronamespace = 'capforecast'::regnamespace
		AND proname IN (SELECT proname FROM pg_proc WHERE pronamespace = 'capforecast'::regnamespace AND has_function_privilege('operator', oid, 'EXECUTE'))
		AND NOT has_function_privilege('operator', oid, 'EXECUTE')}), '', 'the operator may still call what it could before');
is($node->safe_psql('old', q{SELECT has_function_privilege('reader', p.oid, 'EXECUTE WITH GRANT OPTION') FROM pg_proc p WHERE proname = 'capture_daily_snapshot'}),
	't', 'with the right to grant it');
is($node->safe_psql('old', q{SELECT has_table_privilege('operator', 'capforecast.own_metric', 'DELETE')}), 't', 'and tables');

is($node->safe_psql('old', q{SELECT source, definition, registrar_name <> '' FROM capforecast.image_storage JOIN capforecast._image_source USING (is_only)}),
	'query|SELECT 1024|t', 'the query of image storage is where readers do not see it');

is($node->safe_psql('old', q{SELECT string_agg(oid::regclass::text, ' ') FROM pg_class WHERE relnamespace = 'capforecast'::regnamespace
		AND relkind IN ('r', 'v') AND NOT has_table_privilege('reader', oid, 'SELECT') AND relname !~ '^_'}), '', 'who could read every table can read the new ones');

# What pg_dump takes for the extension's own it leaves out: what was granted must be in a dump.
my $dump = "$PostgreSQL::Test::Utils::tmp_check/grants.sql";
$node->command_ok([ 'pg_dump', '-d', $node->connstr('old'), '-f', $dump ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'psql', '-qX', '-d', $node->connstr('restored'), '-f', $dump ], 'restored');
my $grants = q{SELECT string_agg(x, E'\n' ORDER BY x) FROM (SELECT concat_ws(' ', p.oid::regprocedure, a.grantee::regrole, a.privilege_type, a.is_grantable) AS x
		FROM pg_proc p, aclexplode(p.proacl) a WHERE p.pronamespace = 'capforecast'::regnamespace AND a.grantee <> 0
		UNION ALL SELECT concat_ws(' ', c.oid::regclass, a.grantee::regrole, a.privilege_type, a.is_grantable)
		FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'capforecast'::regnamespace AND a.grantee <> 0) g};
is($node->safe_psql('restored', $grants), $node->safe_psql('old', $grants), 'with every grant');

# --- and goes on

$node->safe_psql('old', 'CALL capforecast.run_maintenance()');
is($node->safe_psql('old', q{SELECT count(*) FROM capforecast.job_health() WHERE last_status IS DISTINCT FROM 'ok' AND status <> 'ok'}), '0', 'every job runs');

done_testing();
