# Alerts reach people: the listener of dashboards/ against a real HTTP server and an SMTP sink.
# Killed between taking and settling, it delivers again; a receiver that drops ids gets each once.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Spec;
use IO::Socket::INET;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $scratch = File::Spec->rel2abs($PostgreSQL::Test::Utils::tmp_check);
my $node = new_server('main');
$node->safe_psql('postgres', q{
	CREATE EXTENSION capforecast;
	CREATE ROLE courier LOGIN;
	GRANT USAGE ON SCHEMA capforecast TO courier;
	GRANT SELECT, UPDATE ON capforecast.alert_outbox TO courier;
	GRANT EXECUTE ON FUNCTION capforecast.take_alerts, capforecast.settle_alert TO courier});

# --- receivers: each writes what it gets, a line a message

my ($http_port, $smtp_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1, 2;
append_to_file("$scratch/receiver.py", <<'PY');
import http.server, json, os, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        with open(sys.argv[2], 'a') as log:
            log.write(json.dumps({'path': self.path, 'id': self.headers['Idempotency-Key'], 'body': body}) + '\n')
        if self.path == '/hang': time.sleep(600)
        self.send_response(500 if self.path == '/broken' else 200)
        self.end_headers()
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
PY
my $http = IPC::Run::start([ '/usr/bin/python3', "$scratch/receiver.py", $http_port, "$scratch/http.log" ]);
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $smtp_port, Listen => 5, ReuseAddr => 1) or die "no port: $!";
my $smtp = fork // die;
if ($smtp == 0)
{
	while (my $client = $listener->accept)
	{
		my ($in_data, $mail) = (0, '');
		print $client "220 sink\r\n";
		while (my $line = <$client>)
		{
			if ($in_data)
			{
				if ($line =~ /^\.\r?$/) { append_to_file("$scratch/mail.log", $mail . "=====\n"); $in_data = 0; print $client "250 ok\r\n" }
				else                    { $mail .= $line =~ s/\r//r }
			}
			elsif ($line =~ /^DATA/i) { ($in_data, $mail) = (1, ''); print $client "354 go on\r\n" }
			elsif ($line =~ /^QUIT/i) { print $client "221 bye\r\n"; last }
			else                      { print $client "250 ok\r\n" }
		}
		close $client;
	}
	require POSIX;
	POSIX::_exit(0);
}

sub courier { return ('/usr/bin/python3', source_file('dashboards/deliver_alerts.py'), '--dsn', $node->connstr('postgres') . ' user=courier', @_) }
sub deliver { my ($out, $err) = ('', ''); IPC::Run::run([ courier('--once', @_) ], '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(60)); return $err }
sub posted { return -e "$scratch/http.log" ? map { decode_json($_) } split /\n/, slurp_file("$scratch/http.log") : () }
sub n_posted { return scalar(my @all = posted()) }
sub queue { return $node->safe_psql('postgres', q{SELECT capforecast._queue_alert(jsonb_build_object('event', 'new', 'alert_id', i, 'metric', 'disk', 'limit_kind', 'own', 'severity', 'critical',
	'reason', 'disk at 9' || i || ' of 100 ' || chr(8364), 'opened_at', now(), 'as_of', now())) FROM generate_series(1, } . $_[0] . ') i') }
sub open_messages { return $node->safe_psql('postgres', "SELECT count(*) FROM capforecast.alert_outbox WHERE channel = '$_[0]' AND sent_at IS NULL") }
for (1 .. 100) { last if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$http_port"); select undef, undef, undef, 0.1 }

# --- each channel

queue(3);
is(deliver('--webhook', "http://127.0.0.1:$http_port/hook", '--alertmanager', "http://127.0.0.1:$http_port/am",
		'--smtp', "127.0.0.1:$smtp_port", '--mail-from', 'db@example.com', '--mail-to', 'ops@example.com'), '', 'delivered without a complaint');
is(open_messages($_), '0', "$_: all settled") for 'webhook', 'mail', 'alertmanager';
my @hook = grep { $_->{path} eq '/hook' } posted();
is(join(' ', map { $_->{body}{alert_id} } @hook), '1 2 3', 'the webhook got each, in order');
like($hook[0]{body}{reason}, qr/^disk at 91 of 100 \x{20ac}$/, 'with its words');
my ($am) = grep { $_->{path} eq '/am' } posted();
is($am->{body}[0]{labels}{alertname}, 'CapacityLimit', 'Alertmanager got what it takes');
my $mail = slurp_file("$scratch/mail.log");
is(scalar(() = $mail =~ /^Subject: \[CRITICAL\] postgres: disk$/mg), 3, 'three mails, with a subject');
like($mail, qr/^Message-ID: <capforecast-\d+\@example.com>$/m, 'and an id');

# --- refused: told, and tried again a minute later

queue(1);
like(deliver('--webhook', "http://127.0.0.1:$http_port/broken"), qr/webhook \d+: HTTP Error 500/, 'what is refused is said');
is(deliver('--webhook', "http://127.0.0.1:$http_port/hook"), '', 'and not tried again at once');
is(open_messages('webhook'), '1', 'it waits');
$node->safe_psql('postgres', q{UPDATE capforecast.alert_outbox SET taken_at = taken_at - interval '1 minute' WHERE channel = 'webhook'});
deliver('--webhook', "http://127.0.0.1:$http_port/hook");
is(open_messages('webhook'), '0', 'a minute later it is delivered');

# --- killed while it delivers; two couriers at once; each is received once by who drops what it has seen

my $before = n_posted();
queue(5);
my $killed = IPC::Run::start([ courier('--webhook', "http://127.0.0.1:$http_port/hang") ], '2>', \my $complaint);
for (1 .. 300) { last if n_posted() > $before; $killed->pump_nb; select undef, undef, undef, 0.1 }
$killed->signal('KILL');
eval { $killed->finish };
is(open_messages('webhook'), '5', 'nothing is settled that was not delivered');
$node->safe_psql('postgres', q{UPDATE capforecast.alert_outbox SET taken_at = taken_at - interval '15 minutes' WHERE channel = 'webhook' AND sent_at IS NULL});
my @couriers = map { IPC::Run::start([ courier('--once', '--no-listen', '--webhook', "http://127.0.0.1:$http_port/hook") ]) } 1, 2;
$_->finish for @couriers;
is(open_messages('webhook'), '0', 'the next courier delivers them');
my @all = (posted())[ $before .. n_posted() - 1 ];
my %seen;
$seen{ $_->{id} }++ for @all;
is(scalar keys %seen, 5, 'five ids, of five messages');
is(scalar(grep { $_ > 1 } values %seen), 1, 'one of them twice: that which was on its way');

# --- woken by NOTIFY, long before the next look

my $waiting = IPC::Run::start([ courier('--every', '600', '--webhook', "http://127.0.0.1:$http_port/hook") ], '2>', \my $said);
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'courier' AND query LIKE '%take_alerts%' AND state = 'idle'}), 'a courier waits');
$before = n_posted();
$node->safe_psql('postgres', q{SELECT pg_notify('capforecast', '{}'), capforecast._queue_alert('{"event": "new", "alert_id": 9, "metric": "m", "severity": "warning", "reason": "r"}')});
for (1 .. 300) { last if n_posted() > $before; $waiting->pump_nb; select undef, undef, undef, 0.1 }
cmp_ok(n_posted(), '>', $before, 'it is woken by the notification');
$waiting->signal('TERM');
eval { $waiting->finish };
$http->signal('KILL');
eval { $http->finish };
kill 'KILL', $smtp;
waitpid $smtp, 0;
done_testing();
