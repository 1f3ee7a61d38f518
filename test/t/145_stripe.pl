# Stripe where it takes a crash, another encoding, or a time limit.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Digest::SHA qw(hmac_sha256_hex);
use JSON::PP;
use CapForecast;

my $node = new_server('main', settings => "restart_after_crash = on\nfsync = on\n");
small_platform($node);
$node->safe_psql('postgres', <<'SQL');
	INSERT INTO capforecast._secret (secret) VALUES ('whsec_test');
	UPDATE vendor_subscriptions SET stripe_subscription_id = 'sub_1', stripe_customer_id = 'cus_1';
	UPDATE subscription_tiers SET stripe_price_monthly_id = 'price_' || code;
SQL
my $vendor = $node->safe_psql('postgres', 'SELECT id FROM vendors');

# The body goes as hexadecimal: what psql and the client's encoding would make of it is not the point.
sub webhook
{
	my ($database, $body, $secret) = @_;
	my $now = time;
	my $signature = "t=$now,v1=" . hmac_sha256_hex("$now.$body", $secret // 'whsec_test');
	return sprintf "SELECT outcome FROM capforecast.ingest_stripe_event(decode('%s', 'hex'), '%s')", unpack('H*', $body), $signature;
}
my $n = 0;

sub event
{
	my (%object) = @_;
	$n++;
	return JSON::PP->new->utf8->canonical->encode({ id => "evt_$n", type => 'customer.subscription.updated', created => time + $n - 100, livemode => JSON::PP::true,
			data => { object => { id => 'sub_1', customer => 'cus_1', status => 'active', current_period_start => time - 86400, current_period_end => time + 20 * 86400, %object } } });
}
sub items { return (items => { data => [ { id => 'si_1', price => { id => "price_$_[0]" }, quantity => 1 } ] }) }

is($node->safe_psql('postgres', webhook('postgres', event(items('essential')))), 'accepted', 'an event');

# --- the application, or the server, dies between taking a request and answering

$node->safe_psql('postgres', "SELECT capforecast.change_tier('$vendor', 'professional')");
my $take = "SELECT idempotency_key || ' ' || payload FROM capforecast.take_outbox()";
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN');
my $first = $session->query_safe($take);
like($first, qr/^change_tier:.*price_professional/, 'a request is handed out');
$node->stop('immediate');
eval { $session->quit };
$node->start;
is($node->safe_psql('postgres', 'SELECT status, attempts FROM capforecast.stripe_outbox'), 'pending|0', 'killed before the hand-out was committed: nobody has it');
my $taken = $node->safe_psql('postgres', $take);
is($taken, $first, 'so it is handed out');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'SELECT status, attempts FROM capforecast.stripe_outbox'), 'taken|1', 'killed after it: somebody may have sent it');
is($node->safe_psql('postgres', $take), '', 'and it is nobody else\'s for a while');
like(psql_fails($node, 'postgres', "SELECT capforecast.change_tier('$vendor', 'business')"), qr/55000.*change_in_flight/s, 'nor can it be replaced');
is($node->safe_psql('postgres', "UPDATE capforecast.stripe_outbox SET taken_at = taken_at - interval '15 minutes'; $take"), $taken, 'after 15 minutes it is handed out again, the same to the letter');
is($node->safe_psql('postgres', webhook('postgres', event(items('professional')))), 'accepted', "Stripe's data");
is($node->safe_psql('postgres', 'SELECT o.status, o.attempts, s.tier FROM capforecast.stripe_outbox o, vendor_subscriptions s'), 'confirmed|2|professional', 'confirms it, whoever sent it');

# --- other encodings: what they have no character for is kept as its escape, and never refused

for my $encoding ('LATIN1', 'SQL_ASCII', 'EUC_JP', 'WIN1252')
{
	my $name = lc $encoding;
	$node->safe_psql('postgres', "CREATE DATABASE $name ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	small_platform($node, $name);
	$node->safe_psql($name, <<'SQL');
		INSERT INTO capforecast._secret (secret) VALUES ('whsec_test');
		UPDATE vendor_subscriptions SET stripe_subscription_id = 'sub_1', stripe_customer_id = 'cus_1';
SQL
	my %name_of = (
		'e with acute, raw'       => qq("caf\xc3\xa9"),
		'e with acute, escaped'   => '"caf\u00e9"',
		'kanji, raw'              => qq("\xe6\x97\xa5\xe6\x9c\xac"),
		'kanji, escaped'          => '"\u65e5\u672c"',
		'beyond the first plane'  => qq("\xf0\x9f\x98\x80 \\ud83d\\ude00"),
		'zero, and half a pair'   => '"\u0000 \ud800"',
		'a backslash before it'   => '"\\\\u65e5"',
	);
	my %kept;
	for my $what (sort keys %name_of)
	{
		my $body = event(items('essential'), metadata => { shop => 'HERE' });
		$body =~ s/"HERE"/$name_of{$what}/;
		is($node->safe_psql($name, webhook($name, $body)), 'accepted', "$encoding: $what");
		$kept{$what} = $node->safe_psql($name, "SELECT encode(convert_to(payload #>> '{data,object,metadata,shop}', '$encoding'), 'hex') FROM capforecast.stripe_event WHERE event_id = 'evt_$n'");
	}
	my $hex = sub { unpack 'H*', $_[0] };
	is($kept{'e with acute, raw'}, $kept{'e with acute, escaped'}, "$encoding: raw and escaped are one");
	is($kept{'kanji, raw'}, $kept{'kanji, escaped'}, "$encoding: raw and escaped are one");
	is($kept{'e with acute, raw'}, $hex->($encoding eq 'SQL_ASCII' ? 'caf\u00e9' : $encoding eq 'EUC_JP' ? "caf\x8f\xab\xb1" : "caf\xe9"), "$encoding: e with acute");
	is($kept{'kanji, raw'}, $hex->($encoding eq 'EUC_JP' ? "\xc6\xfc\xcb\xdc" : '\u65e5\u672c'), "$encoding: kanji");
	is($kept{'beyond the first plane'}, $hex->('\ud83d\ude00 \ud83d\ude00'), "$encoding: a character that it does not have");
	is($kept{'zero, and half a pair'}, $hex->('\u0000 \ud800'), "$encoding: what jsonb refuses");
	is($kept{'a backslash before it'}, $hex->('\u65e5'), "$encoding: a backslash is no escape");
	like(psql_fails($node, $name, webhook($name, "{\"id\": \"\xff\"}")), qr/22023.*bad_body/s, "$encoding: what is no UTF-8 is refused");
}

# --- a large body is refused before it is read, and the signature of a large one can be cancelled

like(psql_fails($node, 'postgres', "SELECT capforecast.ingest_stripe_event(convert_to(repeat('x', 5000000), 'UTF8'), 't=1,v1=' || repeat('0', 64))"), qr/22023.*body_too_large/s, 'a large body');
like(psql_fails($node, 'postgres', "SET statement_timeout = '20ms'; SELECT capforecast._stripe_signature(convert_to(repeat('x', 200000000), 'UTF8'), 't=' || extract(epoch FROM now())::bigint || ',v1=' || repeat('0', 64), now())"),
	qr/57014/, 'a signature can be cancelled');

# --- a reader: no verdict on signatures, no secret

$node->safe_psql('postgres', 'CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA capforecast TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA capforecast TO reader');
like(psql_fails($node, 'postgres', "SET ROLE reader; SELECT capforecast._stripe_signature('', 't=1,v1=0', now())"), qr/42501/, 'a reader gets no verdict on a signature');
like(psql_fails($node, 'postgres', "SET ROLE reader; SELECT * FROM capforecast.take_outbox()"), qr/42501/, 'and takes no requests');

$node->stop;
done_testing();
