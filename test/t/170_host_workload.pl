# Thirty-two clients of the host, of Stripe's outbox and of the jobs at once on the same rows: orders
# are counted, whole rows saved again, tiers and add-ons changed, invoices paid, vendors signed up, while
# windows roll, drafts are written, requests are taken and confirmed. In the end no increment is lost,
# no time is drafted twice, nobody has run into a deadlock or an error.
#
#	WORKLOAD_SECONDS=180 test/run test/t/170_host_workload.pl		the long form: test/bench/workload
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CapForecast;

my $seconds = $ENV{WORKLOAD_SECONDS} || 5;
my $vendors = 600;
my $node = new_server('main', settings => "log_lock_waits = on\nwal_level = replica\n");
plan skip_all => 'pgbench is not installed' if system_log('pgbench', '--version') != 0;

$node->safe_psql('postgres', slurp_file(source_file('test/platform/schema.sql')) . <<"SQL");
	CREATE EXTENSION capforecast;
	ALTER DATABASE postgres SET capforecast.manage_subscriptions = on;
	ALTER DATABASE postgres SET capforecast.stripe_livemode = off;
	ALTER DATABASE postgres SET timezone = 'UTC';
	UPDATE subscription_tiers SET stripe_price_monthly_id = 'price_' || code;
	INSERT INTO addon_products (code, name, category, price_cents) VALUES ('seat', 'Seat', 'x', 700);
	UPDATE addon_products SET stripe_price_id = 'price_' || code;
	-- a third of the periods are over, the others end while this runs, or soon after; every tenth is Stripe's
	INSERT INTO vendors (id, vendor_code, name) SELECT n, 'v' || n, 'V' || n FROM generate_series(1, $vendors) n;
	INSERT INTO vendor_subscriptions (id, vendor_id, tier, status, period_start, period_end, stripe_subscription_id, stripe_customer_id)
	SELECT n, n, (ARRAY['essential', 'professional', 'business'])[1 + n % 3], 'active', e - interval '1 month', e,
		CASE WHEN n % 10 = 0 THEN 'sub_' || n END, CASE WHEN n % 10 = 0 THEN 'cus_' || n END
	FROM generate_series(1, $vendors) n, LATERAL (SELECT now() + CASE WHEN n % 10 = 0 THEN interval '20 days' ELSE (n % 101 - 33) / 67.0 * interval '$seconds seconds' END) x(e);
	SELECT setval('vendors_id_seq', 10000), setval('vendor_subscriptions_id_seq', 10000);
	CREATE SCHEMA stripe;
	CREATE TABLE stripe.subscriptions (id text PRIMARY KEY, customer text, status text, items jsonb, cancel_at_period_end boolean, livemode boolean, last_synced_at timestamptz);
	INSERT INTO stripe.subscriptions SELECT stripe_subscription_id, stripe_customer_id, 'active',
		jsonb_build_object('data', jsonb_build_array(jsonb_build_object('id', 'si_' || id, 'price', 'price_' || tier, 'quantity', 1,
			'current_period_start', extract(epoch FROM period_start)::bigint, 'current_period_end', extract(epoch FROM period_end)::bigint))),
		false, false, now() FROM vendor_subscriptions WHERE stripe_subscription_id IS NOT NULL;

	-- What the host does. The row first, then the order, so that its time is not before what it waited for.
	CREATE PROCEDURE checkout(v bigint) LANGUAGE plpgsql AS \$\$
	BEGIN
		UPDATE vendor_subscriptions SET orders_this_period = orders_this_period + 1 WHERE vendor_id = v;
		INSERT INTO orders (vendor_id, created_at) VALUES (v, clock_timestamp());
	END \$\$;
	CREATE PROCEDURE save_old(v bigint) LANGUAGE plpgsql AS \$\$		-- an ORM: read, think, write all columns
	DECLARE s vendor_subscriptions;
	BEGIN
		SELECT * INTO s FROM vendor_subscriptions x WHERE x.vendor_id = v;
		PERFORM pg_sleep(random() * 0.03);
		UPDATE vendor_subscriptions x SET (tier, status, is_annual, period_start, period_end, orders_this_period, cancel_at_period_end)
			= (s.tier, s.status, s.is_annual, s.period_start, s.period_end, s.orders_this_period, s.cancel_at_period_end) WHERE x.vendor_id = v;
	END \$\$;
	CREATE PROCEDURE ask(v bigint, what integer) LANGUAGE plpgsql AS \$\$
	DECLARE tier text := (ARRAY['essential', 'professional', 'business', 'enterprise'])[1 + floor(random() * 4)::integer];
	BEGIN
		CASE what
			WHEN 0 THEN PERFORM capforecast.change_tier(v::text, tier, ack_over_limit => true);
			WHEN 1 THEN PERFORM capforecast.purchase_addon(v::text, 'seat');
			WHEN 2 THEN PERFORM capforecast.cancel_addon(v::text, 'seat', timing => 'immediate');
			WHEN 3 THEN PERFORM capforecast.usage_summary(v::text);
			ELSE PERFORM capforecast.quote_tier_change(v::text, tier);
		END CASE;
	EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL;		-- a request on its way, no such add-on
	END \$\$;
	CREATE PROCEDURE sign_up() LANGUAGE sql AS \$\$
		WITH v AS (INSERT INTO vendors (vendor_code, name) VALUES (gen_random_uuid(), 'new') RETURNING id)
		INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end)
		SELECT id, 'essential', 'active', now() + interval '1 second' - interval '1 month', now() + interval '1 second' FROM v
	\$\$;
	CREATE PROCEDURE pay() LANGUAGE sql AS \$\$
		UPDATE billing_history SET status = 'paid' WHERE id IN (SELECT id FROM billing_history WHERE status = 'draft' ORDER BY random() LIMIT 3 FOR UPDATE SKIP LOCKED)
	\$\$;
	-- The application takes requests, Stripe does them, its mirror shows it.
	CREATE PROCEDURE work_outbox() LANGUAGE plpgsql AS \$\$
	DECLARE o capforecast.stripe_outbox;
	BEGIN
		FOR o IN SELECT * FROM capforecast.take_outbox(3) LOOP
			UPDATE stripe.subscriptions s SET last_synced_at = clock_timestamp(), items = jsonb_build_object('data',
				(SELECT jsonb_agg(coalesce((SELECT old FROM jsonb_array_elements(s.items -> 'data') old WHERE old -> 'id' = i -> 'id'), s.items #> '{data,0}')
					|| jsonb_build_object('id', coalesce(i ->> 'id', 'si_new_' || o.id)) || (i - 'id'))
				 FROM jsonb_array_elements(o.payload -> 'items') i WHERE NOT i ? 'deleted'))
			WHERE s.id = o.payload ->> 'subscription' AND o.payload ? 'items';
			PERFORM capforecast.settle_outbox(o.id, true);
		END LOOP;
	END \$\$;
SQL

my $folder = PostgreSQL::Test::Utils::tempdir();
my %script = (
	'checkout@10' => '\set n random(1, 600)' . "\nCALL checkout(CASE WHEN :n % 4 = 0 THEN :n - 1 ELSE :n END);\n",
	'save_old@4' => '\set n random(1, 150)' . "\nCALL save_old(:n * 4);\n",
	'ask@6' => '\set n random(1, 600)' . "\n" . '\set what random(0, 4)' . "\nCALL ask(:n, :what);\n",
	'pay@1' => "CALL pay();\n",
	'sign_up@1' => "CALL sign_up();\n",
	'work_outbox@2' => "CALL work_outbox();\n");
my %job = map { ("$_\@1" => "CALL capforecast.run_job('$_');\n\\sleep 20 ms\n") }
  qw(reset_period_counters sync_stripe_status check_trial_expirations cleanup_stale_subscriptions);

sub start_clients
{
	my ($clients, %scripts) = @_;
	my @files;
	for my $name (sort keys %scripts)
	{
		my ($file, $weight) = split /@/, $name;
		append_to_file("$folder/$file.sql", $scripts{$name});
		push @files, '-f', "$folder/$file.sql\@$weight";
	}
	my %run = (out => '', err => '');
	$run{harness} = IPC::Run::start([ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', $clients, '-j', 2, '-T', $seconds, @files, 'postgres' ],
		'<', \undef, '>', \$run{out}, '2>', \$run{err});
	return \%run;
}
my %clients = (host => start_clients(28, %script), jobs => start_clients(4, %job));
for my $who (sort keys %clients)
{
	IPC::Run::finish($clients{$who}{harness});
	unlike($clients{$who}{err}, qr/aborted|ERROR/, "$who: nobody fails") or diag $clients{$who}{err};
	like($clients{$who}{out}, qr/number of failed transactions: 0 /, "$who: nor is refused to another's favour") or diag $clients{$who}{out};
	note join ', ', $clients{$who}{out} =~ /^(number of transactions actually.*|tps.*)$/mg;
}
my $log = slurp_file($node->logfile);
unlike($log, qr/deadlock detected/, 'no deadlock');
unlike($log, qr/ERROR:/, 'no error at all');

# What was under way is done: sales that have come in since are counted, the last boundaries rolled.
$node->safe_psql('postgres', "CALL capforecast.run_job('$_')") for qw(sync_stripe_status reset_period_counters);
sub value { return $node->safe_psql('postgres', $_[0]) }
my $of_subscription = q{substring(b.description FROM 'Subscription (\d+)')};
cmp_ok(value('SELECT count(*) FROM orders'), '>', 100, '(orders came)');
cmp_ok(value('SELECT count(*) FROM capforecast.period_ledger'), '>', 150, '(windows rolled)');
cmp_ok(value("SELECT count(*) FROM capforecast.audit_log WHERE operation = 'change_tier'"), '>', 10, '(tiers changed)');
cmp_ok(value("SELECT count(*) FROM capforecast.stripe_outbox WHERE status = 'confirmed'"), '>', 0, '(requests were confirmed)');
is(value(q{SELECT string_agg(format('%s: counter %s, orders %s', d.vendor_id, d.counter, d.recount), ', ') FROM capforecast.order_counter_differences() d WHERE d.vendor_id::bigint % 4 <> 0}),
	'', 'no increment is lost: each counter is the orders of its window');
is(value(q{SELECT string_agg(s.vendor_id || ': ' || o.n || ' orders, ' || s.orders_this_period + l.n || ' counted', ', ') FROM vendor_subscriptions s
	CROSS JOIN LATERAL (SELECT count(*) AS n FROM orders o WHERE o.vendor_id = s.vendor_id) o
	CROSS JOIN LATERAL (SELECT coalesce(sum(l.orders_recount), 0) AS n FROM capforecast.period_ledger l WHERE l.subscription_id = s.id::text) l
	WHERE s.vendor_id % 4 <> 0 AND o.n <> s.orders_this_period + l.n}), '', 'nor is one in two windows');
is(value(qq{SELECT string_agg(concat_ws(' ', $of_subscription, b.period_start, b.period_end), ', ') FROM billing_history b JOIN billing_history c
	ON c.vendor_id = b.vendor_id AND c.id > b.id AND c.period_start < b.period_end AND c.period_end > b.period_start}), '', 'no time is drafted twice');
is(value(q{SELECT count(*) FROM billing_history b WHERE b.subtotal_cents <> (SELECT sum((l ->> 'amount_cents')::bigint) FROM jsonb_array_elements(b.line_items) l WHERE l ->> 'kind' <> 'credit')}),
	'0', 'each draft is the sum of its lines');
is(value(q{SELECT count(*) FROM (SELECT l ->> 'item' FROM billing_history b, jsonb_array_elements(b.line_items) l WHERE l ? 'item' GROUP BY 1 HAVING count(*) > 1) x}),
	'0', 'no item is on two');
is(value(q{SELECT string_agg(s.id::text, ', ') FROM vendor_subscriptions s JOIN capforecast.subscription_state st ON st.subscription_id = s.id::text
	WHERE st.billed_until < s.period_end OR st.billed_until <> (SELECT max(p.ends) FROM capforecast.billed_period p WHERE p.subscription_id = st.subscription_id)
		OR (s.period_start, s.period_end) <> (st.period_start, st.period_end)}), '', 'all is billed, and the books say so');
is(value(q{SELECT string_agg(DISTINCT code, ', ') FROM capforecast.finding WHERE code NOT IN ('period_moved_back', 'period_gap', 'anchor_moved')}), '', 'nothing to look at but what the host has moved back');
is(value(q{SELECT string_agg(DISTINCT job || ' ' || status, ', ') FROM capforecast.job_run WHERE status NOT IN ('ok', 'already_running')}), '', 'every run is settled');

$node->stop;
done_testing();
