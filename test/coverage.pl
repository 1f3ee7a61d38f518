# What the suites have executed (COVERAGE=1 test/run): lines of C by room, and the routines that nothing has called.
#
#	perl test/coverage.pl BUILD CALLED		in a database with the extension
#
# BUILD holds the objects and gcov's counts, CALLED a name a line of the routines that the servers have counted
# (track_functions). Routines in C are called where gcov says so: input functions, and the parts of aggregates, are
# counted by no server. Nor are routines that the planner puts into the statement that calls them: they are called
# where a routine or a view that is called, or a test, names them.
use strict;
use warnings;
use FindBin;

my ($build, $called_file) = @ARGV;

# --- C

my (%lines, %executed, %entered);
for my $counts (sort map { glob "$build/src/$_" } '*.gcda', '*/*.gcda', '*/*/*.gcda')
{
	(my $source = substr $counts, length("$build/")) =~ s/\.gcda$/.c/;
	(my $folder = $source) =~ s{/[^/]*$}{};
	my ($room) = $source =~ m{^src/(core/(?=\w+/)\w+|plan/rules|\w+)};
	$room = 'capforecast.c' if $folder eq 'src';
	my ($file, $function) = ('', '');
	for (qx{cd '$build' && gcov -n -f -o '$folder' '$source' 2>/dev/null})
	{
		if    (/^Function '(\w+)'/) { ($function, $file) = ($1, '') }
		elsif (/^File '(.*)'/)      { ($function, $file) = ('', $1) }
		elsif (/^Lines executed:([\d.]+)% of (\d+)/)
		{
			if ($function ne '') { $entered{$function} = 1 if $1 > 0 }
			elsif ($file eq $source)
			{
				$lines{$room} += $2;
				$executed{$room} += int($1 * $2 / 100 + 0.5);
			}
			($function, $file) = ('', '');
		}
	}
}
my ($all, $all_executed) = (0, 0);
printf "%-20s %6s %9s %7s\n", 'room', 'lines', 'executed', '%';
for my $room (sort keys %lines)
{
	printf "%-20s %6d %9d %7.1f\n", "src/$room", $lines{$room}, $executed{$room}, 100 * $executed{$room} / $lines{$room};
	$all += $lines{$room};
	$all_executed += $executed{$room};
}
printf "%-20s %6d %9d %7.1f\n", 'all', $all, $all_executed, 100 * $all_executed / ($all || 1);

# --- routines

sub rows { return map { [ split /\x01/, $_, -1 ] } split /\x02/, qx{psql -qXAt -F '\x01' -R '\x02' -c "$_[0]"} }

open my $names, '<', $called_file or die "$called_file: $!";
my %called = map { chomp; $_ => 1 } <$names>;
my %tested;
for my $path (map { glob "$FindBin::Bin/$_" } 'sql/*.sql', 'pgtap/*.sql', 't/*.pl', 'isolation/specs/*.spec')
{
	open my $test, '<', $path or die "$path: $!";
	local $/;
	$tested{$_} = 1 for <$test> =~ /\bcapforecast\.(\w+)/g;
}
my (%body, %inlined);
for (rows(q{SELECT p.proname, l.lanname, p.proconfig IS NULL AND NOT p.prosecdef AND l.lanname = 'sql', coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)
		FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		WHERE p.pronamespace = 'capforecast'::regnamespace AND p.prokind IN ('f', 'p')}))
{
	my ($name, $language, $inline, $source) = @$_;
	chomp $source;
	$body{$name} .= $source;
	$inlined{$name} = 1 if $inline eq 't';
	$called{$name} = 1 if $language eq 'c' && $entered{$source};
}
my $views = join ' ', map { $_->[0] } rows(q{SELECT pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relnamespace = 'capforecast'::regnamespace AND c.relkind = 'v'});
my $more = 1;
while ($more)
{
	my $text = join ' ', $views, map { $body{$_} } grep { $called{$_} } sort keys %body;
	my %named = map { $_ => 1 } $text =~ /\bcapforecast\.(\w+)/g;
	my @found = grep { !$called{$_} && ($named{$_} || $tested{$_}) } keys %inlined;
	@called{@found} = (1) x @found;
	$more = @found;
}
my @never = grep { !$called{$_} } sort keys %body;
printf "%d routines, %d that no test calls%s\n", scalar(keys %body), scalar(@never), @never ? ":\n\t" . join("\n\t", @never) : '';
exit(@never ? 1 : 0);
