# Killed at a random moment, by kill -9 of the backend and by an immediate shutdown in turn, each job has
# done all of its work or none (of each subscription, where it works on the host's), and the next run does
# the rest; four jobs at once do not deadlock.
#
#	CRASHES=30 SUBSCRIPTIONS=60000 ROUNDS=10 test/run test/t/160_crash.pl		the heavy form: test/bench/crash
#	JOBS='run_forecasts raise_alerts'											these jobs only
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use CapForecast;

my $crashes = $ENV{CRASHES} // 1;
my $subscriptions = $ENV{SUBSCRIPTIONS} || 1000;
my $rounds = $ENV{ROUNDS} // 2;
my $seed = $ENV{SEED} || time;
srand $seed;
note "SEED=$seed";

my $node = new_server('main', settings => "fsync = on\nrestart_after_crash = on\ncheckpoint_timeout = 1h\nmax_wal_size = 4GB\n");
$node->safe_psql('postgres', 'CREATE DATABASE base');
$node->safe_psql('base', slurp_file(source_file('test/platform/schema.sql')) . <<"SQL");
	CREATE EXTENSION capforecast;
	INSERT INTO vendors (id, vendor_code, name, created_at) SELECT n, 'v' || n, 'V' || n, now() - interval '100 days' FROM generate_series(1, $subscriptions) n;
	INSERT INTO products (vendor_id) SELECT 1 + n % $subscriptions FROM generate_series(1, 2 * $subscriptions) n;
	-- a third is due, a third is a trial that has ended, a third is to be cancelled
	INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, trial_ends_at, cancel_at_period_end)
	SELECT n, 'essential', CASE n % 3 WHEN 1 THEN 'trial' ELSE 'active' END, now() - interval '31 days', now() - interval '1 minute',
		CASE n % 3 WHEN 1 THEN now() - interval '1 minute' END, n % 3 = 2
	FROM generate_series(1, $subscriptions) n;
	INSERT INTO orders (vendor_id, created_at) SELECT 1 + n % $subscriptions, now() - interval '1 hour' * (n % 700) FROM generate_series(1, 3 * $subscriptions) n;
	SELECT FROM capforecast.add_metric('one', 'SELECT 1', limit_value => 1);
	SELECT FROM capforecast.add_metric('two', 'SELECT 2');
	SELECT FROM capforecast.backfill_snapshots(current_date - 90, current_date - 1);
SQL
# The states as the jobs have seen them, so that a run does its own work only.
$node->safe_psql('base', 'ALTER DATABASE base SET capforecast.manage_subscriptions = on');
$node->safe_psql('base', q{SET capforecast.allow_time_travel = on; SELECT FROM capforecast.reset_period_counters(now() - interval '2 days')});
$node->safe_psql('base', 'SELECT FROM capforecast.capture_vendor_usage()');
$node->safe_psql('base', 'DELETE FROM capforecast.vendor_usage; DELETE FROM capforecast.metric_value; DELETE FROM capforecast.job_run');

# What a job has done, as text; the same where it has done nothing, and where it has done it all.
my %work = (
	capture_daily_snapshot => q{SELECT count(*), min(total_vendors), min(total_products), min(total_subscriptions) FROM capforecast.capacity_snapshots WHERE source = 'captured'},
	capture_metrics => q{SELECT string_agg(metric || value, ' ' ORDER BY metric) FROM capforecast.metric_value WHERE metric IN ('one', 'two')},
	capture_vendor_usage => q{SELECT (SELECT count(*) FROM capforecast.vendor_usage), (SELECT count(*) FROM capforecast.metric_value WHERE metric LIKE 'limited%')},
	look_at_vendors => q{SELECT count(*) FROM capforecast.vendor_near_limit},
	raise_alerts => q{SELECT count(*) FROM capforecast.alert},
	run_forecasts => q{SELECT count(*) FROM capforecast.forecast_archive},
	reset_period_counters => q{SELECT (SELECT count(*) FROM capforecast.period_ledger), (SELECT count(*) FROM billing_history),
		(SELECT count(*) FROM capforecast.billed_period), (SELECT count(*) FROM vendor_subscriptions WHERE period_end > now()),
		(SELECT count(*) FROM (SELECT 1 FROM capforecast.period_ledger a JOIN capforecast.period_ledger b USING (subscription_id)
			WHERE a.window_start < b.window_start AND a.window_end > b.window_start) o)},
	check_trial_expirations => q{SELECT (SELECT count(*) FROM vendor_subscriptions WHERE status = 'expired'),
		(SELECT count(*) FROM capforecast.audit_log WHERE operation = 'end_subscription')},
	cleanup_stale_subscriptions => q{SELECT (SELECT count(*) FROM vendor_subscriptions WHERE status = 'cancelled'),
		(SELECT count(*) FROM capforecast.audit_log WHERE operation = 'end_subscription')},
	sync_stripe_status => q{SELECT count(*) FROM capforecast.finding},
);

# A checkpoint, because a copied sequence hands out what it had logged ahead in the database that it comes from,
# and would hand it out again after a crash.
sub fresh { $node->safe_psql('postgres', $_) for 'DROP DATABASE IF EXISTS work WITH (FORCE)', 'CREATE DATABASE work TEMPLATE base',
	'ALTER DATABASE work SET capforecast.manage_subscriptions = on', 'CHECKPOINT' }

sub start
{
	my ($sql, $err) = @_;
	return IPC::Run::start([ 'psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('work'), '-c', $sql ],
		'<', \undef, '>', \my $out, '2>', $err);
}

# After a crash of one process all others are new, too; before that the server may still answer. Until then: ''.
sub checkpointer { return eval { $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'}) } // '' }

# A session that waits for its statements: ({ harness, in, out }, its process).
sub connected
{
	my %session = (in => "SELECT pg_backend_pid();\n", out => '');
	$session{harness} = IPC::Run::start([ 'psql', '-qXAt', '-d', $node->connstr('work') ], '<', \$session{in}, '>', \$session{out}, '2>', \my $err);
	IPC::Run::pump($session{harness}) until $session{out} =~ /^(\d+)$/m;
	return (\%session, $1);
}

# Whole subscriptions: every figure that a run changes has gone the same part of its way.
sub whole
{
	my ($before, $found, $after) = map { [ split /\|/, $_ ] } @_;
	my %part;
	for my $i (0 .. $#$after)
	{
		if ($before->[$i] eq $after->[$i]) { return 0 if $found->[$i] ne $after->[$i] }
		else                               { $part{ sprintf '%.9f', ($found->[$i] - $before->[$i]) / ($after->[$i] - $before->[$i]) }++ }
	}
	my @parts = keys %part;
	return @parts == 1 && $parts[0] >= 0 && $parts[0] <= 1;
}
my %in_sets = map { $_ => 1 } qw(reset_period_counters check_trial_expirations cleanup_stale_subscriptions);

my ($n_killed, $in_flight, $n_part) = (0, 0, 0);
my @jobs = $crashes == 0 ? () : split ' ', $ENV{JOBS} || join ' ', sort keys %work;
for my $job (@jobs)
{
	my $hits = 0;
	# undisturbed: what there is before and after, and how long it takes
	fresh();
	my $before = $node->safe_psql('work', $work{$job});
	my ($run, $pid) = connected();
	my $began = time;
	$$run{in} .= "CALL capforecast.run_job('$job');\n\\q\n";
	IPC::Run::finish($$run{harness});
	my $takes = time - $began;
	my $after = $node->safe_psql('work', $work{$job});
	my @bad;
	for my $trial (1 .. $crashes)
	{
		fresh();
		my $before_crash = checkpointer();
		($run, $pid) = connected();
		$$run{in} .= "CALL capforecast.run_job('$job');\n";
		IPC::Run::pump_nb($$run{harness});
		sleep rand($takes);
		# signalled at once: the time that pg_ctl takes to start would be past the end of a short job
		my $kill = ++$n_killed % 2;
		kill $kill ? ('KILL', $pid) : ('QUIT', $node->{_pid});
		eval { IPC::Run::finish($$run{harness}) };
		if ($kill)
		{
			sleep 0.05 while checkpointer() =~ /^($before_crash)?$/;
		}
		else
		{
			$node->stop('immediate', fail_ok => 1);
			$node->start;
		}
		my $found = $node->safe_psql('work', $work{$job});
		my $record = $node->safe_psql('work', "SELECT string_agg(status, ' ') FROM capforecast.job_run WHERE job = '$job'");
		$hits++ if $record eq 'running';
		my $is_part = $in_sets{$job} && $found ne $before && $found ne $after && whole($before, $found, $after);
		push @bad, "after the crash: $found" unless $found eq $before || $found eq $after || $is_part;
		$n_part++ if $is_part;
		push @bad, "recorded as ok: $found" if $record eq 'ok' && $found ne $after;
		push @bad, "on record: $record" unless $record =~ /^(running|ok|)$/;
		$node->safe_psql('work', "CALL capforecast.run_job('$job')");
		$found = $node->safe_psql('work', $work{$job});
		push @bad, "after the next run: $found" unless $found eq $after;
		my $health = $node->safe_psql('work', "SELECT status FROM capforecast.job_health() WHERE job = '$job'");
		push @bad, "job_health() says $health" unless $health eq 'ok';
	}
	is_deeply(\@bad, [], "$job: $crashes crashes, all or nothing, and then all");
	note sprintf('%s takes %.2f s; %d of %d crashes while it was at work', $job, $takes, $hits, $crashes);
	$in_flight += $hits;
}
note "$n_killed crashes, $in_flight of them while the job was at work, $n_part with some of its subscriptions done";

# --- four jobs at once over subscriptions whose status has just changed

my @errors;
for my $round (1 .. $rounds)
{
	fresh();
	$node->safe_psql('work', q{UPDATE vendor_subscriptions SET status = CASE status WHEN 'trial' THEN 'active' ELSE 'trial' END, trial_ends_at = now() - interval '1 second'});
	my @err = ('') x 4;
	my @four = qw(reset_period_counters check_trial_expirations sync_stripe_status cleanup_stale_subscriptions);
	my @runs = map { start("CALL capforecast.run_job('$four[$_]')", \$err[$_]) } 0 .. 3;
	IPC::Run::finish($_) for @runs;
	push @errors, grep { $_ ne '' } @err;
	push @errors, grep { $_ ne '' } $node->safe_psql('work', q{SELECT job || ': ' || status || coalesce(detail::text, '') FROM capforecast.job_run WHERE status <> 'ok' OR failed > 0});
	push @errors, grep { $_ ne '0' } $node->safe_psql('work', q{SELECT deadlocks FROM pg_stat_database WHERE datname = 'work'});
}
is_deeply(\@errors, [], "four jobs at once over $subscriptions subscriptions, $rounds rounds: no deadlock, no error");

done_testing();
