# The sample platform on one server, and with its tables spread: as partitions, over three servers by postgres_fdw, and by
# Citus over two workers where the server has it. Each function that looks at the host's tables answers the same
# (test/sharded/questions.sql), whoever holds the rows.
use strict;
use warnings;
use Cwd 'abs_path';
use FindBin;
use lib $FindBin::Bin;
use IPC::Run;
use POSIX 'strftime';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

# The midnight that the rows of the platform end with.
my $at = strftime('%Y-%m-%d', gmtime);
my $month = strftime('%Y-%m-%d', gmtime(time - 28 * 86400));
my @tables = qw(vendors vendor_subscriptions products vendor_users orders vendor_addons billing_history capacity_snapshots);
my $settings = <<'C';
timezone = 'UTC'
max_worker_processes = 32
max_prepared_transactions = 50
capforecast.manage_subscriptions = on
capforecast.allow_time_travel = on
capforecast.stripe_livemode = off
C

sub platform
{
	my ($node, $database) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, slurp_file(source_file('test/platform/schema.sql')));
}

sub file_ok
{
	my ($node, $database, $file, $name, %variable) = @_;
	command_ok([ 'psql', '-qXAt', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database),
		(map { ('-v', "$_=$variable{$_}") } sort keys %variable), '-f', source_file($file) ], $name);
}

# --- one server, on which vendors 3 and 4 pay by Stripe

my $hub = new_server('hub', settings => $settings);
platform($hub, 'single');
file_ok($hub, 'single', 'test/platform/load.sql', 'the sample platform', vendors => 40, days => 150, as_of => $at);
$hub->safe_psql('single', q{
	UPDATE vendor_subscriptions SET stripe_subscription_id = 'sub_' || vendor_id, stripe_customer_id = 'cus_' || vendor_id,
		status = 'active', cancelled_at = NULL WHERE vendor_id IN (3, 4)});

# Numbers go on from the same one everywhere.
my $numbers = q{SELECT setval(s.oid::regclass, 100000) FROM pg_class s WHERE s.relkind = 'S' AND s.relnamespace = 'public'::regnamespace};
my $rows = abs_path(PostgreSQL::Test::Utils::tempdir('rows'));
$hub->safe_psql('single', join ';', $numbers, map { "COPY $_ TO '$rows/$_'" } @tables);

# The rows of the one in the other.
sub fill
{
	my ($node, $database) = @_;
	$node->safe_psql($database, 'CREATE TABLE capacity_snapshots (id bigint, snapshot_date timestamptz, total_vendors integer, active_vendors integer,
		total_products integer, total_orders_month integer, total_team_members integer, storage_used_gb numeric)');
	$node->safe_psql($database, join ';', (map { "COPY $_ FROM '$rows/$_'" } @tables), $numbers, 'ANALYZE');
}

# --- the questions

my @questions = grep { /\S/ } map { s/^--.*\n//mgr } split /\n\n+/, slurp_file(source_file('test/sharded/questions.sql'));

sub answers
{
	my ($node, $database) = @_;
	$node->safe_psql($database, 'CREATE EXTENSION capforecast');
	my $script = "\\set VERBOSITY verbose\n" . join '', map { "\\echo == $_\n$questions[$_]\n" } 0 .. $#questions;
	my $said = '';
	IPC::Run::run([ 'psql', '-qXAt', '-v', "at=$at", '-v', "month=$month", '-d', $node->connstr($database),
		'-f', source_file('test/subscription/stripe.sql'), '-f', '-' ], '<', \$script, '>&', \$said);
	my @answer;
	while ($said =~ /^== (\d+)\n(.*?)(?=^== |\z)/msg)
	{
		my ($number, $text) = ($1, $2);
		$text =~ s/^LOCATION:.*\n//mg;
		$text =~ s/^psql:<stdin>:\d+: //mg;
		$text =~ s/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+(?:\+00(?::00)?|Z)?/(clock)/g;
		$answer[$number] = $text;
	}
	return @answer;
}

my @one = answers($hub, 'single');
is(join("\n", map { "$questions[$_]: $one[$_]" } grep { $one[$_] =~ /ERROR/ } 0 .. $#one), '', 'one server answers all of them');

# refuses: questions that are answered by an error with this word; without: what these would have changed.
sub same_answers
{
	my ($node, $database, $kind, %but) = @_;
	my @answer = answers($node, $database);
	for my $number (0 .. $#questions)
	{
		my $name = "$kind: " . (split /\n/, $questions[$number])[0];
		if ($but{refuses} && $questions[$number] =~ $but{refuses}) { like($answer[$number], qr/ERROR:  0A000: .*^HINT:.*^CONSTRAINT NAME:  $but{word}$/ms, "$name refuses") }
		elsif (!$but{without} || $questions[$number] !~ $but{without}) { is($answer[$number], $one[$number], $name) }
	}
}

sub size_of { my ($node, $database) = @_; return $node->safe_psql($database, q{SELECT database_size_mb > 5, database_size_reason, unknown_metrics FROM capforecast.platform_health()}) }

# --- partitions

platform($hub, 'partitioned');
file_ok($hub, 'partitioned', 'test/sharded/spread.sql', 'partitioned', kind => 'partitioned', shards => '');
fill($hub, 'partitioned');
same_answers($hub, 'partitioned', 'partitioned');
is(size_of($hub, 'partitioned'), 't||{}', 'partitioned: the size is that of the database');

# --- three servers

my @shards = map { new_server("shard_$_", settings => $settings) } 1 .. 3;
for my $shard (@shards)
{
	platform($shard, 'shard');
	$shard->safe_psql('shard', 'CREATE EXTENSION capforecast');
}
platform($hub, 'servers');
file_ok($hub, 'servers', 'test/sharded/spread.sql', 'three servers', kind => 'foreign',
	shards => join ';', map { join ' ', 'host=' . $_->host, 'port=' . $_->port, 'dbname=shard', "user=$ENV{USER}" } @shards);
fill($hub, 'servers');
is(join(' ', map { $_->safe_psql('shard', 'SELECT count(*) > 5 FROM vendors') } @shards), 't t t', 'each server has some of the vendors');
same_answers($hub, 'servers', 'three servers');
is(size_of($hub, 'servers'), '|table public.billing_history_1 is on server shard_1, whose size it does not tell|{database}',
	'three servers: the size is not known, and why');

# What adds up is added up where the rows are, on all servers at the same time; so is what is grouped by vendor.
sub plan_of
{
	my ($template, $set) = @_;
	my $sql = $hub->safe_psql('servers', "SELECT capforecast._host_sql(\$\$$template\$\$)");
	return $hub->safe_psql('servers', ($set || '') . "EXPLAIN (VERBOSE, COSTS OFF) $sql");
}
my $plan = plan_of('SELECT sum(n) FROM ({each:products}SELECT count(*) AS n FROM {products}{end}) p');
is(scalar(() = $plan =~ /Async Foreign Scan.*?Remote SQL: SELECT count\(\*\) FROM public\.products$/msg), 3, 'three servers count at the same time') or diag($plan);
$plan = plan_of('SELECT {products.vendor_id} AS vendor, count(*) AS n FROM {products} GROUP BY 1', 'SET enable_partitionwise_aggregate = on;');
is(scalar(() = $plan =~ /Async Foreign Scan.*?Remote SQL: SELECT vendor_id, count\(\*\) FROM public\.products GROUP BY 1$/msg), 3, 'and so they do by vendor') or diag($plan);

# A right to the table is one to its partitions by way of it.
$hub->safe_psql('servers', 'CREATE ROLE reader LOGIN; GRANT SELECT ON vendors, products, vendor_users, vendor_subscriptions, subscription_tiers TO reader');
$hub->safe_psql('servers', q{SELECT count(*) FROM capforecast.grant_access('reader', 'reader')});
is($hub->safe_psql('servers', 'SET ROLE reader; SELECT active_vendors, total_products FROM capforecast.platform_health()'),
	$hub->safe_psql('single', 'SELECT active_vendors, total_products FROM capforecast.platform_health()'), 'who may not read the partitions themselves reads the table');

# A server that does not answer is an error of what needs it, with its SQLSTATE; a capture keeps the rest.
$shards[2]->stop;
like(psql_fails($hub, 'servers', 'SELECT * FROM capforecast.subscription_capacity()'), qr/ERROR:  08\w\w\w/, 'a server that is away is an error, not a smaller number');
$shards[2]->start;

# --- Citus

SKIP:
{
	chomp(my $libraries = `$ENV{PG_CONFIG} --pkglibdir`);
	skip 'Citus: the server does not have it', 1 unless -f "$libraries/citus.so";
	my ($coordinator, @workers) = map { new_server($_, settings => "$settings\nshared_preload_libraries = 'citus'\ncitus.node_conninfo = 'sslmode=prefer'\n") }
	  qw(coordinator worker_1 worker_2);
	# Once with every table by vendor distributed, once with the few rows of subscriptions kept on the coordinator.
	for my $kind ('citus', 'citus_kept')
	{
		for my $node ($coordinator, @workers)
		{
			$node->safe_psql('postgres', "CREATE DATABASE $kind");
			$node->safe_psql($kind, 'CREATE EXTENSION citus');
		}
		$coordinator->safe_psql($kind, q{SELECT citus_set_coordinator_host('} . $coordinator->host . q{', } . $coordinator->port . ')');
		$coordinator->safe_psql($kind, q{SELECT citus_add_node('} . $_->host . q{', } . $_->port . ')') for @workers;
		$coordinator->safe_psql($kind, slurp_file(source_file('test/platform/schema.sql')));
		file_ok($coordinator, $kind, 'test/sharded/spread.sql', $kind, kind => $kind, shards => '');
		fill($coordinator, $kind);
		same_answers($coordinator, $kind, $kind, $kind eq 'citus_kept' ? () : (word => 'distributed_subscriptions',
			refuses => qr/\.(reset_period_counters|check_trial_expirations|cleanup_stale_subscriptions|reconcile_order_counters|ingest_stripe_event|sync_stripe_status)\(/,
			without => qr/change_tier\('3'|_outbox|run_maintenance|job_run|FROM (?:vendor_subscriptions|vendor_addons|billing_history|capforecast\.billed_period)/));
		like(size_of($coordinator, $kind), qr/^t\|\|\{\}$/, "$kind: the size is that of all nodes");
	}
}

done_testing();
