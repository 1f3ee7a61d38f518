# On a hot standby, and for a role with read grants only, every read answers and every writer refuses.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $primary = new_server('primary', init => [ allows_streaming => 1 ]);
small_platform($primary);
$primary->safe_psql('postgres', <<'SQL');
	SELECT capforecast.push_image_storage(1073741824);
	INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products)
	SELECT d, 1000 + i, 100000 + 10 * i FROM generate_series((now() AT TIME ZONE 'UTC')::date - 3650, (now() AT TIME ZONE 'UTC')::date - 1, interval '1 day')
		WITH ORDINALITY AS s(d, i);
	SELECT capforecast.capture_daily_snapshot();
	CREATE ROLE reader LOGIN;
	GRANT USAGE ON SCHEMA capforecast TO reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA capforecast, public TO reader;
SQL
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

my @reads = (
	'SELECT metric, current_value FROM capforecast.growth_trends(3650)',
	'SELECT capforecast.growth_trends_json(30)',
	q{SELECT capforecast.days_until_threshold('vendors', 1000000)},
	'SELECT * FROM capforecast.subscription_capacity()',
	'SELECT capforecast.subscription_capacity_json()',
	'SELECT active_vendors, image_storage_gb, infrastructure_tier FROM capforecast.platform_health()',
	q{SELECT capforecast.platform_health_json() - 'database' - 'infrastructure_tier'},
	'SELECT * FROM capforecast.scaling_recommendations(extended => false)',
	'SELECT capforecast.scaling_recommendations_json(extended => false)',
	'SELECT job, last_success FROM capforecast.job_health()',
	'SELECT count(*), max(day) FROM capforecast.metric_history',
	'SELECT * FROM capforecast.infrastructure_tiers ORDER BY position',
	q{SELECT severity, subject FROM capforecast.doctor() WHERE severity = 'error'},
);
for my $read (@reads)
{
	my $expected = $primary->safe_psql('postgres', $read);
	is($primary->safe_psql('postgres', "SET ROLE reader; $read"), $expected, "a reader, on the primary: $read");
	is($standby->safe_psql('postgres', "SET ROLE reader; $read"), $expected, 'and on the standby');
}
is($standby->safe_psql('postgres', q{SELECT count(*) FROM capforecast.doctor() WHERE severity = 'error'}), '0', 'doctor() finds nothing wrong');

# Image storage measured by a query is read there, too.
$primary->safe_psql('postgres', q{SELECT capforecast.bind_image_storage('SELECT 2147483648')});
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SET ROLE reader; SELECT image_storage_gb FROM capforecast.platform_health()'), '2.00', 'image storage from a query');

# Writers refuse, and say why.
like(psql_fails($standby, 'postgres', 'SELECT capforecast.capture_daily_snapshot(refresh => true)'), qr/ERROR:  25006/, 'capture refuses on a standby');
like(psql_fails($standby, 'postgres', q{CALL capforecast.run_job('capture_daily_snapshot')}), qr/ERROR:  25006/, 'so does run_job');
like(psql_fails($standby, 'postgres', q{SELECT capforecast.import_snapshots('products')}), qr/ERROR:  25006/, 'and import');
like(psql_fails($standby, 'postgres', 'SELECT capforecast.push_image_storage(1)'), qr/ERROR:  25006/, 'and a push');
like(psql_fails($primary, 'postgres', 'SET ROLE reader; SELECT capforecast.capture_daily_snapshot()'), qr/ERROR:  42501/, 'a reader may not write');

# After a failover the standby goes on.
$standby->promote;
$standby->safe_psql('postgres', q{INSERT INTO vendors (vendor_code, name) VALUES ('b', 'B')});
is($standby->safe_psql('postgres', 'SELECT total_vendors FROM capforecast.capture_daily_snapshot(refresh => true)'), '2', 'promoted, it captures');

done_testing();
