# What the TAP tests share: a server that finds the staged extension, and the sample platform.
package CapForecast;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_server load_platform small_platform source_file psql_fails wait_until);

# The runner's settings say where the extension lies; addresses are the test's own.
sub extension_settings
{
	my $settings = slurp_file($ENV{CAPFORECAST_CONF});
	return join "\n", grep { /^\s*(extension|dynamic_library|max_worker|shared_preload|cron\.use)/ } split /\n/, $settings;
}

# Under COVERAGE=1 each server says which routines were called, before it is stopped.
my @nodes;

END
{
	my $status = $?;
	if ($ENV{CAPFORECAST_CALLED})
	{
		open my $file, '>>', $ENV{CAPFORECAST_CALLED} or die $!;
		for my $node (@nodes)
		{
			my ($rc, $databases) = eval { $node->psql('postgres', 'SELECT datname FROM pg_database WHERE datallowconn') };
			next unless defined $rc && $rc == 0;
			for my $database (split /\n/, $databases)
			{
				my ($ok, $names) = $node->psql($database, q{SELECT funcname FROM pg_stat_user_functions WHERE schemaname = 'capforecast'});
				print $file "$names\n" if $ok == 0;
			}
		}
	}
	$? = $status;
}

# new_server(name, with_cron => database, settings => text, init => [options of init]).
sub new_server
{
	my ($name, %option) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--locale=C', '--encoding=UTF8' ], @{ $option{init} || [] });
	my $settings = extension_settings();
	if ($option{with_cron}) { $settings .= "\ncron.database_name = '$option{with_cron}'" }
	else                    { $settings =~ s/^.*(shared_preload|cron\.).*$//mg }
	push @nodes, $node;
	$settings .= "\ntrack_functions = all" if $ENV{CAPFORECAST_CALLED};
	$node->append_conf('postgresql.conf', "$settings\nmax_connections = 130\nautovacuum = off\n" . ($option{settings} || ''));
	$node->start;
	return $node;
}

sub source_file { return "$ENV{CAPFORECAST_SOURCE}/$_[0]" }

# Tables, and one vendor, two products, one member: enough to tell a whole row from a part.
sub small_platform
{
	my ($node, $database) = @_;
	$node->safe_psql($database || 'postgres', slurp_file(source_file('test/platform/schema.sql')) . <<'SQL');
		CREATE EXTENSION IF NOT EXISTS capforecast;
		INSERT INTO vendors (vendor_code, name) VALUES ('a', 'A');
		INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, orders_this_period)
		SELECT id, 'essential', 'active', '2024-01-01', '2024-02-01', 5 FROM vendors;
		INSERT INTO products (vendor_id) SELECT id FROM vendors, generate_series(1, 2);
		INSERT INTO vendor_users (vendor_id, user_id) SELECT id, 1 FROM vendors;
SQL
}

# The sample platform of the demo, of a fixed day.
sub load_platform
{
	my ($node, $database, %variable) = @_;
	my @set = map { ('-v', "$_=$variable{$_}") } sort keys %variable;
	command_ok([ 'psql', '-qXAt', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), @set,
		'-f', source_file('test/platform/schema.sql'), '-f', source_file('test/platform/load.sql') ], 'the sample platform loads')
	  if defined &command_ok;
}

# psql_fails(node, database, statement): what psql says; dies where it succeeds.
sub psql_fails
{
	my ($node, $database, $statement) = @_;
	my ($rc, $out, $err) = $node->psql($database, $statement, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	die "succeeded: $statement" if $rc == 0;
	return $err;
}

# wait_until(node, query): until the query says t.
sub wait_until
{
	my ($node, $query, $database) = @_;
	return $node->poll_query_until($database || 'postgres', $query);
}

1;
