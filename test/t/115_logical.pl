# Logical replication of the extension's tables: the subscriber's reads answer as the publisher's, and follow it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $publisher = new_server('publisher', init => [ allows_streaming => 'logical' ]);
my $subscriber = new_server('subscriber');
small_platform($publisher);
$subscriber->safe_psql('postgres', slurp_file(source_file('test/platform/schema.sql')));
$subscriber->safe_psql('postgres', q{
	CREATE EXTENSION capforecast;
	SET session_replication_role = replica;
	DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(oid::regclass::text, ', ') FROM pg_class
		WHERE relnamespace IN ('capforecast'::regnamespace, 'public'::regnamespace) AND relkind = 'r'); END $$});
$publisher->safe_psql('postgres', q{
	INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, source)
	SELECT d, 10 + i, 100 + 3 * i, 'imported' FROM generate_series((now() AT TIME ZONE 'UTC')::date - 100, (now() AT TIME ZONE 'UTC')::date - 1, interval '1 day')
		WITH ORDINALITY AS s(d, i);
	CREATE PUBLICATION everything FOR TABLES IN SCHEMA capforecast, public});
$subscriber->safe_psql('postgres', q{CREATE SUBSCRIPTION follows CONNECTION $$} . $publisher->connstr('postgres') . q{$$ PUBLICATION everything});
$subscriber->wait_for_subscription_sync($publisher, 'follows');

my @reads = (
	'SELECT * FROM capforecast.growth_trends(90)',
	'SELECT metric, current_value, limit_value, status, breach_date FROM capforecast.capacity_outlook()',
	'SELECT * FROM capforecast.subscription_capacity()',
	q{SELECT capforecast.metric_series('vendors')},
	q{SELECT * FROM capforecast.policy ORDER BY name},
);

sub same
{
	my ($when) = @_;
	$publisher->wait_for_catchup('follows');
	is($subscriber->safe_psql('postgres', $_), $publisher->safe_psql('postgres', $_), "$when: $_") for @reads;
}
same('copied');

# A session that has looked already notices what the replica writes: a binding, rows, a number of the policy.
my $session = eval { require PostgreSQL::Test::BackgroundPsql; 1 } ? $subscriber->background_psql('postgres') : undef;
$session->query_safe('SELECT * FROM capforecast.subscription_capacity()') if $session;
$publisher->safe_psql('postgres', q{
	CALL capforecast.run_job('capture_daily_snapshot');
	UPDATE capforecast.policy SET value = '44' WHERE name = 'warning_days';
	INSERT INTO products (vendor_id) SELECT id FROM vendors});
same('followed');
$subscriber->safe_psql('postgres', 'CREATE VIEW no_products AS SELECT * FROM products WHERE false');
$publisher->safe_psql('postgres', q{CREATE VIEW no_products AS SELECT * FROM products WHERE false; SELECT capforecast.bind('products', 'no_products')});
$publisher->wait_for_catchup('follows');
my $actual = q{SELECT actual FROM capforecast.subscription_capacity() WHERE resource = 'products'};
is($subscriber->safe_psql('postgres', $actual), '0', 'a binding that is replicated is in force');
if ($session) { is($session->query_safe($actual), '0', 'and in a session that was there before'); $session->quit }

done_testing();
