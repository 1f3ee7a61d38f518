# Subscriptions where it takes several sessions, roles, or the server's log.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Digest::SHA qw(hmac_sha256_hex);
use CapForecast;

my $secret = 'whsec_never_to_be_seen_2718281828';
my $node = new_server('main', settings => "log_statement = all\nlog_min_duration_statement = 0\nlog_parameter_max_length = -1\nlog_error_verbosity = verbose\ndebug_print_plan = on");
small_platform($node);
my $connect = $node->connstr('postgres');
my $vendor = $node->safe_psql('postgres', 'SELECT id FROM vendors');

# --- 8.12.3: twelve at once, and one place
$node->safe_psql('postgres', "UPDATE vendor_subscriptions SET custom_products_limit = 3, custom_team_limit = 1; DELETE FROM vendor_users");
my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(1)');
my @errors = ('') x 12;
my @runs = map {
	IPC::Run::start([ 'psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-d', $connect, '-c', 'SELECT pg_advisory_lock_shared(1)', '-c',
			"BEGIN; INSERT INTO products (vendor_id) SELECT $vendor FROM capforecast.reserve_limit('$vendor', 'products') WHERE allowed; COMMIT" ],
		'<', \undef, '>', \my $out, '2>', \$errors[$_])
} 0 .. 11;
wait_until($node, q{SELECT count(*) = 12 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 1});
$gate->query_safe('SELECT pg_advisory_unlock(1)');
IPC::Run::finish($_) for @runs;
$gate->quit;
is(join('', @errors), '', '8.12.3 nobody fails');
is($node->safe_psql('postgres', 'SELECT count(*) FROM products'), 3, '8.12.3 of twelve that ask at once one is let in');
like(psql_fails($node, 'postgres', "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT capforecast.reserve_limit('$vendor', 'products')"),
	qr/25001.*needs read committed/s, '8.12.3 a lock above READ COMMITTED is refused');

# --- C7: a conflict under REPEATABLE READ is the caller's to repeat
my $first = $node->background_psql('postgres', on_error_stop => 0);
$first->query_safe("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM vendor_subscriptions");
$node->safe_psql('postgres', "UPDATE vendor_subscriptions SET orders_this_period = orders_this_period + 1");
$first->query("SELECT capforecast.change_tier('$vendor', 'business', as_of => '2024-01-10')");
like($first->{stderr}, qr/could not serialize access/, 'C7 REPEATABLE READ: 40001');
$first->{stderr} = '';
$first->quit;

# --- run_job: one settled row, and the period moves
$node->safe_psql('postgres', "CALL capforecast.run_job('$_')")
  for qw(reset_period_counters check_trial_expirations sync_stripe_status cleanup_stale_subscriptions);
is($node->safe_psql('postgres', "SELECT count(*), count(DISTINCT job), min(status), max(status) FROM capforecast.job_run"), '4|4|ok|ok', 'C6 each job settles one row');
is($node->safe_psql('postgres', "SELECT period_start <= now() AND period_end > now() FROM vendor_subscriptions"), 't', '8.3 the period holds now');

# --- reads: of a role with grants to read, in a transaction that may not write
$node->safe_psql('postgres', <<'SQL');
	CREATE ROLE reader LOGIN;
	GRANT USAGE ON SCHEMA capforecast TO reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
	GRANT SELECT ON capforecast.binding, capforecast.subscription_state, capforecast.billed_period, capforecast.pending_invoice_item,
		capforecast.stripe_event, capforecast.stripe_outbox TO reader;
SQL
is($node->safe_psql('postgres', "SET default_transaction_read_only = on; SELECT (capforecast.usage_summary('$vendor') ->> 'entitled'), i.source FROM capforecast.upcoming_invoice('$vendor') i",
		extra_params => [ '-U', 'reader' ]), 'true|local', 'C11 reads write nothing, and need no more than the right to read');
like(psql_fails($node, 'postgres', "SET ROLE reader; SELECT capforecast.change_tier('$vendor', 'business')"), qr/42501/, 'writers are for those who are granted them');
$node->safe_psql('postgres', 'ALTER TABLE products ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON products USING (false)');
like(psql_fails($node, 'postgres', "SET ROLE reader; SELECT capforecast.usage_summary('$vendor')"), qr/42501.*row-level security/s, 'C11 a policy that hides rows is an error, not a smaller number');
$node->safe_psql('postgres', 'ALTER TABLE products DISABLE ROW LEVEL SECURITY');

# --- 8.13: the secret
my ($stdout, $stderr) = ('', '');
my $copy = "stripe_webhook\t$secret\n";
IPC::Run::run([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $connect, '-c', 'COPY capforecast._secret FROM STDIN' ], '<', \$copy, '>', \$stdout, '2>', \$stderr);
is($stderr, '', '8.13.5 the secret is stored with COPY');
$node->safe_psql('postgres', <<'SQL');
	CREATE ROLE webhook LOGIN;
	GRANT USAGE ON SCHEMA capforecast TO webhook;
	GRANT EXECUTE ON ALL ROUTINES IN SCHEMA capforecast TO webhook;
	GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO webhook;
	GRANT SELECT ON capforecast.binding TO webhook;
	GRANT SELECT, INSERT, UPDATE ON capforecast.stripe_event, capforecast.stripe_outbox, capforecast.subscription_state, capforecast.billed_period, capforecast.period_ledger,
		capforecast.finding, capforecast.audit_log TO webhook;
	GRANT USAGE ON ALL SEQUENCES IN SCHEMA capforecast TO webhook;
	UPDATE vendor_subscriptions SET stripe_subscription_id = 'sub_1';
SQL
my $now = time;
my $body = qq({"id":"evt_1","type":"customer.subscription.updated","created":$now,"livemode":true,"data":{"object":{"id":"sub_1","status":"past_due","customer":"cus_1"}}});
my $signature = "t=$now,v1=" . hmac_sha256_hex("$now.$body", $secret);
my $call = "SELECT outcome FROM capforecast.ingest_stripe_event(convert_to('$body', 'UTF8'), '%s')";
is($node->safe_psql('postgres', sprintf($call, $signature), extra_params => [ '-U', 'webhook' ]), 'accepted', '8.13 an event, from a role of its own');
is($node->safe_psql('postgres', 'SELECT status FROM vendor_subscriptions'), 'past_due', '8.13.4 takes effect');
(my $forged = $signature) =~ tr/0-9a-f/1-9a-f0/;
like(psql_fails($node, 'postgres', sprintf("SET ROLE webhook; $call", "t=$now,v1=" . substr($forged, -64))), qr/28000.*signature_mismatch/s, '8.13.2 a forged one does not');
like(psql_fails($node, 'postgres', 'SET ROLE webhook; TABLE capforecast._secret'), qr/42501/, '8.13.5 the role cannot read the secret');
unlike(slurp_file($node->logfile), qr/\Q$secret\E/, '8.13.5 the secret is not in the log');
like(slurp_file($node->logfile), qr/COPY capforecast\._secret/, '(which has the statements)');
my ($dump, $err) = run_command([ 'pg_dump', '-d', $connect ]);
unlike($dump, qr/\Q$secret\E/, 'nor in a dump');
like($dump, qr/evt_1/, '(which has the events)');

# --- a setting of ours that anyone could make before the library is loaded
like(psql_fails($node, 'postgres', "SET ROLE webhook; SET capforecast.allow_time_travel = on; SELECT capforecast.reset_period_counters('2999-01-01')"),
	qr/22023.*as_of is in the future|42501/s, 'C1 time travel is not for everybody');

$node->stop;
done_testing();
