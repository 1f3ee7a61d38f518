# What the README and the pages of docs/ tell people to run, runs, and gives what they print; the
# reference says what the comments say, and has an example of every function.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Basename qw(basename);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my @pages = ('README.md', map { 'docs/' . basename($_) } sort glob source_file('docs/*.md'));
my %page = map { $_ => slurp_file(source_file($_)) } @pages;
my $scratch = PostgreSQL::Test::Utils::tempdir();
my $node = new_server('readme', with_cron => 'postgres');
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
$node->safe_psql('postgres', 'CREATE DATABASE docs');
load_platform($node, 'docs', as_of => '2026-11-25');
command_ok([ 'psql', '-qXAt', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-v', 'as_of=2026-11-25', '-d', 'docs', '-f', source_file('docs/platform.sql') ],
	'the platform of the pages');

# same(shown, file, name): a page and the file that it is made to be; says how they differ.
sub same
{
	my ($shown, $file, $name) = @_;
	my $made = slurp_file($file);
	return ok(1, $name) if $made eq $shown;
	append_to_file("$file.shown", $shown);
	IPC::Run::run([ 'diff', "$file.shown", $file ], '>', \my $difference);
	ok(0, $name) or diag("$difference\ndocs/build makes it anew.");
}

# --- SQL, page by page: each statement runs, and what it prints is what the page shows

mkdir "$scratch/pages" and mkdir "$scratch/pages/docs" or die $!;
append_to_file("$scratch/pages/$_", $page{$_}) for @pages;
my ($told, $trouble) = ('', '');
IPC::Run::run([ $^X, source_file('docs/results.pl'), "$scratch/pages", 'docs' ], '<', \undef, '>', \$told, '2>', \$trouble);
my @results = split /^(?=ok|FAILED)/m, $told;
for my $result (@results)
{
	my ($verdict, $what, $why) = $result =~ /^(ok|FAILED) (.*)\n((?s:.*))/;
	ok($verdict eq 'ok', $what) or diag($why);
}
cmp_ok(scalar @results, '>', 100, 'the pages have SQL') or diag($trouble);
for my $one (@pages)
{
	same($page{$one}, "$scratch/pages/$one", "$one shows what comes out");
}

# --- the reference, and the pictures

IPC::Run::run([ $^X, source_file('docs/reference.pl'), source_file(''), 'docs' ], '<', \undef, '>', "$scratch/reference.md");
same($page{'docs/reference.md'}, "$scratch/reference.md", 'the reference says what the comments say');
is($node->safe_psql('docs', q{SELECT routine FROM capforecast._public_routines() GROUP BY 1 HAVING count(example) <> 1 ORDER BY 1}), '',
	'the comment of every public function ends in an example');

mkdir "$scratch/pictures" or die $!;
command_ok([ 'sh', source_file('docs/pictures.sh'), 'docs', "$scratch/pictures" ], 'the pictures are made');
for my $picture (map { basename($_) } sort glob source_file('docs/pictures/*.svg'))
{
	is(slurp_file("$scratch/pictures/$picture"), slurp_file(source_file("docs/pictures/$picture")), "$picture is the one that is shown");
}
ok(!-e $_ || -s $_ > 20_000, 'the page, too') for "$scratch/pictures/report.png";

# --- what the pages point to is there

for my $one (@pages)
{
	my $folder = $one =~ m{^docs/} ? 'docs/' : '';
	my %here = map { (lc($_) =~ s/[^\w -]//gr =~ s/ /-/gr) => 1 } $page{$one} =~ /^#+ (.*)$/mg;
	my @gone = grep { /^#(.*)/ ? !$here{$1} : !-e source_file($folder . s/#.*//r) } grep { !/^https?:/ } $page{$one} =~ /\]\(([^)\s]+)\)/g;
	is_deeply(\@gone, [], "$one points to what is there");
}

$node->safe_psql('postgres', 'CREATE EXTENSION pg_cron');
load_platform($node, 'postgres', vendors => 30, days => 120);
$node->safe_psql('postgres', q{CREATE EXTENSION capforecast;
	SELECT count(*) FROM capforecast.import_snapshots('capacity_snapshots'); SELECT count(*) FROM capforecast.capture_daily_snapshot()});
my $readme = join '', @page{@pages};

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

my %handled = (
	qr/^test\/demo$/         => sub { ok(-x source_file('test/demo'), 'test/demo is there; 910_demo runs it') },
	qr/^test\/run\b(.*)$/    => sub {
		foreach my $part (split ' ', $_[0])
		{
			ok($part =~ m{/} ? -f source_file($part) : slurp_file(source_file('test/run')) =~ /^suite_$part\(\)|^\t$part\) chosen=/m,
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
	qr/^docs\/build$/       => sub { ok(-x source_file('docs/build'), 'docs/build is there; its parts run above') },
	qr/^test\/(\S+)(?: .*)?$/ => sub { ok(-x source_file("test/$_[0]"), "test/$_[0] is there") },
);
my @order = (qr/^test\/demo$/, qr/^test\/run\b(.*)$/, qr/^(?:sudo )?apt-get install (.*)$/, qr/^make( unit)?$/,
	qr/^(?:sudo )?make install$/, qr/^psql (.*)$/, qr/^docs\/build$/, qr/^test\/(\S+)(?: .*)?$/);

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

# --- the version lives in the control file

my ($version) = slurp_file(source_file('capforecast.control')) =~ /^default_version = '(.*)'/m;
unlike(slurp_file(source_file('META.json.in')), qr/\Q$version\E/, 'META.json is made with the version of the control file');
like(slurp_file(source_file($_->[0])), $_->[1], "$_->[0] is of the version of the control file")
  for [ 'CHANGELOG.md', qr/\A# Changelog\n\n## \Q$version\E\b/ ], [ 'debian/changelog', qr/\Acapforecast \(\Q$version\E\)/ ],
  [ 'packaging/capforecast.spec', qr/^Version: +\Q$version\E$/m ];

done_testing();
