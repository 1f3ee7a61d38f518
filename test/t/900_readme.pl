# What the README tells people to run, runs; and it names every function they may call.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $readme = slurp_file(source_file('README.md'));
my $node = new_server('readme', with_cron => 'postgres');
load_platform($node, 'postgres');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_cron; CREATE EXTENSION capforecast');

# --- SQL, block by block, in the order in which it stands there

my $n = 0;
while ($readme =~ /^```sql\n(.*?)^```/gms)
{
	my $block = $1 =~ s{\byourdb\b}{postgres}gr;
	my ($first) = $block =~ /^(?!--)(\S.*)$/m;
	my ($rc, $out, $err) = $node->psql('postgres', $block, on_error_stop => 1);
	is($rc, 0, 'SQL ' . ++$n . ": $first") or diag($err);
}
cmp_ok($n, '>', 5, 'the README has SQL');

# --- Python

my $socket = $node->host;
my $port = $node->port;
while ($readme =~ /^```python\n(.*?)^```/gms)
{
	my $program = $1;
	my ($library) = $program =~ /^(?:import|from) (\w+)/m;
	my $preamble = "DSN = 'host=$socket port=$port dbname=postgres user=" . getpwuid($<) . "'\n"
	  . "URL = 'postgresql+psycopg2://" . getpwuid($<) . "\@/postgres?host=$socket&port=$port'\n";
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ '/usr/bin/python3', '-c', $preamble . $program ], '<', \undef, '>', \$out, '2>', \$err);
	ok($ok && $out ne '', "Python: $library prints an answer") or diag($err);
}

# --- the shell: every command is known here, so that a new one gets a test

my $scratch = PostgreSQL::Test::Utils::tempdir();
my %handled = (
	qr/^test\/demo$/         => sub { ok(-x source_file('test/demo'), 'test/demo is there; 910_demo runs it') },
	qr/^test\/run\b(.*)$/    => sub {
		foreach my $part (split ' ', $_[0])
		{
			ok($part =~ m{/} ? -f source_file($part) : slurp_file(source_file('test/run')) =~ /^suite_$part\(\)/m,
				"test/run takes $part");
		}
	},
	qr/^(?:sudo )?apt-get install (.*)$/ => sub { like($_[0], qr/\bpostgresql-server-dev-all\b/, 'the headers of PostgreSQL are installed') },
	qr/^make( unit)?$/       => sub { run_make() },
	qr/^(?:sudo )?make install$/ => sub { run_make('install', "DESTDIR=$scratch/stage") },
	qr/^psql (.*)$/          => sub {
		my ($command) = $_[0] =~ /-c '(.*)'$/;
		$node->safe_psql('postgres', 'DROP EXTENSION capforecast') if $command =~ /^CREATE EXTENSION/;
		my ($rc, $out, $err) = $node->psql('postgres', $command, on_error_stop => 1);
		is($rc, 0, "psql: $command") or diag($err);
	},
	qr/^test\/(\S+)(?: .*)?$/ => sub { ok(-x source_file("test/$_[0]"), "test/$_[0] is there") },
);
my @order = (qr/^test\/demo$/, qr/^test\/run\b(.*)$/, qr/^(?:sudo )?apt-get install (.*)$/, qr/^make( unit)?$/,
	qr/^(?:sudo )?make install$/, qr/^psql (.*)$/, qr/^test\/(\S+)(?: .*)?$/);

sub run_make
{
	my ($out, $err) = ('', '');
	ok(IPC::Run::run([ 'make', '-s', '-C', source_file(''), "PG_CONFIG=$ENV{PG_CONFIG}", 'with_llvm=no', @_ ],
			'<', \undef, '>', \$out, '2>', \$err), "make @_") or diag($err);
}

while ($readme =~ /^```sh\n(.*?)^```/gms)
{
	foreach my $line (split /\n/, $1)
	{
		$line =~ s/\s+#.*//;
		next if $line eq '';
		my ($pattern) = grep { $line =~ $_ } @order;
		if (!defined $pattern) { fail("a test runs: $line"); next }
		$line =~ $pattern;
		$handled{$pattern}->(defined $1 ? $1 : '');
	}
}

# --- the reference is complete

my $public = $node->safe_psql('postgres', q{
	SELECT DISTINCT proname FROM pg_proc p
	WHERE pronamespace = 'capforecast'::regnamespace AND proname NOT LIKE '\_%'
	  AND prorettype NOT IN ('trigger'::regtype) AND proname NOT IN ('series_in', 'series_out', 'series_recv', 'series_send')
	ORDER BY 1});
my @missing = grep { $readme !~ /`$_\b/ } split /\n/, $public;
is_deeply(\@missing, [], 'every public function stands in the README');

# --- the version lives in the control file

my ($version) = slurp_file(source_file('capforecast.control')) =~ /^default_version = '(.*)'/m;
my %stated = map { $_ => 1 } slurp_file(source_file('META.json')) =~ /"version": "([\d.]+)",?\n(?!\s*"url")/g;
is_deeply([ sort keys %stated ], [$version], 'META.json states the version of the control file');

done_testing();
