# pg_upgrade from each version to the next that this machine has, with data: all rows, and what is made of them, are the same.
# It needs the extension installed in both (make install PG_CONFIG=...); Debian has 15, 17 and 18 on releases of their own.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my @versions = sort { $a <=> $b } map { m{/(\d+)$} } grep { -x "$_/bin/pg_upgrade" && -f "$_/lib/capforecast.so" } glob '/usr/lib/postgresql/*';
plan skip_all => 'the extension is installed in fewer than two versions of PostgreSQL' if @versions < 2;

sub new_node
{
	my ($version) = @_;
	my $node = PostgreSQL::Test::Cluster->new("of_$version", install_path => "/usr/lib/postgresql/$version");
	$node->init(extra => [ '--locale=C', '--encoding=UTF8', ($version >= 18 ? '--no-data-checksums' : ()) ]);
	$node->append_conf('postgresql.conf', "capforecast.allow_time_travel = on\n");
	return $node;
}

# Rows of all tables but what holds texts of the catalog's own, and what reads make of them.
sub contents
{
	my ($node) = @_;
	my $tables = $node->safe_psql('postgres', q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'capforecast'::regnamespace AND relkind = 'r' ORDER BY relname});
	return join "\n", map { $node->safe_psql('postgres', "SET timezone = 'UTC'; $_") } (map { "SELECT '$_', t.* FROM $_ t ORDER BY t::text" } split /\n/, $tables),
	  q{SELECT metric, limit_value, status, breach_date FROM capforecast.capacity_outlook(as_of => '2025-06-01')},
	  q{SELECT * FROM capforecast.subscription_capacity()}, q{SELECT s FROM capforecast.metric_series('vendors', '2025-06-01') s};
}

my $old = new_node(shift @versions);
$old->start;
small_platform($old);
$old->safe_psql('postgres', <<'SQL');
	INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, source)
	SELECT d, 10 + i, 100 + 3 * i, 'imported' FROM generate_series(date '2025-01-01', date '2025-05-31', interval '1 day') WITH ORDINALITY AS s(d, i);
	SELECT FROM capforecast.add_metric('mine', 'SELECT count(*) FROM public.products', limit_value => 100);
	SELECT FROM capforecast.run_forecasts('2025-06-01');
	CREATE TABLE kept AS SELECT capforecast.metric_series('products', '2025-06-01') AS s;
	CALL capforecast.run_job('capture_daily_snapshot');
	SELECT capforecast.bind('vendors', 'vendors', '{"is_active": {"expression": "id > 0"}}');
SQL
for my $version (@versions)
{
	my $before = contents($old);
	my $new = new_node($version);
	$old->stop;
	chdir $ENV{TESTDIR} or die $!;
	command_ok([ "/usr/lib/postgresql/$version/bin/pg_upgrade", '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $old->config_data('--bindir'),
		'-B', $new->config_data('--bindir'), '-s', $new->host, '-p', $old->port, '-P', $new->port ], "pg_upgrade to $version");
	$new->start;
	is(contents($new), $before, 'everything is there, and means the same');
	is($new->safe_psql('postgres', 'SELECT capforecast.n_points(s) FROM kept'), '151', 'series in tables of others, too');
	like($new->safe_psql('postgres', 'SELECT total_vendors FROM capforecast.capture_daily_snapshot(refresh => true)'), qr/^1$/, 'and it goes on');
	$old = $new;
}

done_testing();
