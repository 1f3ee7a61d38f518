# What monitoring tools are given, tried with the tools themselves: every query of the Grafana
# dashboard, the real PostgreSQL exporter, and a real Prometheus that scrapes it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Spec;
use HTTP::Tiny;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $node = new_server('main');
load_platform($node, 'postgres', days => 200);
$node->safe_psql('postgres', q{
	CREATE EXTENSION capforecast;
	SELECT count(*) FROM capforecast.backfill_snapshots(current_date - 190, current_date - 1);
	SELECT count(*) FROM capforecast.capture_daily_snapshot();
	SELECT count(*) FROM capforecast.capture_vendor_usage();
	SELECT capforecast.look_at_vendors();
	CREATE ROLE watcher LOGIN;
	GRANT USAGE ON SCHEMA capforecast TO watcher;
	GRANT SELECT ON ALL TABLES IN SCHEMA capforecast, public TO watcher});

# --- Grafana: its macros stood in for, every panel answers, as a reader

my $dashboard = decode_json(slurp_file(source_file('dashboards/grafana.json')));
my @queries = map { [ "variable $_->{name}", $_->{query} ] } grep { $_->{type} eq 'query' } @{ $dashboard->{templating}{list} };
push @queries, map { my $panel = $_; map { [ $panel->{title}, $_->{rawSql} ] } @{ $panel->{targets} } } @{ $dashboard->{panels} };
cmp_ok(scalar @queries, '>', 10, 'the dashboard has panels');
my @rows;
for (@queries)
{
	my ($title, $query) = @$_;
	$query =~ s/\$__timeFilter\(([^)]*)\)/$1 > now() - interval '180 days'/g;
	$query =~ s/\$metric/products/g;
	my ($rc, $out, $err) = $node->psql('postgres', "SET ROLE watcher; SELECT count(*) FROM ($query) q");
	is($err, '', "Grafana: $title");
	push @rows, $title if $out =~ /^0$/m && $title !~ /alert/i;
}
is(join(', ', @rows), '', 'and has something to show');

# --- Prometheus

my $tools = $ENV{CAPFORECAST_TOOLS} || '';
my %tool = map { $_ => "$tools/usr/bin/$_" } 'promtool', 'prometheus', 'prometheus-postgres-exporter';
SKIP:
{
	skip "there is no $_ here", 1 for grep { !-x $tool{$_} } sort keys %tool;

	my $scratch = File::Spec->rel2abs($PostgreSQL::Test::Utils::tmp_check);
	append_to_file("$scratch/function.prom", $node->safe_psql('postgres', 'SET ROLE watcher; SELECT capforecast.prometheus_metrics()') . "\n");
	my $check = sub { my ($file) = @_; my ($out, $err); IPC::Run::run([ $tool{promtool}, 'check', 'metrics' ], '<', $file, '>', \$out, '2>', \$err); return "$out$err" };
	is($check->("$scratch/function.prom"), '', 'promtool accepts prometheus_metrics()');
	command_ok([ $tool{promtool}, 'check', 'rules', source_file('dashboards/prometheus_rules.yml') ], 'and the rules');
	# The number of series does not grow with vendors.
	my $series = sub { $node->safe_psql('postgres', q{SELECT count(*) FROM string_to_table(capforecast.prometheus_metrics(), E'\n') l WHERE l ~ '^\w'}) };
	my $vendors = sub { $node->safe_psql('postgres', qq{INSERT INTO capforecast.vendor_near_limit (day, vendor_id, resource, status)
		SELECT current_date, '$_[0]' || i, 'products', 'already_breached' FROM generate_series(1, $_[1]) i}) };
	$vendors->('x', 1);
	my $before = $series->();
	$vendors->('y', 1000);
	is($series->(), $before, 'a thousand vendors more make no series more');

	my ($exporter_port, $prometheus_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1, 2;
	append_to_file("$scratch/prometheus.yml", "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: capforecast\n"
		. "  static_configs: [{targets: ['127.0.0.1:$exporter_port']}]\nrule_files: ['" . source_file('dashboards/prometheus_rules.yml') . "']\n");
	local $ENV{DATA_SOURCE_NAME} = 'user=watcher dbname=postgres sslmode=disable host=' . $node->host . ' port=' . $node->port;
	my ($log, $log2) = ('', '');
	my $exporter = IPC::Run::start([ $tool{'prometheus-postgres-exporter'}, '--extend.query-path=' . source_file('dashboards/postgres_exporter.yml'),
			'--disable-default-metrics', '--disable-settings-metrics', "--web.listen-address=127.0.0.1:$exporter_port" ], '>&', \$log);
	my $prometheus = IPC::Run::start([ $tool{prometheus}, "--config.file=$scratch/prometheus.yml", "--storage.tsdb.path=$scratch/tsdb",
			"--web.listen-address=127.0.0.1:$prometheus_port" ], '>&', \$log2);
	my $http = HTTP::Tiny->new(timeout => 5);
	my $until = sub { my ($look) = @_; for (1 .. 300) { my $got = $look->(); return $got if $got; $exporter->pump_nb; $prometheus->pump_nb; select undef, undef, undef, 0.1 } return '' };

	my $page = $until->(sub { my $r = $http->get("http://127.0.0.1:$exporter_port/metrics"); $r->{content} =~ /^capforecast_/m ? $r->{content} : '' });
	append_to_file("$scratch/exporter.prom", join '', map { "$_\n" } grep { /^(# \w+ )?capforecast_/ } split /\n/, $page);
	is($check->("$scratch/exporter.prom"), '', 'the exporter serves what promtool accepts');
	for my $name (qw(capforecast_utilization_ratio capforecast_breached capforecast_breach_probability capforecast_last_value capforecast_job_healthy capforecast_vendors_near_limit capforecast_findings_open capforecast_snapshot_timestamp_seconds))
	{
		like($page, qr/^$name/m, "with $name");
	}
	my $answer = $until->(sub {
		my $r = $http->get("http://127.0.0.1:$prometheus_port/api/v1/query?query=capforecast_utilization_ratio");
		$r->{success} && $r->{content} =~ /"value"/ ? decode_json($r->{content}) : '' });
	my %scraped = map { $_->{metric}{metric} . ' ' . $_->{metric}{limit_kind} => $_->{value}[1] } @{ $answer ? $answer->{data}{result} : [] };
	my %outlook = map { split /\|/ } split /\n/, $node->safe_psql('postgres', q{SELECT metric || ' ' || limit_kind, utilization_ratio FROM capforecast.capacity_outlook()});
	cmp_ok(scalar keys %outlook, '>', 2, 'there are limits');
	is_deeply([ sort keys %scraped ], [ sort keys %outlook ], 'Prometheus has scraped each');
	cmp_ok(abs($scraped{$_} - $outlook{$_}), '<', 1e-9, "with its number: $_") for sort keys %outlook;
	$_->signal('KILL'), $_->finish for $exporter, $prometheus;
}
done_testing();
