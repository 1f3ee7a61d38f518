# The reference: every public function, table and setting, from the comments of the extension.
#
#   perl docs/reference.pl SOURCE DATABASE > docs/reference.md
#
# SOURCE is the checkout (which room a function belongs to), DATABASE has the extension.
use strict;
use warnings;
use utf8;
binmode STDOUT, ':utf8';

my ($source, $database) = @ARGV;
my @sections = (
	[ 'Capture', 'Counting the day, its history, and your own metrics.', qw(host capture) ],
	[ 'Series and forecasts', 'Where a function takes a series, the name of a metric will do for those that have a form with `metric`.', qw(series forecast) ],
	[ 'Plans', 'Limits, dates, costs, alerts.', qw(plan) ],
	[ 'Subscriptions', 'Periods, trials, changes, Stripe.', qw(subscription) ],
	[ 'Report', 'Reads that make pages, pictures and feeds.', qw(report) ],
	[ 'Running it', 'Jobs, health, access, help.', qw(common run jobs) ]);

my %room;
for my $file (sort glob "$source/sql/*/*.sql")
{
	my ($room) = $file =~ m{/sql/(\w+)/};
	next if $room eq 'upgrade';
	open my $sql, '<:utf8', $file or die "$file: $!\n";
	while (<$sql>)
	{
		$room{$2} //= $room if /^CREATE (?:FUNCTION|PROCEDURE|AGGREGATE|TABLE|VIEW) (?:IF NOT EXISTS )?(capforecast\.)(\w+)/;
	}
}

# Rows of a query, fields by name, as JSON.
sub rows
{
	my ($query) = @_;
	my $pid = open my $out, '-|', 'psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', "SELECT to_json(r) FROM ($query) r";
	my @rows = map { decode($_) } <$out>;
	close $out or die "psql failed\n";
	return @rows;
}
sub decode { require JSON::PP; return JSON::PP->new->utf8->decode($_[0]) }

my @routines = rows('SELECT * FROM capforecast._public_routines()');
my @relations = rows(q{SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS about, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END AS kind,
	(SELECT json_agg(json_build_array(a.attname, capforecast._short_types(format_type(a.atttypid, a.atttypmod)), coalesce(col_description(c.oid, a.attnum), '')) ORDER BY a.attnum)
	 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
	FROM pg_class c WHERE c.relnamespace = 'capforecast'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND c.relname !~ '^_' ORDER BY 1});

print <<'M';
# Reference

Made from the comments in the source by `docs/build`; in psql the same is said by `SELECT capforecast.help('forecast')`, and
`\df capforecast.[a-z]*` lists the functions. What begins with an underscore is not for callers.

Functions take named arguments; only those without a default are required. Days are UTC, money is in minor units (`_cents`) with a
currency, `_percent` is of 100, `_ratio` of 1, NULL is unknown or unlimited. `as_of` is the instant that counts as now (NULL: the clock, read
once); it must be finite, and not in the future where the function writes. Errors are given by SQLSTATE and, where one has several causes,
the word in the error's constraint name. *Writes* means that a role needs a grant, see `grant_access()`.

M
for my $section (@sections)
{
	my ($title, $words, @rooms) = @$section;
	my %here = map { $_ => 1 } @rooms;
	my @names = do { my %seen; grep { $here{ $room{$_} // die "no room has $_\n" } && !$seen{$_}++ } map { $_->{routine} } @routines };
	print "## $title\n\n$words\n\n", join(' · ', map { "[$_](#$_)" } @names), "\n\n";
	for my $name (@names)
	{
		my @forms = grep { $_->{routine} eq $name } @routines;
		print "### $name\n\n";
		for my $form (@forms)
		{
			print "```\n", broken($form->{signature}), "\n```\n\n", text($form->{about}), "\n\n";
			print 'Returns ', text($form->{result}), ".\n\n" if defined $form->{result} && $form->{result} ne 'void';
		}
		print "*Writes.*\n\n" if grep { $_->{is_writer} } @forms;
		print "```sql\n$_->{example}\n```\n\n" for grep { defined $_->{example} } @forms;
	}
}
print "## Tables and views\n\n", join(' · ', map { "[$_->{name}](#table-$_->{name})" } @relations), "\n\n";
for my $relation (@relations)
{
	print "### Table $relation->{name}\n\n", text($relation->{about}), $relation->{kind} eq 'view' ? " (A view.)" : '', "\n\n| column | type | |\n|---|---|---|\n";
	print "| `$_->[0]` | $_->[1] | ", text($_->[2]) =~ s/\|/\\|/gr, " |\n" for @{ $relation->{columns} };
	print "\n";
}

# Comments are plain text: what Markdown would take for itself is escaped.
sub text { my ($words) = @_; $words =~ s/([*<>\[\]`\\]|(?<!\w)_|_(?!\w))/\\$1/g; return $words }

# In lines of about 100 characters, at commas.
sub broken
{
	my ($line) = @_;
	$line =~ s/(.{1,96},) /$1\n    /g if length $line > 100;
	return $line;
}
