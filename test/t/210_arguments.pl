# Every routine of the schema, internals and those to come included, meets arguments that nobody meant for it:
# NULL, infinities, extremes, hostile JSON, arrays, rows, empty and huge text. It answers, or refuses with a
# SQLSTATE that says what is wrong; the server never falls over its own feet (XX000), crashes or hangs.
#
#	CALLS=30000 SEED=7 test/run test/t/210_arguments.pl		more of them, others
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $seed = $ENV{SEED} || 20260101;
my $calls = $ENV{CALLS} || 6000;
note("SEED=$seed CALLS=$calls");

# What a call may end with, by class or by name: all that the functions raise on purpose, and what the server
# raises on its own for values out of a type's range.
my %may = map { $_ => 1 } (
	'08P01',	# a message of the protocol that is cut off
	'0A000',	# a trigger function or a part of an aggregate called by hand
	'21000',	# a registered query that returns several rows
	'22',		# values: NULL, range, date, division, text, JSON
	'23',		# a row that a table refuses
	'25001', '25006', '25P02',	# inside a transaction block; read-only; after a statement of the same call that failed
	'28000',	# the signature of a webhook
	'42',		# names, rights, statements
	'54',		# too large, too deep, too many
	'55',		# not in the state for it
	'58P01',	# a path that is not there
	'P0001', 'P0002',	# a registered query's own word; what is asked for is unknown
);

# To be called with nonsense is not to be tested: these calls do not count as coverage.
delete $ENV{CAPFORECAST_CALLED};
$ENV{GCOV_PREFIX} = "$ENV{TESTDIR}/not_counted";

my $node = new_server('main', settings => "jit = off\nmax_stack_depth = '1MB'\nrestart_after_crash = on\nlog_min_messages = fatal\nlog_min_error_statement = panic\n");

# --- what may be called, and with values of which types

my $hostile_text = [
	q{''}, q{' '}, q{'%s%n$L%I'}, q{'a"b''c; DROP TABLE vendors --'}, q{E'\\\\x00\n\t'}, q{'NULL'}, q{'NaN'}, q{'-1'}, q{'1e400'}, q{'{}'}, q{'[]'},
	q{'null'}, q{'0'}, q{'99999999999999999999'}, q{repeat('x', 200000)}, q{repeat('[', 100000)}, q{repeat('9', 100000)}, q{repeat(' ', 100000)},
	q{'pg_catalog'}, q{'SELECT 1'}, q{'SELECT 1/0'}, q{'2024-02-30'}, q{'infinity'}, q{'on'}, q{'../../etc/passwd'}, q{'x' || chr(1)}, q{U&'\00e9'},
];
my $hostile_json = [
	q{'null'}, q{'{}'}, q{'[]'}, q{'1'}, q{'"x"'}, q{'true'}, q{'-1e100'}, q{'[null]'}, q{'[[[]]]'}, q{'{"": null}'}, q{'{"id": {"id": []}}'},
	q{'[{"a": 1}, 2, null, "x"]'}, q{'{"vendors": -1, "products": "abc", "items": {"data": 7}}'}, q{(repeat('[', 900) || repeat(']', 900))},
	q{('[' || repeat('1,', 20000) || '1]')}, q{('"' || repeat('y', 300000) || '"')}, q{'{"created": 1e17, "type": "x", "data": {"object": null}}'},
	q{'{"amount": 1e400, "quantity": "abc", "livemode": "maybe"}'},
];
my %hostile = (
	boolean  => [ 'true', 'false' ],
	smallint => [ '0', '1', '-1', '32767', '-32768' ],
	integer  => [ '0', '1', '-1', '2', '7', '2147483647', '-2147483648', '1000001' ],
	bigint   => [ '0', '1', '-1', '9223372036854775807', '-9223372036854775808', '4611686018427387904', '86400000000' ],
	real     => [ q{'NaN'}, q{'Infinity'}, q{'-Infinity'}, '0', '-0.0', '1e38', '1e-38' ],
	'double precision' => [ q{'NaN'}, q{'Infinity'}, q{'-Infinity'}, '0', q{'-0'}, '1', '-1', '1e308', '-1e308', '5e-324', '0.5', '1.0000000001', '9007199254740993' ],
	numeric  => [ q{'NaN'}, q{'Infinity'}, q{'-Infinity'}, '0', '-1', '0.5', '1e400', '1e-400', '-1e1000', '9223372036854775808', '12345678901234567890.123456789' ],
	oid      => [ '0', '1', '4294967295', '1259' ],
	date     => [ q{'infinity'}, q{'-infinity'}, q{'4713-01-01 BC'}, q{'5874897-12-31'}, q{'0001-01-01'}, q{'2024-02-29'}, q{'294276-12-31'}, q{'1999-12-31'}, 'current_date', 'current_date + 1' ],
	timestamp => [ q{'infinity'}, q{'-infinity'}, q{'4713-01-01 BC'}, q{'294276-12-31 23:59:59.999999'}, q{'2024-02-29'} ],
	timestamptz => [ q{'infinity'}, q{'-infinity'}, q{'4713-01-01 BC'}, q{'294276-12-31 23:59:59.999999+00'}, q{'2024-02-29'}, q{'1970-01-01'}, q{now() + interval '1 day'}, 'now()', q{now() - interval '10 years'}, q{'0001-01-01 00:00:00+00 BC'} ],
	time     => [ q{'00:00'}, q{'24:00'}, q{'23:59:59.999999'} ],
	interval => [ q{'0'}, q{'-1 day'}, q{'1 microsecond'}, q{'178000000 years'}, q{'-178000000 years'}, q{'1 month'}, q{'31 days'}, q{'2147483647 days'}, q{'1 year -1 day'}, q{'596523 hours'}, q{'-1 month 30 days'} ],
	text     => $hostile_text,
	name     => [ q{''}, q{'x'}, q{repeat('n', 63)::name} ],
	cstring  => [ map { m/^'/ ? $_ : "($_)" } @$hostile_text ],
	bytea    => [ q{''}, q{'\\\\x00'}, q{'\\\\xffffffff'}, q{decode(repeat('7f', 5000), 'hex')}, q{'{"id": 1}'} ],
	jsonb    => $hostile_json,
	json     => $hostile_json,
	regclass => [ '0', '4294967295', q{'pg_class'}, q{'public.vendors'}, q{'pg_class_oid_index'}, q{'capforecast.metrics'}, q{'public.vendors_id_seq'}, q{'capforecast.job_run'} ],
	'"char"' => [ q{'x'}, q{''} ],
	internal => [ 'NULL' ],
	'capforecast.series' => [
		q{'{}'}, q{'2024-01-01+1d{1,2,3}'},
		q{capforecast.series(ARRAY[timestamptz '2024-01-01'], ARRAY[1.0])},
		q{(SELECT capforecast.series_agg(timestamptz '2024-01-01' + g * interval '1 day', g % 7 + g / 10.0) FROM generate_series(1, 90) g)},
		q{(SELECT capforecast.series_agg(timestamptz '2024-01-01' + g * g * interval '1 second', CASE WHEN g % 3 = 0 THEN 1e308 ELSE -1e308 END) FROM generate_series(1, 60) g)},
		q{(SELECT capforecast.series_agg(timestamptz '2024-01-01' + g * interval '1 hour', 5) FROM generate_series(1, 200) g)},
		q{(SELECT capforecast.series_agg(timestamptz '4700-01-01 BC' + g * interval '300 years', g) FROM generate_series(1, 900) g)},
		q{(SELECT capforecast.series_agg(timestamptz '294276-12-31' - g * interval '1 day', CASE WHEN g % 2 = 0 THEN NULL ELSE 5e-324 * g END) FROM generate_series(0, 40) g)},
		q{(SELECT capforecast.series_agg(t, 0) FROM unnest(ARRAY[timestamptz '-infinity', '2024-01-01']) t WHERE isfinite(t))},
	],
);

# Values that get further than the checks of arguments, by name or by type.
my %good_named = (
	metric => [ q{'vendors'}, q{'products'}, q{'orders'}, q{'mine'} ], vendor => [ q{'1'} ], vendor_id => [ q{'1'} ], tier => [ q{'professional'}, q{'essential'} ],
	code => [ q{'essential'} ], entity => [ q{'vendors'}, q{'orders'}, q{'vendor_subscriptions'} ], model => [ q{'auto'}, q{'drift'}, q{'theta'}, q{'ets'} ],
	resource => [ q{'products'}, q{'orders'} ], confidence_level => [ '0.8', '0.95' ], policy => [ q{'expected'}, q{'conservative'} ],
	kind => [ q{'stock'}, q{'flow'} ], query => [ q{'SELECT 1'} ], limit_query => [ q{'SELECT 10'} ], name => [ q{'mine'}, q{'run_forecasts'} ],
	timing => [ q{'now'}, q{'period_end'} ], direction => [ q{'up'}, q{'down'} ], addon => [ q{'more'} ], job => [ q{'run_forecasts'}, q{'raise_alerts'} ],
	relation => [ q{'public.vendors'} ], horizon => [ '14', q{'30 days'} ], request_id => [ q{'r1'} ], status => [ q{'active'} ],
);
my %good = (
	text => [ q{'vendors'}, q{'essential'}, q{'x'} ], integer => [ '1', '30', '12' ], bigint => [ '1', '100', '4900' ], 'double precision' => [ '0.8', '100', '12.5' ],
	numeric => [ '1', '49.00' ], boolean => [ 'true', 'false' ], date => [ 'current_date', 'current_date - 30' ], timestamptz => [ 'NULL', 'now()', q{now() - interval '20 days'} ],
	interval => [ q{'30 days'}, q{'1 month'} ], jsonb => [ q{'{}'}, q{'{"products": 3}'} ], 'capforecast.series' => [ q{(SELECT capforecast.series_agg(now() - (120 - g) * interval '1 day', g + g % 7) FROM generate_series(1, 120) g)} ],
	regclass => [ q{'public.vendors'} ], time => [ q{'00:07'} ],
);

my (%type, @routine);

sub read_catalog
{
	my ($database) = @_;
	%type = ();
	for (split /\n/, $node->safe_psql($database, q{
		SELECT t.oid, format_type(t.oid, NULL), t.typtype, coalesce(e.oid, 0), t.typrelid,
			coalesce((SELECT string_agg(quote_literal(enumlabel), ' ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), ''),
			coalesce((SELECT string_agg(a.atttypid::text, ' ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped), '')
		FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'}))
	{
		my ($oid, $name, $kind, $element, $relation, $labels, $fields) = split /\|/, $_, -1;
		$name =~ s/^timestamp with time zone/timestamptz/;
		$name =~ s/^timestamp without time zone/timestamp/;
		$name =~ s/^time without time zone/time/;
		$type{$oid} = { name => $name, kind => $kind, element => $element, labels => [ split ' ', $labels ], fields => [ split ' ', $fields ] };
	}
	@routine = ();
	for (split /\n/, $node->safe_psql($database, q{
		SELECT p.oid::regproc, p.prokind, p.provolatile, p.pronargdefaults, p.prorettype::regtype, p.proargtypes::text,
			coalesce((SELECT string_agg(coalesce(nullif(n, ''), '?'), ' ' ORDER BY i) FROM unnest(p.proargnames) WITH ORDINALITY n(n, i)
				WHERE p.proargmodes IS NULL OR p.proargmodes[i] IN ('i', 'b', 'v')), '')
		FROM pg_proc p WHERE p.pronamespace = 'capforecast'::regnamespace ORDER BY p.oid::regprocedure::text COLLATE "C"}))
	{
		my ($name, $kind, $volatile, $defaults, $returns, $types, $names) = split /\|/, $_, -1;
		push @routine, { name => $name, kind => $kind, volatile => $volatile, defaults => $defaults, returns => $returns,
			types => [ split ' ', $types ], names => [ split ' ', $names ] };
	}
}

sub one_of { my ($list) = @_; return $list->[ int(rand(@$list)) ] }

# value(type's oid, argument's name, 'null' | 'good' | 'hostile'): an expression of the type.
sub value
{
	my ($oid, $name, $how, $depth) = @_;
	my $type = $type{$oid};
	my $written = $type->{name};
	$depth //= 0;
	if ($written =~ /^any(compatible)?array$/) { return one_of([ 'NULL::int[]', q{'{}'::int[]}, q{ARRAY[1, NULL]}, q{ARRAY['x']} ]) }
	if ($written =~ /^any/ || $written eq 'record' || $written eq 'unknown') { return one_of([ 'NULL::int', '1', q{'x'::text}, q{now()} ]) }
	return "NULL::$written" if $how eq 'null' || $depth > 3 || $written eq 'internal' || $written eq 'trigger' || $written eq 'void';
	if (@{ $type->{labels} })   { return one_of($type->{labels}) . "::$written" }
	if ($type->{kind} eq 'd')   { return "NULL::$written" }
	if ($type->{element})
	{
		my $element = $type{ $type->{element} }{name};
		my $one = sub { my $v = value($type->{element}, $name, $_[0], $depth + 1); return $v };
		return 'ARRAY[' . join(', ', map { $one->('good') } 1 .. 1 + int(rand(4))) . "]::$written" if $how eq 'good';
		return one_of([
			sub { "'{}'::$written" },
			sub { "ARRAY[NULL]::$written" },
			sub { 'ARRAY[' . join(', ', map { $one->(one_of([ 'hostile', 'good', 'null' ])) } 1 .. 1 + int(rand(6))) . "]::$written" },
			sub { "array_fill(" . $one->('good') . ", ARRAY[3], ARRAY[-5])::$written" },
			sub { "array_fill(" . $one->('good') . ", ARRAY[2, 2])::$written" },
			sub { "array_fill(NULL::$element, ARRAY[2000])::$written" },
			sub { "array_fill(" . $one->('hostile') . ", ARRAY[300])::$written" },
		])->();
	}
	if (@{ $type->{fields} })
	{
		return 'ROW(' . join(', ', map { value($_, '', one_of([ 'null', 'good', $how ]), $depth + 1) } @{ $type->{fields} }) . ")::$written";
	}
	my $values = $how eq 'hostile' ? $hostile{$written} : ($good_named{$name} || $good{$written} || $hostile{$written});
	$values = $good{$written} || $hostile{$written} if $how eq 'good' && $good_named{$name} && $written !~ /^(text|name|regclass|double precision|interval|integer|cstring)$/;
	return "NULL::$written" unless $values;
	my $expression = one_of($values);
	if ($name eq 'horizon' && $how eq 'good') { $expression = $written eq 'interval' ? q{'30 days'} : '14' }
	return "($expression)::$written";
}

# statement(routine, [values]): its call.
sub statement
{
	my ($routine, $values) = @_;
	my $list = join ', ', @$values;
	return "CALL $routine->{name}($list);" if $routine->{kind} eq 'p';
	return "SELECT $routine->{name}($list) FROM generate_series(1, 3);" if $routine->{kind} eq 'a';
	return "SELECT * FROM $routine->{name}($list);";
}

# Each routine: all NULL; each argument NULL alone; each hostile alone; then what chance gives, evenly over the routines.
sub generate
{
	my ($number) = @_;
	my (@statement, %again);
	for my $routine (@routine)
	{
		my @types = @{ $routine->{types} };
		my $with = sub {
			my ($how) = @_;
			return statement($routine, [ map { value($types[$_], $routine->{names}[$_] // '', $how->($_)) } 0 .. $#types ]);
		};
		push @statement, $with->(sub { 'null' });
		push @statement, $with->(sub { 'good' }) if @types;
		for my $this (0 .. $#types)
		{
			push @statement, $with->(sub { $_[0] == $this ? 'null' : 'good' }), $with->(sub { $_[0] == $this ? 'hostile' : 'good' });
		}
		$again{ $routine->{name} } = $with;
	}
	my @mixes = values %again ? map { $again{$_} } sort keys %again : ();
	my @rest;
	while (@rest < $number)
	{
		for my $with (@mixes)
		{
			my $odds = one_of([ 0.1, 0.3, 0.6, 1 ]);
			push @rest, $with->(sub { rand() < $odds ? one_of([ 'hostile', 'hostile', 'null' ]) : 'good' });
		}
	}
	return @statement if $number == 0;
	return (@statement, @rest[ 0 .. $number - 1 ]);
}

# run_calls(database, statements): what ended otherwise than it may, each with its statement. After a crash the
# server comes back, and the rest is called, a few times.
sub run_calls
{
	my ($database, @statements) = @_;
	my $file = "$ENV{TESTDIR}/calls.sql";
	my $output = "$ENV{TESTDIR}/calls.out";
	my $connection = $node->connstr($database);
	my ($next, $crashes, @odd, %seen) = (0, 0);
	while ($next < @statements && $crashes < 8)
	{
		open my $script, '>', $file or die $!;
		print $script "\\o /dev/null\nSET client_min_messages = error;\nSET statement_timeout = '30s';\nSET lock_timeout = '5s';\nSET timezone = 'UTC';\n";
		print $script "\\echo call $_\nBEGIN;\n$statements[$_]\nROLLBACK;\n" for $next .. $#statements;
		close $script;
		$node->poll_query_until($database, 'SELECT true') or die 'the server did not come back';
		system qq{PGCLIENTENCODING=UTF8 psql -qXAt -v VERBOSITY=verbose -d '$connection' -f '$file' > '$output' 2>&1};
		my ($now, $lost) = ($next, 0);
		open my $answers, '<', $output or die $!;
		while (<$answers>)
		{
			if (/^call (\d+)$/) { $now = $1 }
			elsif (/(?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/)
			{
				$seen{$1}++;
				push @odd, "$1 " . substr($2, 0, 300) . "\n\t" . substr($statements[$now], 0, 2000) unless $may{$1} || $may{ substr($1, 0, 2) };
			}
			elsif (/server closed the connection|connection to server was lost/) { $lost = 1 }
		}
		if ($lost || $now < $#statements)
		{
			$crashes++;
			push @odd, "the server went away\n\t" . substr($statements[$now], 0, 2000);
		}
		$next = $now + 1;
	}
	note(scalar(@statements) . " calls: " . join ' ', map { "$_ $seen{$_}" } sort keys %seen);
	return @odd;
}

sub fill
{
	my ($database) = @_;
	small_platform($node, $database);
	$node->safe_psql($database, <<'SQL');
		SET capforecast.allow_time_travel = on;
		INSERT INTO vendors (vendor_code, name, created_at) SELECT 'v' || g, 'V', now() - g * interval '1 day' FROM generate_series(1, 60) g;
		INSERT INTO products (vendor_id, created_at) SELECT id, created_at FROM vendors;
		SELECT capforecast.backfill_snapshots((now() - interval '60 days')::date, (now() - interval '1 day')::date);
		SELECT capforecast.capture_daily_snapshot();
		SELECT capforecast.add_metric('mine', 'SELECT 7', limit_value => 10);
		SELECT capforecast.capture_metrics();
SQL
	$node->safe_psql('postgres', "ALTER DATABASE \"$database\" SET capforecast.manage_subscriptions = on");
}

my $encodings = { utf8 => 'UTF8', latin1 => 'LATIN1', ascii => 'SQL_ASCII', euc_jp => 'EUC_JP' };
for my $database (sort keys %$encodings)
{
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 ENCODING '$encodings->{$database}' LOCALE 'C'");
	fill($database);
	pass("the extension is made and used in $encodings->{$database}");
}

srand($seed);
read_catalog('utf8');
cmp_ok(scalar @routine, '>', 200, 'there are routines to call');
my @odd = run_calls('utf8', generate($calls > 2500 ? $calls - 2500 : 0));
is(join("\n", @odd), '', "no call ended otherwise than it may (SEED=$seed)");

# --- the binary form of a series: what comes over the wire may be anything

my @bytes = split /\n/, $node->safe_psql('utf8', q{SELECT encode(capforecast.series_send(s::capforecast.series), 'hex')
	FROM unnest(ARRAY['{}', '{2024-01-01 1}', '{2024-01-01 1, 2024-01-02 nan, 2024-01-03 -inf}', '{-4713-11-24 1, +294276-12-31T23:59:59.999999Z 2}']) s});
mkdir "$ENV{TESTDIR}/binary";
my @copies = ('CREATE TABLE binary_input (s capforecast.series);');
for my $number (1 .. int($calls / 20))
{
	my $form = pack 'H*', one_of(\@bytes);
	for (1 .. 1 + int(rand(3)))
	{
		my $at = int(rand(length($form)));
		my $way = int(rand(4));
		if    ($way == 0) { substr($form, $at, 1) = chr(int(rand(256))) }
		elsif ($way == 1) { substr($form, $at, 1) = chr(one_of([ 0, 127, 128, 255 ])) }
		elsif ($way == 2) { $form = substr($form, 0, $at) }
		else              { substr($form, $at, 0) = substr($form, int(rand(length($form))), 16) }
		last if $form eq '';
	}
	my $path = "$ENV{TESTDIR}/binary/$number";
	open my $file, '>:raw', $path or die $!;
	print $file "PGCOPY\n\377\r\n\0", pack('NN', 0, 0), pack('n', 1), pack('N', length($form)), $form, pack('n', 0xffff);
	close $file;
	push @copies, "COPY binary_input FROM '$path' (FORMAT binary); SELECT s, capforecast.series_send(s), capforecast.n_points(s), capforecast.forecast(s) FROM binary_input;";
}
my $made = shift @copies;
$node->safe_psql('utf8', $made);
@odd = run_calls('utf8', @copies);
is(join("\n", @odd), '', 'malformed binary input is refused, and what is not is a series');

# --- as_of: finite for every public function, and not ahead of the clock for one that writes

sub first_good
{
	my ($type, $name) = @_;
	my $written = $type{$type}{name};
	my $values = $good_named{$name} || $good{$written} || [ 'NULL' ];
	return "($values->[0])::$written";
}

my (@taken, $asked);
for my $routine (grep { $_->{name} !~ /\._/ && grep { $_ eq 'as_of' } @{ $_->{names} } } @routine)
{
	my $required = @{ $routine->{types} } - $routine->{defaults};
	my @given = map { first_good($routine->{types}[$_], $routine->{names}[$_]) } grep { $routine->{names}[$_] ne 'as_of' } 0 .. $required - 1;
	for my $instant (q{'infinity'}, q{'-infinity'}, $routine->{volatile} eq 'v' ? q{now() + interval '1 day'} : ())
	{
		my ($rc, $out, $err) = $node->psql('utf8', "BEGIN; SELECT * FROM $routine->{name}(" . join(', ', @given, "as_of => $instant") . '); ROLLBACK;',
			extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		push @taken, "$routine->{name}(" . join(', ', @given) . ") as of $instant: " . ($err =~ /ERROR:  (.*)/ ? $1 : 'answered') unless $err =~ /ERROR:  22023/;
		$asked++;
	}
}
cmp_ok($asked, '>', 60, 'functions depend on the time');
is(join("\n", @taken), '', 'none takes an infinite as_of, and none that writes one that is ahead of the clock (22023)');

for my $database (grep { $_ ne 'utf8' } sort keys %$encodings)
{
	my @text = map { statement($_, [ map { value($_, '', 'hostile') } @{ $_->{types} } ]) } grep { grep { $type{$_}{name} =~ /text|json|bytea/ } @{ $_->{types} } } @routine;
	@odd = run_calls($database, @text);
	is(join("\n", @odd), '', "nor in $encodings->{$database}");
}
done_testing();
