# What applications connect with: psycopg 3 (text and binary), psycopg2 by SQLAlchemy, asyncpg, each directly and
# through pgbouncer in transaction mode. Six calls each: a document, rows, a date, a composite, a write, a job.
# JDBC, node-postgres and pgx need a runtime that is larger than all the rest of the suite's packages: not here.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Spec;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $scratch = File::Spec->rel2abs($PostgreSQL::Test::Utils::tmp_check);
my $tools = $ENV{CAPFORECAST_TOOLS} || '/nonexistent';
my $node = new_server('main');
small_platform($node);
$node->safe_psql('postgres', q{
	SELECT capforecast.capture_daily_snapshot();
	INSERT INTO capforecast.own_metric (metric, kind, floor, direction) VALUES ('asked', 'stock', 0, 'up');
	INSERT INTO capforecast.metric_value (metric, day, value) SELECT 'asked', current_date - g, 1000 - 5 * g FROM generate_series(0, 99) g});
my $user = $node->safe_psql('postgres', 'SELECT current_user');

# --- what they ask: the statement, and its parameters by number

my @asked = (
	[ q{SELECT length(capforecast.growth_trends_json($1)::text)}, 30 ],
	[ q{SELECT count(*)::integer FROM capforecast.forecast($1, horizon => $2) WHERE status = 'ok'}, 'asked', 14 ],
	[ q{SELECT (t.breach_date - current_date)::integer FROM capforecast.time_to_threshold($1::text, $2::float8, '400 days') t}, 'asked', 1500 ],
	[ q{SELECT (capforecast.check_limit($1, $2)).reason}, '1', 'products' ],
	[ q{SELECT total_products::integer FROM capforecast.capture_daily_snapshot($1::boolean)}, 'true' ]);
my $expected = decode_json($node->safe_psql('postgres', q{SELECT jsonb_build_array(
	length(capforecast.growth_trends_json(30)::text),
	(SELECT count(*) FROM capforecast.forecast('asked', horizon => 14) WHERE status = 'ok'),
	(SELECT t.breach_date - current_date FROM capforecast.time_to_threshold('asked', 1500, '400 days') t),
	(capforecast.check_limit('1', 'products')).reason, (SELECT count(*) FROM products))}));
is(scalar(grep { defined } @$expected), 5, 'psql has an answer to each');
cmp_ok($expected->[2], '>', 50, 'and a date that lies ahead');

append_to_file("$scratch/asked.json", encode_json(\@asked));
append_to_file("$scratch/ask.py", <<'PY');
import json, re, sys
driver, host, port, user, asked = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], json.load(open(sys.argv[5]))
dsn = f"host={host} port={port} user={user} dbname=postgres"
answers = []
def styled(sql): return re.sub(r'\$\d', '%s', sql.replace('%', '%%'))
if driver.startswith('psycopg'):
    import psycopg
    with psycopg.connect(dsn, prepare_threshold=None) as db:
        for sql, *values in asked:
            # a text parameter is sent as such, not as unknown: integers and texts name the function
            answers.append(db.cursor(binary=driver.endswith('binary')).execute(styled(sql), values).fetchone()[0])
            db.commit()
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as db:
        db.execute('CALL capforecast.run_maintenance()')
elif driver == 'sqlalchemy':
    from sqlalchemy import create_engine, text
    engine = create_engine(f"postgresql+psycopg2://{user}@/postgres?host={host}&port={port}")
    with engine.connect() as db:
        for sql, *values in asked:
            named = re.sub(r'\$(\d)', r':v\1', re.sub(r'(\$\d)::(\w+)', r'CAST(\1 AS \2)', sql))
            answers.append(db.execute(text(named), {f'v{i + 1}': v for i, v in enumerate(values)}).scalar())
    with engine.connect().execution_options(isolation_level='AUTOCOMMIT') as db:
        db.execute(text('CALL capforecast.run_maintenance()'))
else:
    import asyncio, asyncpg
    async def ask():
        db = await asyncpg.connect(host=host, port=port, user=user, database='postgres', statement_cache_size=0)
        for sql, *values in asked:
            answers.append(await db.fetchval(sql, *[True if v == 'true' else v for v in values]))
        await db.execute('CALL capforecast.run_maintenance()')
        await db.close()
    asyncio.run(ask())
print(json.dumps(answers, default=lambda v: v.decode() if isinstance(v, bytes) else float(v)))
PY

# --- directly, and pooled

my %way = (directly => [ $node->host, $node->port ]);
$ENV{LD_LIBRARY_PATH} = join ':', glob("$tools/usr/lib/*-linux-gnu"), $ENV{LD_LIBRARY_PATH} || ();
$ENV{PYTHONPATH} = "$tools/usr/lib/python3/dist-packages";
my $pool;
if (-x "$tools/usr/sbin/pgbouncer" && run_log([ "$tools/usr/sbin/pgbouncer", '--version' ]))
{
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	append_to_file("$scratch/pool.ini", sprintf <<'INI', $node->host, $node->port, $user, $port, $scratch);
[databases]
postgres = host=%s port=%s user=%s dbname=postgres
[pgbouncer]
pool_mode = transaction
default_pool_size = 2
auth_type = any
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
logfile = %s/pool.log
ignore_startup_parameters = extra_float_digits
INI
	$pool = IPC::Run::start([ "$tools/usr/sbin/pgbouncer", '-q', "$scratch/pool.ini" ], '<', \undef, '>&', "$scratch/pool.out");
	$way{pooled} = [ '127.0.0.1', $port ];
	my $is_there;
	for (1 .. 100)
	{
		$is_there = IPC::Run::run([ 'psql', '-XAtq', '-h', '127.0.0.1', '-p', $port, '-U', $user, '-d', 'postgres', '-c', 'SELECT 1' ], '>', \my $out, '2>', \my $err);
		last if $is_there;
		select undef, undef, undef, 0.1;
	}
	ok($is_there, 'the pool is there');
}

for my $driver ('psycopg', 'psycopg binary', 'sqlalchemy', 'asyncpg')
{
	my ($module) = $driver =~ /^(\w+)/;
	for my $way ('directly', 'pooled')
	{
	  SKIP: {
			skip "$driver is not here", 1 unless IPC::Run::run([ '/usr/bin/python3', '-c', "import $module" ], '>', \my $nothing, '2>', \my $why);
			skip 'pgbouncer is not here', 1 unless $way{$way};
			IPC::Run::run([ '/usr/bin/python3', "$scratch/ask.py", $driver, @{ $way{$way} }, $user, "$scratch/asked.json" ], '<', \undef, '>', \my $out, '2>', \my $err);
			is_deeply(eval { decode_json($out) }, $expected, "$driver, $way") or diag($err);
		}
	}
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM capforecast.job_health() WHERE last_status = 'failed'}), 0, 'the jobs that they called ran');
done_testing;

END { local $?; $pool->kill_kill if $pool }
