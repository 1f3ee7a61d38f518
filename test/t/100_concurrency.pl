# Many at once, locks, cancel, and crashes: one whole row of the day or none.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use CapForecast;

my $node = new_server('main', settings => 'restart_after_crash = on');
small_platform($node);
my $connect = $node->connstr('postgres');

# Starts psql on statements, one by one, in the background.
sub start_psql
{
	my ($err, @statements) = @_;
	my $out = '';
	my @command = ('psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-d', $connect, map { ('-c', $_) } @statements);
	return IPC::Run::start(\@command, '<', \undef, '>', \$out, '2>', $err);
}

# n sessions that wait for each other, then run the statements at once.  Returns their errors.
sub at_once
{
	my ($n, @statements) = @_;
	my @errors = ('') x $n;
	my $gate = $node->background_psql('postgres');
	$gate->query_safe('SELECT pg_advisory_lock(1)');
	my @runs = map { start_psql(\$errors[$_], 'SELECT pg_advisory_lock_shared(1)', @statements) } 0 .. $n - 1;
	wait_until($node, "SELECT count(*) = $n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 1");
	$gate->query_safe('SELECT pg_advisory_unlock(1)');
	IPC::Run::finish($_) for @runs;
	$gate->quit;
	return grep { $_ ne '' } @errors;
}

my $whole = q{SELECT count(*) = 1 AND bool_and(total_vendors = 1 AND total_subscriptions = 1 AND total_products = 2
	AND total_team_members = 1 AND theoretical_products_limit = 200) FROM capforecast.capacity_snapshots};

# --- one hundred at once

my @errors = at_once(100, 'SELECT FROM capforecast.capture_daily_snapshot()');
is_deeply(\@errors, [], 'a hundred captures at once: no error');
is($node->safe_psql('postgres', $whole), 't', 'and one whole row');
is($node->safe_psql('postgres', q{SELECT count(*), sum(changed) FROM capforecast.job_run WHERE status = 'ok'}), '100|1',
	'all on record; one counted');

@errors = at_once(20, 'SELECT FROM capforecast.capture_daily_snapshot(refresh => true)');
is_deeply(\@errors, [], 'twenty refreshes at once: no error');
is($node->safe_psql('postgres', $whole), 't', 'and one whole row');

$node->safe_psql('postgres', 'TRUNCATE capforecast.capacity_snapshots');
@errors = at_once(20, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT FROM capforecast.capture_daily_snapshot()', 'COMMIT');
is(scalar(grep { !/ERROR:  40001/ } @errors), 0, 'at REPEATABLE READ the only error is 40001');
is($node->safe_psql('postgres', $whole), 't', 'and there is one whole row');

# A transaction of before another's capture cannot see its row, and must not make a second one.
$node->safe_psql('postgres', 'TRUNCATE capforecast.capacity_snapshots');
my $early = $node->background_psql('postgres', on_error_stop => 0);
$early->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$early->query_safe('SELECT count(*) FROM vendors');
$node->safe_psql('postgres', 'SELECT FROM capforecast.capture_daily_snapshot()');
$early->query('SELECT FROM capforecast.capture_daily_snapshot()');
like($early->{stderr}, qr/could not serialize access/, 'a snapshot from before another capture: 40001');
$early->quit;
is($node->safe_psql('postgres', $whole), 't', 'and still one row');

# --- locks of the host

$node->safe_psql('postgres', 'TRUNCATE capforecast.capacity_snapshots, capforecast.job_run');
my $host = $node->background_psql('postgres');
$host->query_safe('BEGIN');
$host->query_safe('LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
like(psql_fails($node, 'postgres', q{SET lock_timeout = '50ms'; SELECT capforecast.capture_daily_snapshot()}),
	qr/ERROR:  55P03/, 'lock_timeout is honoured, and is no part that is left out');
like(psql_fails($node, 'postgres', q{SET statement_timeout = '50ms'; SELECT capforecast.capture_daily_snapshot()}),
	qr/ERROR:  57014/, 'so is statement_timeout');
like(psql_fails($node, 'postgres', q{SET lock_timeout = '50ms'; SELECT capforecast.scaling_recommendations()}),
	qr/ERROR:  55P03/, 'by reads, too');
like(psql_fails($node, 'postgres', q{SET lock_timeout = '50ms'; CALL capforecast.run_job('capture_daily_snapshot')}),
	qr/ERROR:  55P03/, 'and by jobs');
is($node->safe_psql('postgres', q{SELECT status, detail -> 'error' ->> 'sqlstate' FROM capforecast.job_run}), 'failed|55P03',
	'whose failure is on record');
like(psql_fails($node, 'postgres', q{SET statement_timeout = '50ms'; CALL capforecast.run_maintenance()}),
	qr/ERROR:  57014/, 'a time limit ends run_maintenance, not only the job of the moment');

# Cancel while it waits.
my $cancelled = '';
my $waiting = start_psql(\$cancelled, 'SELECT capforecast.capture_daily_snapshot()');
wait_until($node, q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%capture_daily%'});
my $started = time;
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%capture_daily%'});
IPC::Run::finish($waiting);
note sprintf('cancelled after %.0f ms, starting psql included', (time - $started) * 1000);
like($cancelled, qr/ERROR:  57014/, 'a capture that waits can be cancelled');
is($node->safe_psql('postgres', 'SELECT count(*) FROM capforecast.capacity_snapshots'), '0', 'and leaves no row');

# Somebody else's capture that waits holds up the next one only as long as its own limit.
my $held = '';
$waiting = start_psql(\$held, 'SELECT capforecast.capture_daily_snapshot()');
wait_until($node, q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%capture_daily%'});
like(psql_fails($node, 'postgres', q{SET lock_timeout = '50ms'; SELECT capforecast.capture_daily_snapshot()}),
	qr/ERROR:  55P03/, 'a second capture waits for the first, within its lock_timeout');
$host->query_safe('COMMIT');
IPC::Run::finish($waiting);
is($held, '', 'the first goes on when the host lets go');
is($node->safe_psql('postgres', $whole), 't', 'and writes a whole row');
$host->quit;

# A transaction that only reads or writes rows holds up nothing.
$host = $node->background_psql('postgres');
$host->query_safe('BEGIN');
$host->query_safe('UPDATE products SET is_active = false');
$host->query_safe(q{INSERT INTO vendors (vendor_code, name) VALUES ('uncommitted', '')});
is($node->safe_psql('postgres', q{SET lock_timeout = '1s'; SELECT total_vendors FROM capforecast.capture_daily_snapshot(true)}), '1',
	'a long writing transaction of the host is neither waited for nor counted');
$host->query_safe('ROLLBACK');
$host->quit;

# The host can migrate while the extension is in use.
my $reader = $node->background_psql('postgres');
$reader->query_safe('SELECT count(*) FROM capforecast.subscription_capacity()');
$node->safe_psql('postgres', q{SET lock_timeout = '1s'; ALTER TABLE products ADD extra integer; ALTER TABLE products ALTER is_active TYPE text});
is($reader->query_safe('SELECT count(*) FROM capforecast.subscription_capacity()'), '3',
	'a session that has counted blocks no migration, and counts again after it');
$reader->quit;

# --- crashes

# Kills the backend that runs a capture which waits for the lock on products.
for my $how ('kill -9 of the backend', 'immediate shutdown')
{
	$node->safe_psql('postgres', 'TRUNCATE capforecast.capacity_snapshots, capforecast.job_run');
	my $lock = $node->background_psql('postgres');
	$lock->query_safe('BEGIN');
	$lock->query_safe('LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
	my $error = '';
	my $run = start_psql(\$error, q{CALL capforecast.run_job('capture_daily_snapshot')});
	wait_until($node, q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%run_job%'});
	crash($how, q{SELECT pid FROM pg_stat_activity WHERE query LIKE '%run_job%' AND wait_event_type = 'Lock'});
	eval { IPC::Run::finish($run) };
	eval { $lock->quit };
	is($node->safe_psql('postgres', 'SELECT count(*) FROM capforecast.capacity_snapshots'), '0', "$how while counting: no row");
	is($node->safe_psql('postgres', 'SELECT status, finished_at IS NULL FROM capforecast.job_run'), 'running|t',
		'the run is on record as one that did not end');

	# After the row was written, before the commit; then after the commit.
	my $open = $node->background_psql('postgres');
	$open->query_safe('BEGIN');
	$open->query_safe('SELECT FROM capforecast.capture_daily_snapshot()');
	crash($how, q{SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'});
	eval { $open->quit };
	is($node->safe_psql('postgres', 'SELECT count(*) FROM capforecast.capacity_snapshots'), '0', "$how before the commit: no row");
	$node->safe_psql('postgres', 'SELECT FROM capforecast.capture_daily_snapshot()');
	crash($how, q{SELECT pg_backend_pid()});
	is($node->safe_psql('postgres', $whole), 't', "$how after it: one whole row");
}

sub crash
{
	my ($how, $find) = @_;
	if ($how =~ /kill/)
	{
		my $victim = $find =~ /pg_backend_pid/ ? $node->background_psql('postgres') : undef;
		my $pid = $victim ? $victim->query_safe($find) : $node->safe_psql('postgres', $find);
		kill 'KILL', $pid;
		eval { $victim->quit } if $victim;
		$node->poll_query_until('postgres', 'SELECT true');
		wait_until($node, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
	}
	else
	{
		$node->stop('immediate');
		$node->start;
	}
}

$node->restart;
is($node->safe_psql('postgres', $whole), 't', 'a restart keeps what is stored');
is($node->safe_psql('postgres', 'SELECT source FROM capforecast.capture_daily_snapshot()'), 'captured', 'and the day is found');

done_testing();
