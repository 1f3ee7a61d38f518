# test/demo, as a new user runs it: real pg_cron captures the day, the questions are
# answered, and nothing is left behind.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $scratch = PostgreSQL::Test::Utils::tempdir_short();
my ($out, $err) = ('', '');
delete @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)};
my $ok = IPC::Run::run([ 'env', "TMPDIR=$scratch", 'sh', source_file('test/demo') ], '<', \undef, '>', \$out, '2>', \$err);

ok($ok, 'test/demo succeeds') or diag($out, $err);
unlike("$out$err", qr/ERROR|FATAL|PANIC/, 'without an error');
like($out, qr/== What is used today\?.*?\n \d{4}-\d\d-\d\d\s+\|\s+\d+ \|/s, 'pg_cron captured the day');
like($out, qr/vendors\s+\|\s+\d+ \|\s+\d+ \|/, 'growth is shown');
like($out, qr/Infrastructure tier Medium needed by \d{4}-\d\d-\d\d/, 'and what to do about it, by when');
is_deeply([ glob "$scratch/*" ], [], 'no file is left');
my @left = grep { $_ ne '' } map { my $line = -r $_ ? eval { slurp_file($_) } // '' : ''; $line =~ /\Q$scratch\E/ ? $line : '' } glob '/proc/[0-9]*/cmdline';
is_deeply(\@left, [], 'no process is left');

done_testing();
