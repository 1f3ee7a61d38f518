# Rooms use those before them, in C and in SQL; the Makefile says in which order they stand.
use strict;
use warnings;
use FindBin;
use Test::More;

my $root = $ENV{CAPFORECAST_SOURCE} || "$FindBin::Bin/../..";

sub text_of
{
	my ($path) = @_;
	open my $file, '<', "$root/$path" or die "$path: $!";
	local $/;
	return scalar <$file>;
}

sub files { return map { substr $_, length("$root/") } sort map { glob "$root/$_" } @_ }

my $makefile = text_of('Makefile');
my %list;
for my $name ('ROOMS', 'PURE')
{
	$makefile =~ /^$name\s*=\s*(.*)$/m or die "no $name in the Makefile";
	$list{$name} = [ split ' ', $1 ];
}
my @rooms = @{ $list{ROOMS} };
my @core = grep { m{^src/core} } @{ $list{PURE} };
my %pure = map { $_ => 1 } @{ $list{PURE} };

# A folder's place in the order: the core, room by room, then the rooms, each after what of it is pure.
my (%place, @order);
@order = @core;
for my $room (@rooms)
{
	push @order, (grep { m{^src/\Q$room\E/} } @{ $list{PURE} }), "src/$room";
}
@place{@order} = (0 .. $#order);

# Passes where the list is empty, and shows what is in it.
sub none { my ($found, $name) = @_; is(join("\n", @$found), "", $name) }

sub folder_of { my ($path) = @_; $path =~ s{/[^/]*$}{}; return $path }

# --- C: an include never points upwards, what is pure includes the language's own headers, and no file is in a circle

my %own_header = map { $_ => 1 } qw(math.h stddef.h stdint.h stdbool.h string.h float.h limits.h stdio.h stdlib.h);
my (%includes, @upwards, @impure, @homeless, @unfound);
my @sources = files('src/*.[ch]', 'src/*/*.[ch]', 'src/*/*/*.[ch]');
cmp_ok(scalar @sources, '>', 100, 'the source is where it is looked for');
for my $path (@sources)
{
	my $folder = folder_of($path);
	next if $folder eq 'src';
	push @homeless, $path unless exists $place{$folder};
	for my $include (text_of($path) =~ /^\s*#\s*include\s*[<"]([^>"]+)[>"]/mg)
	{
		if ($include =~ m{^(?:core|@{[ join '|', @rooms ]})/} && -f "$root/src/$include")
		{
			push @{ $includes{$path} }, "src/$include";
			my $target = folder_of("src/$include");
			push @upwards, "$path includes $include"
			  if ($place{$target} // -1) > ($place{$folder} // -1) || ($pure{$folder} && !$pure{$target});
		}
		elsif ($pure{$folder} && !$own_header{$include}) { push @impure, "$path includes $include" }
		elsif ($include =~ m{^(?:\.|cf_)} || -f "$root/" . folder_of($path) . "/$include") { push @unfound, "$path includes $include" }
	}
}
none(\@homeless, 'every source file is in a room that the Makefile names');
none(\@upwards, 'no include points upwards');
none(\@impure, 'what is pure includes nothing of the server');
none(\@unfound, 'includes of our own are written in full below src');

my (%state, @circles);

sub walk
{
	my ($path, @way) = @_;
	return if ($state{$path} // '') eq 'done';
	if (($state{$path} // '') eq 'open') { push @circles, join ' > ', @way, $path; return }
	$state{$path} = 'open';
	walk($_, @way, $path) for @{ $includes{$path} || [] };
	$state{$path} = 'done';
}
walk($_) for sort keys %includes;
none(\@circles, 'no header includes itself by way of others');

# Rooms beside each other in the core: not even by two files that include each other's header.
my %uses;
for my $path (sort keys %includes)
{
	(my $module = $path) =~ s/\.[ch]$//;
	for my $target (@{ $includes{$path} })
	{
		(my $other = $target) =~ s/\.h$//;
		$uses{$module}{$other} = 1 if $other ne $module;
	}
}
my @mutual;
for my $module (sort keys %uses)
{
	push @mutual, map { "$module and $_" } grep { $module lt $_ && $uses{$_}{$module} } sort keys %{ $uses{$module} };
}
none(\@mutual, 'no two modules include each other');

# --- SQL: what a piece names stands in it or before it

my @pieces = map { files("sql/$_/*.sql") } @rooms;
cmp_ok(scalar @pieces, '>', 30, 'the pieces are where they are looked for');

# Statements without comments, and without what is text for a reader: COMMENT ON, messages, hints.
sub code_of
{
	my ($path) = @_;
	my $text = text_of($path);
	$text =~ s/^\s*--.*$//mg;
	$text =~ s/\s--\s.*$//mg;
	$text =~ s/^COMMENT ON .*?(?:'|NULL);\s*$//msg;
	return $text;
}

my (%defined_in, %code);
for my $number (0 .. $#pieces)
{
	my $code = $code{$pieces[$number]} = code_of($pieces[$number]);
	while ($code =~ /^CREATE (?:UNIQUE |CONSTRAINT )?(?:FUNCTION|PROCEDURE|AGGREGATE|TABLE|VIEW|TYPE|SEQUENCE|DOMAIN) capforecast\.(\w+)/mg)
	{
		$defined_in{$1} //= $number;
	}
}
cmp_ok(scalar keys %defined_in, '>', 200, 'the pieces define what they are known to define');

my @later;
for my $number (0 .. $#pieces)
{
	my %seen;
	my $code = $code{$pieces[$number]};

	# A sentence that names a statement to the operator runs nothing.
	$code =~ s{<(pre|code)>.*?</\1>}{}g;
	$code =~ s/\b(?:HINT|DETAIL|MESSAGE|ERRCODE)\s*=\s*(?:pg_catalog\.)?(?:format\s*\(\s*)?(?:'(?:[^']|'')*'\s*)+//gi;
	while ($code =~ /\bcapforecast\.(\w+)/g)
	{
		next unless exists $defined_in{$1};
		push @later, "$pieces[$number] names $1 of $pieces[$defined_in{$1}]" if $defined_in{$1} > $number && !$seen{$1}++;
	}
}
none(\@later, 'no piece names what stands after it');

# --- between the two: a routine's C is not above its room, and C runs no SQL of a room above its own

my %rank = map { $rooms[$_] => $_ } 0 .. $#rooms;
my %room_of_symbol;
for my $path (grep { m{^src/(\w+)/.*\.c$} } @sources)
{
	my ($room) = $path =~ m{^src/(\w+)/};
	$room_of_symbol{$_} = $room for text_of($path) =~ /PG_FUNCTION_INFO_V1\((\w+)\)/g;
}
my (@above, @unknown, %declared);
for my $number (0 .. $#pieces)
{
	my ($room) = $pieces[$number] =~ m{^sql/(\w+)/};
	while ($code{$pieces[$number]} =~ /AS 'MODULE_PATHNAME'(?:, '(\w+)')?/g)
	{
		my $symbol = $1 // next;
		$declared{$symbol} = 1;
		push @unknown, "$pieces[$number]: $symbol" unless exists $room_of_symbol{$symbol};
		push @above, "$pieces[$number]: $symbol of src/$room_of_symbol{$symbol}"
		  if $rank{ $room_of_symbol{$symbol} // $room } > $rank{$room};
	}
}
none(\@unknown, 'every C function that SQL declares is there');
none(\@above, 'no routine is declared below the room of its C');
none([ grep { !$declared{$_} } sort keys %room_of_symbol ], 'every C function that is exported is declared in SQL');

my @sql_above;
for my $path (grep { m{^src/(?!core)\w+/} } @sources)
{
	my ($room) = $path =~ m{^src/(\w+)/};
	my $code = text_of($path);
	$code =~ s{/\*.*?\*/}{}gs;
	$code =~ s/\b(?:errhint|errmsg|errdetail)(?:_plural)?\s*\((?:[^()"]|"(?:[^"\\]|\\.)*"|\([^()]*\))*\)//g;
	my %seen;
	while ($code =~ /(?<!of )\bcapforecast\.(\w+)/g)	# "with the columns of ..." is a sentence
	{
		my $name = $1;
		next unless exists $defined_in{$name};
		my ($of) = $pieces[$defined_in{$name}] =~ m{^sql/(\w+)/};
		push @sql_above, "$path names $name of sql/$of" if $rank{$of} > $rank{$room} && !$seen{$name}++;
	}
}
none(\@sql_above, 'C names no SQL of a room above its own');

# --- an SQL script of another version does not make C read past an array (common/row.h)

my @unchecked = grep { $_ ne 'src/common/row.c' && text_of($_) =~ /InitMaterializedSRF|get_call_result_type/ && text_of($_) !~ /\brow_check\(/ } @sources;
none(\@unchecked, 'rows are filled after a look at how many columns they have');

# --- nothing that is not used

my $everything = join "\n", values %code, map { text_of($_) } @sources, files('test/sql/*.sql', 'test/pgtap/*.sql', 'test/t/*.pl');
$everything =~ s/^CREATE (?:FUNCTION|PROCEDURE) capforecast\.\w+//mg;
my %words;
$words{$_}++ for $everything =~ /\b(_\w+)\b/g;
my @unused = grep { /^_/ && !$words{$_} } sort keys %defined_in;
none(\@unused, 'every internal routine, table and type is named by something');

# --- every database encoding can hold what is installed, and what is said

my @not_ascii = grep { text_of($_) =~ /[^\x00-\x7f]/ } 'capforecast.control', 'sql/header.sql', 'sql/privileges.sql', @pieces,
  files('sql/upgrade/begin.sql', 'sql/upgrade/end.sql', 'sql/upgrade/*/*.sql');
none(\@not_ascii, 'what goes into a script is ASCII');
my @said;
for my $path (grep { $_ ne 'src/series/series_sparkline.c' } @sources)	# which looks at the encoding itself
{
	my $code = text_of($path);
	$code =~ s{/\*.*?\*/}{}gs;
	push @said, $path if $code =~ /[^\x00-\x7f]/;
}
none(\@said, 'what C says is ASCII');

done_testing();
