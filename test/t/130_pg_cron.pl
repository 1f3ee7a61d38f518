# With real pg_cron: in this database, for another database of the server, not preloaded, absent.
# Waits up to two minutes for pg_cron's next minute.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $node = new_server('main', with_cron => 'postgres');
small_platform($node);
$node->safe_psql('postgres', 'CREATE DATABASE shop');
small_platform($node, 'shop');
my $one = q{WHERE job = 'capture_daily_snapshot'};

# --- elsewhere: what to run there

my ($rc, $out, $err) = $node->psql('shop', "SELECT statement FROM capforecast.schedule_jobs() $one");
like($err, qr/NOTICE:  pg_cron is in database "postgres"/, 'schedule_jobs() says where pg_cron is');
like($out, qr/schedule_in_database/, 'and what to run there');
my $there = $out;
is($node->safe_psql('shop', q{SELECT severity, fix FROM capforecast.doctor() WHERE subject = 'pg_cron'}),
	'info|SELECT * FROM capforecast.schedule_jobs();  -- returns what to run there, or for a crontab', 'doctor() says so as long as the jobs do not run');

# --- absent, though preloaded

is($node->safe_psql('postgres', 'SELECT place FROM capforecast._pg_cron()'), 'elsewhere', 'not created yet');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_cron');
like($node->safe_psql('postgres', q{SELECT string_agg(problem, ';') FROM capforecast.doctor() WHERE subject = 'jobs'}),
	qr/jobs are not scheduled: .*capture_daily_snapshot/, 'created, doctor() says that nothing is scheduled');

# --- here

my $jobs = $node->safe_psql('postgres', 'SELECT count(*) FROM capforecast.job WHERE enabled');
is($node->safe_psql('postgres', "SELECT count(*) FILTER (WHERE status = 'scheduled') FROM capforecast.schedule_jobs()"), $jobs, 'every job is scheduled');
my $listed = $node->safe_psql('postgres', 'SELECT jobid, jobname, schedule, command, database, username FROM cron.job ORDER BY jobid');
$node->safe_psql('postgres', 'SELECT FROM capforecast.schedule_jobs()');
is($node->safe_psql('postgres', 'SELECT jobid, jobname, schedule, command, database, username FROM cron.job ORDER BY jobid'), $listed, 'again: nothing changes');
is($node->safe_psql('postgres', q{SELECT count(*) FROM capforecast.doctor() WHERE problem LIKE '%scheduled%'}), '0', 'doctor() is content');
$node->safe_psql('postgres', q{SELECT cron.schedule('mine', '0 0 1 1 *', 'SELECT 1')});
is($node->safe_psql('postgres', 'SELECT count(*) FROM capforecast.unschedule_jobs()'), $jobs, 'all are unscheduled');
is($node->safe_psql('postgres', 'SELECT jobname FROM cron.job'), 'mine', 'and only those');
is($node->safe_psql('postgres', 'SELECT count(*) FROM capforecast.unschedule_jobs()'), '0', 'again: nothing is left to do');
$node->safe_psql('postgres', 'SELECT FROM capforecast.schedule_jobs()');
is($node->safe_psql('postgres', "SELECT count(*) FROM cron.job WHERE jobname LIKE 'capforecast:%'"), $jobs, 'and back');
# Jobs that are not enabled any more are unscheduled.
my $all = $node->safe_psql('postgres', 'SELECT count(*) FROM capforecast.job');
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET capforecast.manage_subscriptions = on');
$node->safe_psql('postgres', 'SELECT FROM capforecast.schedule_jobs()');
is($node->safe_psql('postgres', "SELECT count(*) FROM cron.job WHERE jobname LIKE 'capforecast:%'"), $all, 'with manage_subscriptions there are more');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET capforecast.manage_subscriptions');
is($node->safe_psql('postgres', "SELECT count(*) FROM capforecast.schedule_jobs() WHERE status LIKE 'unscheduled%'"), $all - $jobs, 'without it they go');
is($node->safe_psql('postgres', "SELECT count(*) FROM cron.job WHERE jobname LIKE 'capforecast:%'"), $jobs, 'and the others stay');
like($node->safe_psql('postgres', q{SELECT severity || ' ' || problem FROM capforecast.doctor() WHERE subject = 'pg_cron'}), qr/^warning the jobs run as superuser /,
	'doctor() warns of jobs that run as a superuser');
# A role that may not see pg_cron's tables is told.
$node->safe_psql('postgres', 'CREATE ROLE reader; GRANT USAGE ON SCHEMA capforecast TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA capforecast, public TO reader');
like($node->safe_psql('postgres', q{SET ROLE reader; SELECT fix FROM capforecast.doctor() WHERE subject = 'pg_cron'}), qr/GRANT USAGE ON SCHEMA cron TO reader/,
	'a role that cannot look at pg_cron');

is($node->safe_psql('postgres', q{SET ROLE reader; SELECT count(*) FROM capforecast.doctor() WHERE problem LIKE '%preloaded%'}), '0', 'and not that pg_cron is not preloaded');
$node->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION capforecast.schedule_jobs TO reader');
like(psql_fails($node, 'postgres', 'SET ROLE reader; SELECT capforecast.schedule_jobs()'), qr/42501: role "reader" may not use pg_cron.*GRANT USAGE ON SCHEMA cron/s,
	'schedule_jobs() says what it lacks');
# Two roles that schedule the same jobs: each has them, and who sees both is told.
$node->safe_psql('postgres', q{GRANT USAGE ON SCHEMA cron TO reader; SET ROLE reader; SELECT FROM capforecast.schedule_jobs()});
is($node->safe_psql('postgres', "SELECT count(*), count(DISTINCT username) FROM cron.job WHERE jobname LIKE 'capforecast:%'"), 2 * $jobs . '|2', 'a second role has jobs of its own');
like($node->safe_psql('postgres', q{SELECT problem FROM capforecast.doctor() WHERE subject = 'pg_cron' AND problem LIKE 'jobs are%'}),
	qr/^jobs are scheduled by more than one role \(postgres, reader\)/, 'which doctor() tells');
$node->safe_psql('postgres', q{GRANT EXECUTE ON FUNCTION capforecast.unschedule_jobs TO reader; SET ROLE reader; SELECT FROM capforecast.unschedule_jobs()});
is($node->safe_psql('postgres', q{SELECT count(*) FROM capforecast.doctor() WHERE problem LIKE 'jobs are%'}), '0', 'until one of them has taken its own back');
$node->safe_psql('postgres', 'REVOKE USAGE ON SCHEMA cron FROM reader');
# A setting of the database that the session does not have yet.
($rc, $out, $err) = $node->psql('postgres', 'ALTER DATABASE postgres SET capforecast.manage_subscriptions = on; SELECT FROM capforecast.schedule_jobs()');
like($err, qr/NOTICE:.*not for this session.*Reconnect/s, 'and that the session does not know');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET capforecast.manage_subscriptions');

# --- pg_cron really runs them: here, and in the other database

$node->safe_psql('postgres', q{SELECT cron.schedule(jobname, '* * * * *', command) FROM cron.job WHERE jobname = 'capforecast:capture_daily_snapshot'});
$there =~ s/'7 \* \* \* \*'/'* * * * *'/;
$node->safe_psql('postgres', $there);
ok(wait_until($node, "SELECT count(*) > 0 FROM capforecast.job_run $one AND status = 'ok'"), 'pg_cron runs the job');
ok(wait_until($node, "SELECT count(*) > 0 FROM capforecast.job_run $one AND status = 'ok'", 'shop'), 'and that of the other database');
is($node->safe_psql($_, 'SELECT total_products FROM capforecast.capacity_snapshots'), '2', "the day is captured in $_") for ('postgres', 'shop');
ok(wait_until($node, q{SELECT count(*) = 2 FROM cron.job_run_details WHERE command LIKE '%capture_daily%' AND status = 'succeeded'}), 'pg_cron counts both as succeeded');
is($node->safe_psql('shop', "SELECT status, overdue FROM capforecast.job_health() $one"), 'ok|f', 'job_health() knows');
my $undo = $node->safe_psql('shop', "SELECT statement FROM capforecast.unschedule_jobs() $one");
$node->safe_psql('postgres', $undo);
is($node->safe_psql('postgres', q{SELECT count(*) FROM cron.job WHERE database = 'shop'}), '0', 'the statement of unschedule_jobs() takes it back');

# --- installed but not preloaded; absent

$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
$node->adjust_conf('postgresql.conf', 'cron.database_name', undef);
$node->restart;
like($node->safe_psql('postgres', q{SELECT severity, problem FROM capforecast.doctor() WHERE subject = 'pg_cron'}), qr/^error\|.*not preloaded/, 'not preloaded: doctor() says so');
$node->safe_psql('postgres', 'DROP EXTENSION pg_cron');
($rc, $out, $err) = $node->psql('postgres', "SELECT status, statement FROM capforecast.schedule_jobs() $one");
like($err, qr/NOTICE:  pg_cron is not installed/, 'absent: schedule_jobs() says so');
like($out, qr/^no pg_cron.*\|7 \* \* \* \* psql -X -d postgres -c "CALL capforecast\.run_job\('capture_daily_snapshot'\)"/, 'and what to put into a crontab');
my ($command) = $out =~ /(CALL .*)"/;
$node->safe_psql('postgres', $command);
is($node->safe_psql('postgres', "SELECT status FROM capforecast.job_run $one ORDER BY run_id DESC LIMIT 1"), 'ok', 'which works');
is($node->safe_psql('postgres', 'SELECT count(*) FROM capforecast.unschedule_jobs()'), '0', 'unschedule_jobs() has nothing to do');

done_testing();
