# The webhook's secret: in no log however it is typed, in no publication, and nobody's but its owner's.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use CapForecast;

my $node = new_server('main', settings => "wal_level = logical\nlog_statement = all\nlog_min_messages = debug5\n");
small_platform($node);
$node->safe_psql('postgres', 'CREATE PUBLICATION everything FOR ALL TABLES');
$node->safe_psql('postgres', q{SELECT pg_create_logical_replication_slot('s', 'test_decoding')});

sub copy
{
	my ($line, @options) = @_;
	my ($out, $err) = ('', '');
	my $rc = IPC::Run::run([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), @options, '-c',
		q{COPY capforecast._secret (secret) FROM STDIN (DELIMITER E'\x01')} ], '<', \$line, '>', \$out, '2>', \$err);
	return $err;
}

# --- as documented, and as people type it

my @typed = ("whsec_plain\n", "  whsec_blanks \n", "stripe_webhook whsec_named\n", "stripe_webhook\twhsec_tab\n", "whsec_many\twords\tto a line\n", "whsec_crlf\r\n");
is(copy($_), '', 'stored: ' . $_ =~ s/\s/ /gr) for @typed;
is($node->safe_psql('postgres', q{SELECT string_agg(replace(capforecast._unseal(secret), E'\t', ' '), ',' ORDER BY ctid) FROM capforecast._secret}),
	'whsec_plain,whsec_blanks,whsec_named,whsec_tab,whsec_many words to a line,whsec_crlf', 'without what was typed around them');
like(copy("\\N\n"), qr/null value/, 'nothing at all is refused');
unlike(slurp_file($node->logfile), qr/whsec_/, 'none is in the log, which has every statement');
is($node->safe_psql('postgres', q{SELECT count(*) FROM capforecast._secret WHERE secret ~ 'whsec|stripe' OR secret !~ '^sealed:'}), '0', 'none is in the table');

# --- what is published

my $changes = $node->safe_psql('postgres', q{SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL)});
like($changes, qr/table capforecast\._secret: INSERT/, 'the rows are published');
unlike($changes, qr/whsec_/, 'but no secret');
$node->safe_psql('postgres', q{DELETE FROM capforecast._secret WHERE capforecast._unseal(secret) <> 'whsec_plain'});
is($node->safe_psql('postgres', 'SELECT count(*) FROM capforecast._secret'), '1', 'a secret that is rotated out can be deleted although it is published');

# --- elsewhere the row is worth nothing

$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION capforecast; ALTER TABLE capforecast._secret DISABLE TRIGGER seal');
my $row = $node->safe_psql('postgres', 'SELECT secret FROM capforecast._secret');
$node->safe_psql('other', "INSERT INTO capforecast._secret (secret) VALUES ('$row')");
is($node->safe_psql('other', 'SELECT capforecast._unseal(secret) IS NULL FROM capforecast._secret'), 't', 'a database with another key cannot open it');
like(psql_fails($node, 'other', q{SELECT capforecast.ingest_stripe_event('{}', 't=1,v1=' || repeat('0', 64))}), qr/55000.*no webhook secret/s, 'and says that it has none');

# --- a role with every grant, and past row-level security

$node->safe_psql('postgres', <<'SQL');
	CREATE ROLE operator BYPASSRLS LOGIN;
	GRANT USAGE ON SCHEMA capforecast TO operator;
	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA capforecast TO operator;
	GRANT USAGE ON ALL SEQUENCES IN SCHEMA capforecast TO operator;
	GRANT EXECUTE ON ALL ROUTINES IN SCHEMA capforecast TO operator;
	REVOKE USAGE ON capforecast._secret_key_a_seq, capforecast._secret_key_b_seq FROM operator;
SQL
unlike($node->safe_psql('postgres', 'SET ROLE operator; SELECT secret FROM capforecast._secret'), qr/whsec/, 'reads no secret');
like(psql_fails($node, 'postgres', 'SET ROLE operator; SELECT capforecast._unseal(secret) FROM capforecast._secret'), qr/42501/, 'nor opens one');
like(psql_fails($node, 'postgres', "SET ROLE operator; INSERT INTO capforecast._secret (secret) VALUES ('mine')"), qr/42501: must be owner/, 'replaces none');
like(psql_fails($node, 'postgres', 'SET ROLE operator; DELETE FROM capforecast._secret'), qr/42501: must be owner/, 'and deletes none');
like(copy("whsec_theirs\n", '-U', 'operator'), qr/must be owner/, 'by COPY either');
unlike(slurp_file($node->logfile), qr/whsec_theirs/, 'which says nothing of the line');
$node->safe_psql('postgres', 'GRANT USAGE ON capforecast._secret_key_a_seq TO operator');
like(psql_fails($node, 'postgres', q{SET ROLE operator; SELECT nextval('capforecast._secret_key_a_seq')}), qr/reached maximum value/, 'nobody changes the key');

# --- the audit log

$node->safe_psql('postgres', q{SET ROLE operator; INSERT INTO capforecast.audit_log (at, operation, actor, effective_role) VALUES ('2001-01-01', 'forged', 'somebody', 'else')});
is($node->safe_psql('postgres', q{SELECT actor = session_user, effective_role, at > now() - interval '1 hour' FROM capforecast.audit_log WHERE operation = 'forged'}),
	't|operator|t', 'an audit row says who wrote it, and when');

done_testing();
