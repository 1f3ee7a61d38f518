# Long work is seen from another session, by a role without any grant but the schema's, and is gone when it ends or fails.
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
$node->safe_psql('postgres', 'CREATE ROLE watcher LOGIN; GRANT USAGE ON SCHEMA capforecast TO watcher');

# A forecast waits for a row that somebody holds: it stands still where it is seen.
my $holder = $node->background_psql('postgres');
$holder->query_safe(q{SELECT capforecast.run_forecasts() > 0; BEGIN; SELECT count(*) FROM (SELECT FROM capforecast.forecast_archive WHERE metric = 'orders' FOR UPDATE) x});
my $worker = $node->background_psql('postgres', on_error_stop => 0);
$worker->query_safe(q{SET application_name = 'mine'});
$worker->query_until(qr/started/, "\\echo started\nSELECT capforecast.run_forecasts();\n");
my $seen = q{SELECT count(*) FROM capforecast.progress() WHERE what = 'run_forecasts' AND done > 0 AND total > done AND "left" >= '0' AND started_at <= now()};
ok($node->poll_query_until('postgres', "SELECT ($seen) = 1"), 'it is seen how far it is');
is($node->safe_psql('postgres', $seen, extra_params => [ '-U', 'watcher' ]), '1', 'by a reader, too');
is($node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM capforecast.progress()}), 't', 'it can be cancelled by what is shown');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM capforecast.progress()'), 'work that failed is not shown');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mine'}), '1', 'the session has its own name back');
$holder->query_safe('ROLLBACK');
$holder->quit;
$worker->quit;

is($node->safe_psql('postgres', q{SET application_name = 'mine'; SELECT capforecast._report_progress('x', 3, 4); SELECT what || done || total FROM capforecast.progress()}) =~ s/\n//gr,
	'', 'taken back at the end of the transaction');
is($node->safe_psql('postgres', q{BEGIN; SELECT capforecast._report_progress(repeat('long ', 20), 3, NULL); SELECT length(what), done, total, "left" FROM capforecast.progress(); COMMIT}) =~ s/\n//gr,
	'31|3||', 'a long name is cut; where the total is not known there is no time left');
is($node->safe_psql('postgres', q{SET application_name = 'capforecast: x 1/2 99999999999999999999'; SELECT count(*) FROM capforecast.progress()}), '0', 'what others call themselves is not taken for it');
done_testing();
