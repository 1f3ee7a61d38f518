# Forecasts on a hot standby, for a role that may only read, in parallel workers, and cancelled.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $primary = new_server('primary', init => [ allows_streaming => 1 ]);
$primary->safe_psql('postgres', <<'SQL');
	CREATE EXTENSION capforecast;
	INSERT INTO capforecast.capacity_snapshots (snapshot_date, active_vendors, total_products, total_orders_month)
	SELECT date '2026-01-01' + i, 40 + i / 2, 8000 + 25 * i + i * 7919 % 101, 100 + 40 * (i % 7) FROM generate_series(0, 149) i;
	SELECT capforecast.run_forecasts(date '2026-05-01' + i) FROM generate_series(0, 29) i;
	CREATE ROLE reader LOGIN;
	GRANT USAGE ON SCHEMA capforecast TO reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA capforecast TO reader;
	CREATE ROLE nobody LOGIN;
	GRANT USAGE ON SCHEMA capforecast TO nobody;
	CREATE TABLE daily AS
		SELECT k, capforecast.series_agg(date '2026-01-01' + i, 100 * k + i + 10 * (i % 7) + i * 7919 % 13) AS s
		FROM generate_series(1, 400) k, generate_series(0, 364) i GROUP BY k;
	ALTER TABLE daily SET (parallel_workers = 2);
	CREATE TABLE long AS
		SELECT capforecast.series_agg(date '2000-01-01' + i, 1000 + i / 10.0 + 100 * sin(i) + i * 7919 % 101) AS s FROM generate_series(0, 9999) i;
	GRANT SELECT ON daily, long TO reader;
SQL
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

# Every read gives a reader the same answer on both.
my $as_of = q{as_of => '2026-05-30 12:00Z'};
for my $read (
	"SELECT * FROM capforecast.forecast('products', $as_of)",
	"SELECT * FROM capforecast.time_to_threshold('products', 14000, $as_of)",
	"SELECT capforecast.explain_forecast('vendors', $as_of)",
	"SELECT * FROM capforecast.forecast_accuracy($as_of)",
	"SELECT capforecast.sparkline(capforecast.metric_series('orders', '2026-05-30'))",
	"SELECT * FROM capforecast.decompose(capforecast.metric_series('orders', '2026-05-30'))",
	"SELECT * FROM capforecast.backtest(capforecast.metric_series('orders', '2026-05-30'), 7)",
	'SELECT k, f.* FROM daily, capforecast.forecast(s, 3) f WHERE k < 5')
{
	my $expected = $primary->safe_psql('postgres', $read);
	isnt($expected, '', "an answer: $read");
	is($standby->safe_psql('postgres', "SET ROLE reader; $read"), $expected, 'the same for a reader on the standby');
}
like(psql_fails($standby, 'postgres', 'SELECT capforecast.run_forecasts()'), qr/25006/, 'run_forecasts() refuses on a standby');
like(psql_fails($primary, 'postgres', 'SET ROLE reader; SELECT capforecast.run_forecasts()'), qr/42501/, 'and for a reader');
like(psql_fails($primary, 'postgres', q{SET ROLE nobody; SELECT * FROM capforecast.forecast('products')}), qr/42501/,
	'without grants, no forecast by name');
is($primary->safe_psql('postgres', q{SET ROLE nobody; SELECT count(*) FROM capforecast.forecast('{2026-01-01 1, 2026-01-02 2, 2026-01-03 2, 2026-01-04 3}'::capforecast.series)}),
	'30', 'a series needs none');
$standby->stop;

# Every function of the room in a worker of its own: the same answers as in the backend.
my $force = $primary->safe_psql('postgres', 'SHOW server_version_num') >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode';
for my $read (
	"SELECT * FROM capforecast.forecast('products', $as_of)",
	"SELECT * FROM capforecast.time_to_threshold('products', 14000, $as_of)",
	"SELECT capforecast.explain_forecast('vendors', $as_of), capforecast.metric_series('vendors')",
	'SELECT k, f.* FROM daily, capforecast.forecast(s, 3) f ORDER BY 1, 2',
	q{SELECT k, f.* FROM daily, capforecast.time_to_threshold(s, 100000, as_of => '2026-12-31') f ORDER BY 1},
	'SELECT k, f.* FROM daily, capforecast.backtest(s, 14, 2) f WHERE k < 9 ORDER BY 1, 2',
	'SELECT k, f.* FROM daily, capforecast.decompose(s) f WHERE k < 9 ORDER BY 1, 2',
	'SELECT k, capforecast.sparkline(s), capforecast.n_points(s), d.* FROM daily, capforecast.detect_seasonality(s) d ORDER BY k',
	'SELECT k % 7, capforecast.series_agg(ts, y) FROM daily, capforecast.points(s) GROUP BY 1 ORDER BY 1')
{
	my $expected = $primary->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; $read");
	is($primary->safe_psql('postgres', "SET $force = regress; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET parallel_leader_participation = off; $read"),
		$expected, "in a worker: $read");
}

# Cancelled, each long before it would end; what it took is told.
sub cancelled
{
	my ($what, $statement) = @_;
	my ($rc, $out, $err) = $primary->psql('postgres', "\\timing on\nSET statement_timeout = '200ms';\n$statement;", on_error_stop => 0);
	my ($ms) = $out =~ /.*Time: ([0-9.]+) ms/s;
	like($err, qr/canceling statement due to statement timeout/, "$what is cancelled");
	note(sprintf '%s: %.0f ms after the timeout of 200 ms', $what, $ms - 200);
}
my $many = 'generate_series(1, 100000) g';
cancelled('forecast of many series', "SELECT count(*) FROM $many, daily, capforecast.forecast(s, 30 + g % 7)");
cancelled('time_to_threshold over 10000 days', "SELECT count(*) FROM $many, long, capforecast.time_to_threshold(s, 1e6 + g, '10000 days', as_of => '2027-05-18')");
cancelled('backtest of 1000 folds', "SELECT count(*) FROM $many, long, capforecast.backtest(s, 30 + g % 7, 1000)");
cancelled('forecast of a long series', "SELECT count(*) FROM $many, long, capforecast.forecast(s, 3000 + g % 7)");
cancelled('decompose', "SELECT count(*) FROM $many, long, capforecast.decompose(s, 2 + g % 7)");
cancelled('series_agg', "SELECT count(n) FROM $many CROSS JOIN LATERAL (SELECT capforecast.n_points(capforecast.series_agg(now() + i % 999983 * interval '1 s', i + g)) AS n
	FROM generate_series(1, 1000000) i) a");

# No memory is left behind by one call, however many there are.
my $grown = $primary->safe_psql('postgres', <<'SQL');
	CREATE FUNCTION used() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts';
	SELECT count(*) FROM daily, capforecast.forecast(s), capforecast.time_to_threshold(s, 1e6, as_of => '2026-12-31');
	SELECT used() AS before \gset
	SELECT count(*) FROM generate_series(1, 5) g, daily, capforecast.forecast(s, 30 + g), capforecast.time_to_threshold(s, 1e6 + g, as_of => '2026-12-31');
	SELECT used() - :before < 200000;
SQL
like($grown, qr/t$/, 'memory is flat');

done_testing();
