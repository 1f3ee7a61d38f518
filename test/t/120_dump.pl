# A dump carries everything; DROP EXTENSION leaves the host as it was.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $node = new_server('main');
small_platform($node);
my $host_before = host_tables('postgres');

$node->safe_psql('postgres', <<'SQL');
	CREATE ROLE measurer;
	CREATE VIEW bound AS SELECT id, vendor_code, name, is_active AS "is it?" FROM vendors;
	SELECT capforecast.bind('vendors', 'bound', '{"is_active": "is it?"}');
	SELECT capforecast.bind_image_storage('SELECT 1024');
	SELECT FROM capforecast.add_metric('conns', 'SELECT count(*) FROM pg_stat_activity', unit => 'connections', kind => 'flow');
	UPDATE capforecast._image_source SET registrar_name = 'measurer';
	INSERT INTO capforecast.capacity_snapshots (snapshot_date, total_vendors, storage_used_gb, tier_distribution, source, captured_at)
	VALUES ('2024-02-29', 3, 1.25, '{"ä": 1}', 'imported', '2024-03-01 00:00:00.123456+00');
	UPDATE capforecast.infrastructure_tiers SET max_vendors = 60, monthly_cost_cents = 4500 WHERE name = 'Starter';
	DELETE FROM capforecast.infrastructure_tiers WHERE name = 'Scale';
	INSERT INTO capforecast.infrastructure_tiers (name, max_vendors, monthly_cost_cents, currency) VALUES ('Zwei', 5000, 90000, 'CHF');
	UPDATE capforecast.policy SET value = CASE name WHEN 'critical_days' THEN '40' ELSE '44' END WHERE name IN ('critical_days', 'warning_days');
	SELECT capforecast.use_holidays('FR');
	INSERT INTO capforecast.known_day (name, rule, days_after, metric) VALUES ('Vide-grenier', '5th sun of 5', 2, 'conns');
	DELETE FROM capforecast.known_day WHERE rule = '05-08';
	INSERT INTO capforecast.planned_event (metric, from_date, effect, amount, note) VALUES ('conns', '2030-01-01', 'factor', 1.5, 'a note; in two parts');
	CALL capforecast.run_job('capture_daily_snapshot');
SQL

# Every table of the extension, rows and sequences, as text.
sub contents
{
	my ($on, $database) = @_;
	my $tables = $on->safe_psql($database, q{SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'capforecast'::regnamespace
		AND relkind IN ('r', 'S') ORDER BY relname});
	my $all = '';
	for my $table (split /\n/, $tables)
	{
		my $query = $table =~ /_seq$/ ? "SELECT last_value, is_called FROM $table" : "SELECT * FROM $table t ORDER BY t::text";
		$all .= "$table\n" . $on->safe_psql($database, $query) . "\n";
	}
	return $all . $on->safe_psql($database, 'SELECT * FROM capforecast.infrastructure_tiers ORDER BY position; SELECT * FROM capforecast.policy ORDER BY name');
}

sub host_tables
{
	my ($database) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/host.sql";
	$node->command_ok([ 'pg_dump', '-d', $node->connstr($database), '--schema=public', '-f', $file ], 'the host is dumped');
	my $text = slurp_file($file);
	$text =~ s/^\\(un)?restrict.*$//mg;
	return $text;
}

# Two of the tables refer to each other: a parallel restore loads them in any order.
$node->safe_psql('postgres', q{SELECT capforecast.add_metric('conns', 'SELECT count(*) FROM pg_stat_activity')});

my $before = contents($node, 'postgres');
like($before, qr/Zwei/, 'there is something to keep');
like($before, qr/^critical_days\|40\|.*^warning_days\|44\|/ms, 'policy as it was changed');

# --- restore into another database, in each format

for my $format ('plain', 'custom')
{
	my $file = "$PostgreSQL::Test::Utils::tmp_check/dump.$format";
	$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), "--format=$format", '-f', $file ], "pg_dump, $format");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$format TEMPLATE template0");
	my $to = $node->connstr("restored_$format");
	$node->command_ok($format eq 'plain' ? [ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $to, '-f', $file ]
		: [ 'pg_restore', '--exit-on-error', '-d', $to, $file ], 'is restored without an error');
	is(contents($node, "restored_$format"), $before, 'and everything is there');
	is($node->safe_psql("restored_$format", q{SELECT active_vendors FROM capforecast.capture_daily_snapshot(refresh => true)}), '1', 'and goes on');
	is($node->safe_psql("restored_$format", q{INSERT INTO capforecast.capacity_snapshots (snapshot_date) VALUES ('2024-01-01') RETURNING id > 2}), 't',
		'with sequences where they were');
}

# --- in parallel, where tables are loaded in no order

for my $format ('custom', 'directory')
{
	my $file = "$PostgreSQL::Test::Utils::tmp_check/parallel.$format";
	$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), "--format=$format", '-f', $file ], "pg_dump, $format");
	$node->safe_psql('postgres', "CREATE DATABASE parallel_$format TEMPLATE template0");
	$node->command_ok([ 'pg_restore', '--exit-on-error', '--jobs=4', '-d', $node->connstr("parallel_$format"), $file ], 'is restored by four at once');
	is(contents($node, "parallel_$format"), $before, 'and everything is there');
	is($node->safe_psql("parallel_$format", 'SELECT capforecast.capture_metrics()'), '1', 'the metrics of the operator are measured');
}
# A foreign key between two of the dumped tables would want an order; one to the table itself does not.
is($node->safe_psql('postgres', q{SELECT string_agg(conname, ' ') FROM pg_constraint
	WHERE contype = 'f' AND connamespace = 'capforecast'::regnamespace AND confrelid <> conrelid}), '', 'no table of the extension refers to another');

# --- restore on a server that lacks the role: the source of image storage says so, nothing else is lost

my $other = new_server('other');
my $file = "$PostgreSQL::Test::Utils::tmp_check/dump.plain";
$other->safe_psql('postgres', 'CREATE DATABASE app');
$other->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $other->connstr('app'), '-f', $file ], 'restored on a server without the role');
is($other->safe_psql('app', 'SELECT registrar, registrar_name FROM capforecast._image_source'), '0|measurer', 'a role that is not there is suspended');
my $measurer = $node->safe_psql('postgres', q{SELECT 'measurer'::regrole::oid});
is(contents($other, 'app') =~ s/\|0\|measurer/|$measurer|measurer/r, $before, 'everything else is there');
like($other->safe_psql('app', q{SELECT FROM capforecast.capture_daily_snapshot(refresh => true);
	SELECT detail -> 'image_storage' ->> 'message' FROM capforecast.job_run ORDER BY run_id DESC LIMIT 1}), qr/registration is suspended/,
	'and what cannot work says why');

# --- drop

$node->safe_psql('postgres', 'DROP VIEW bound; DROP EXTENSION capforecast');
is(host_tables('postgres'), $host_before, 'DROP EXTENSION leaves the host as it was');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'capforecast'}), '0', 'and nothing of its own');
$node->safe_psql('postgres', 'CREATE EXTENSION capforecast; DROP EXTENSION capforecast; CREATE EXTENSION capforecast');
is($node->safe_psql('postgres', 'SELECT count(*) FROM capforecast.capacity_snapshots'), '0', 'created anew it is empty');

done_testing();
