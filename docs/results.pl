# Runs what README.md and the pages of docs/ tell people to run, each page in a database of
# its own, and puts what comes out where a page prints it.
#
#   perl docs/results.pl FOLDER TEMPLATE [PAGE...]
#
# FOLDER holds README.md and docs/; TEMPLATE is a database made by docs/platform.sql; PGHOST
# and so on name the server. Blocks ```sql run. A block that begins with "=> " is a statement
# and its result, which is replaced. Statements see the platform on its day: functions get
# "as_of", now() is that day's noon. What the reference shows is undone each time. Prints each statement and "ok" or its error; fails if one did.
use strict;
use warnings;
use IPC::Open3;
use Symbol 'gensym';

my ($folder, $template, @pages) = @ARGV;
die "usage: $0 FOLDER TEMPLATE [PAGE...]\n" unless defined $template;
@pages = ('README.md', map { substr $_, 1 + length $folder } sort glob "$folder/docs/*.md") unless @pages;
my $noon = '2026-11-25 12:00+00';

# psql's answer and its complaint.
sub psql
{
	my ($database, $input, @option) = @_;
	local $ENV{PGTZ} = 'UTC';
	local $ENV{PGDATESTYLE} = 'ISO';
	local $ENV{PGOPTIONS} = '-c capforecast.allow_time_travel=on';
	my $pid = open3(my $in, my $out, my $err = gensym, 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $database, @option);
	binmode $_, ':utf8' for $in, $out, $err;
	print $in $input;
	close $in;
	my $answer = do { local $/; <$out> } // '';
	my $complaint = do { local $/; <$err> } // '';
	waitpid $pid, 0;
	return ($answer, $complaint, $? == 0);
}

# What looks at the clock whatever it is told, or shows when it was run.
my %clocked = map { $_ => 1 } qw(doctor job_health);
my ($names, $trouble, $ok) = psql($template, q{SELECT DISTINCT proname FROM pg_proc
	WHERE pronamespace = 'capforecast'::regnamespace AND 'as_of' = ANY (proargnames) AND proname NOT LIKE '\_%'}, '-At');
die $trouble unless $ok;
my %timed = map { $_ => 1 } grep { !$clocked{$_} } split /\n/, $names;

# on_the_day(text): as_of in every call that takes one, and the day in place of the clock.
sub on_the_day
{
	my ($text) = @_;
	my $call = qr/\bcapforecast\.(\w+)(\((?:[^()']++|'(?:[^']|'')*+'|(?2))*+\))/;
	$text =~ s/$call/
		my ($name, $inside) = ($1, $2);
		my $arguments = on_the_day($inside);
		$arguments =~ s{\s*\)$}{($arguments =~ m{^\(\s*\)$} ? '' : ', ') . "as_of => '$noon')"}e if $timed{$name} && $arguments !~ m{\bas_of\s*=>};
		"capforecast.$name$arguments"/gex;
	$text =~ s/\bnow\(\)/timestamptz '$noon'/g;
	$text =~ s/\bcurrent_date\b/timestamptz '$noon'::date/g;
	return $text;
}

my $failed = 0;
sub told
{
	my ($page, $statement, $complaint, $ok) = @_;
	my ($first) = $statement =~ /^(?!--)(\S.*)$/m;
	print $ok ? 'ok' : 'FAILED', " $page: $first\n", $ok ? '' : $complaint;
	$failed++ unless $ok;
}

for my $page (@pages)
{
	open my $file, '<:utf8', "$folder/$page" or die "$page: $!\n";
	my $text = do { local $/; <$file> };
	close $file;
	(my $database = lc "page_$page") =~ s/\W/_/g;
	my (undef, $complaint, $made) = psql('postgres', "DROP DATABASE IF EXISTS $database;\nCREATE DATABASE $database TEMPLATE $template;\n");
	die $complaint unless $made;
	$text =~ s{^```(\w*)\n(.*?)^```}{
		my ($language, $block) = ($1, $2);
		if ($language eq 'sql')
		{
			my $input = on_the_day($block =~ s/\byourdb\b/$database/gr);
			$input = "BEGIN;\n${input}ROLLBACK;\n" if $page =~ /reference/ && $block !~ /^CALL/;
			my ($out, $complaint, $ok) = psql($database, $input, '-o', '/dev/null');
			told($page, $block, $complaint, $ok);
		}
		elsif ($language eq '' && $block =~ /^=> (.*?;)$/ms)
		{
			my $statement = $1;
			my ($out, $complaint, $ok) = psql($database, on_the_day($statement =~ s/^   //gmr), '-P', 'footer=off');
			told($page, $statement, $complaint, $ok);
			# A sentence, not a table.
			if ($out =~ /^.{160}/m && $out !~ /\|/)
			{
				($out) = psql($database, on_the_day($statement), '-At');
				$out =~ s/(.{1,116})(?:\s+|$)/ $1\n/g;
			}
			$out =~ s/[ \n]+\z//;
			$out =~ s/ +$//mg;
			$block = "=> $statement\n\n$out\n" if $ok;
		}
		"```$language\n$block```"}gmse;
	psql('postgres', "DROP DATABASE $database;\nDROP ROLE IF EXISTS operator, dashboard, application;\n");
	open $file, '>:utf8', "$folder/$page" or die "$page: $!\n";
	print $file $text;
	close $file;
}
exit($failed ? 1 : 0);
