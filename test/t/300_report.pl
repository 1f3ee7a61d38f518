# The report in a real browser: at three widths, light and dark, in each state. No error, no
# request, nothing wider than the window, names that stay text, and what assistive technology needs.
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

my ($browser) = grep { -x } map { ("/usr/bin/$_", "/usr/local/bin/$_", "/snap/bin/$_") } 'chromium', 'chromium-browser', 'google-chrome';
plan skip_all => 'there is no Chromium here' unless $browser;

my $scratch = File::Spec->rel2abs($PostgreSQL::Test::Utils::tmp_check);
my $node = new_server('main');

# --- pages: nothing there, one day, over its limits with hostile names, the sample platform with an import

$node->safe_psql('postgres', 'CREATE EXTENSION capforecast');
my %page = (empty => report());
$node->safe_psql('postgres', slurp_file(source_file('test/platform/schema.sql')) . q{
	INSERT INTO vendors (vendor_code, name) SELECT 'v' || i, repeat('<img src=x onerror="document.title=''hacked''">', 3) || '&"' || i FROM generate_series(1, 130) i;
	INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end) SELECT id, 'essential', 'active', now(), now() + interval '1 month' FROM vendors;
	INSERT INTO products (vendor_id) SELECT id FROM vendors, generate_series(1, 20)});
$node->safe_psql('postgres', q{SELECT count(*) FROM capforecast.capture_daily_snapshot(); SELECT count(*) FROM capforecast.capture_vendor_usage(); SELECT capforecast.look_at_vendors()});
$page{'one day'} = report();
$node->safe_psql('postgres', q{INSERT INTO products (vendor_id) SELECT id FROM vendors, generate_series(1, 300);
	SELECT capforecast.use_infrastructure_tier('Small'); SELECT count(*) FROM capforecast.capture_daily_snapshot(refresh => true)});
$page{over} = report(title => q{<script>document.title="hacked"</script>});
$node->safe_psql('postgres', 'CREATE DATABASE sample');
load_platform($node, 'sample', days => 300);
$node->safe_psql('sample', q{
	CREATE EXTENSION capforecast;
	SELECT count(*) FROM capforecast.backfill_snapshots(current_date - 280, current_date - 1);
	UPDATE capforecast.capacity_snapshots SET total_products = total_products + 4000 WHERE snapshot_date > current_date - 60;
	INSERT INTO products (vendor_id) SELECT 1 FROM generate_series(1, 4000);
	SELECT count(*) FROM capforecast.capture_daily_snapshot();
	SELECT count(*) FROM capforecast.capture_vendor_usage();
	SELECT capforecast.look_at_vendors()});
$page{sample} = report_of('sample');

sub report { return report_of('postgres', @_) }
sub report_of
{
	my ($database, %argument) = @_;
	my $title = defined $argument{title} ? q{title => $t$} . $argument{title} . q{$t$} : '';
	return $node->safe_psql($database, "SELECT capforecast.capacity_report($title)");
}

# What the page is like once it is shown, written into it by a script that only the test adds.
my $probe = <<'HTML';
<script>
window.problems = [];
addEventListener('error', e => problems.push(e.message || 'a resource failed'), true);
addEventListener('load', () => {
	const all = [...document.querySelectorAll('body *')], shown = all.filter(e => e.getClientRects().length && !e.closest('.skip, caption, .hidden, svg'));
	const ids = all.map(e => e.id).filter(Boolean);
	const name = e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40);
	const luminance = c => { const v = c.match(/[\d.]+/g).slice(0, 3).map(x => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4 }); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
	const back = luminance(getComputedStyle(document.body).backgroundColor);
	const contrast = e => { const l = luminance(getComputedStyle(e).color); return (Math.max(l, back) + .05) / (Math.min(l, back) + .05) };
	const result = {
		problems, title: document.title,
		requests: performance.getEntriesByType('resource').map(r => r.name),
		overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
		wide: shown.filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(name),
		twice: ids.filter((x, i) => ids.indexOf(x) !== i),
		h1: document.querySelectorAll('h1').length, main: document.querySelectorAll('main').length,
		unnamed: [...document.querySelectorAll('svg')].filter(s => !s.closest('[aria-hidden]') && !(s.getAttribute('aria-labelledby') || '').split(' ').every(i => i && document.getElementById(i))).length,
		tables: [...document.querySelectorAll('table')].filter(t => !t.caption || !t.tHead || [...t.querySelectorAll('th')].some(h => !h.scope)).length,
		sections: [...document.querySelectorAll('section')].filter(s => !document.getElementById(s.getAttribute('aria-labelledby'))).length,
		links: [...document.querySelectorAll('a')].filter(a => !document.querySelector(a.getAttribute('href'))).length,
		images: document.images.length,
		faint: shown.filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && contrast(e) < 4.5).map(name),
		background: getComputedStyle(document.body).backgroundColor,
		charts: document.querySelectorAll('svg.chart[role=img]').length,
		doubled: [...document.querySelectorAll('figure')].filter(f => [...f.querySelectorAll('svg.chart[role=img]')].filter(s => s.getClientRects().length).length !== 1).length,
		empty: [...document.querySelectorAll('svg.chart[role=img]')].filter(s => !s.querySelector('path.h, rect.cb')).length,
	};
	const out = document.createElement('pre');
	out.id = 'probe';
	out.textContent = JSON.stringify(result);
	document.body.append(out);
});
</script>
HTML

sub look
{
	my ($state, $width, $scheme) = @_;
	(my $name = "$state-$width-$scheme") =~ s/\W/-/g;
	my $html = $page{$state};
	$html =~ s/<head>/<head>$probe/;
	my $file = "$scratch/$name.html";
	append_to_file($file, $html);
	my ($out, $err);
	IPC::Run::run([ $browser, qw(--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-dev-shm-usage --disable-background-networking
		--disable-component-update --disable-sync --hide-scrollbars --virtual-time-budget=3000), "--user-data-dir=$scratch/browser-$name",
		"--window-size=$width,2000", '--blink-settings=preferredColorScheme=' . ($scheme eq 'dark' ? 0 : 1), '--enable-logging=stderr', '--dump-dom', "file://$file" ],
		'<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(120));
	my ($found) = $out =~ m{<pre id="probe">(.*?)</pre>}s;
	diag(join "\n", grep { !/dbus/i } split /\n/, $err), return undef unless defined $found;
	$found =~ s/&lt;/</g, $found =~ s/&gt;/>/g, $found =~ s/&amp;/&/g;
	my $seen = decode_json($found);
	push @{ $seen->{problems} }, $err =~ /^.*:CONSOLE.*$/mg;
	return $seen;
}

my @views = (map { my $state = $_; map { [ $state, $_, 'light' ] } 500, 900, 1440 } sort keys %page);
push @views, map { [ $_, 900, 'dark' ] } sort keys %page;
for (@views)
{
	my ($state, $width, $scheme) = @$_;
	subtest "$state, $width wide, $scheme" => sub {
		my $seen = look(@$_) or return fail('the page is shown');
		is_deeply($seen->{problems}, [], 'no error');
		is_deeply($seen->{requests}, [], 'no request');
		is($seen->{overflow}, 0, 'no sideways scrolling');
		is_deeply($seen->{wide}, [], 'nothing is cut off');
		is_deeply($seen->{twice}, [], 'ids are unique');
		is("$seen->{h1} $seen->{main}", '1 1', 'one heading, one main part');
		is("$seen->{unnamed} $seen->{tables} $seen->{sections} $seen->{links}", '0 0 0 0', 'charts, tables and sections have names, links have targets');
		is_deeply($seen->{faint}, [], 'text stands out from its background');
		isnt($seen->{title}, 'hacked', 'names are text');
		is($seen->{images}, 0, 'and no elements');
		is("$seen->{empty} $seen->{doubled}", '0 0', 'no chart is empty, each is shown once');
		$scheme eq 'dark' ? isnt($seen->{background}, 'rgb(255, 255, 255)', 'dark') : is($seen->{background}, 'rgb(255, 255, 255)', 'light');
		cmp_ok($seen->{charts}, '>', 3, 'with charts') if $state eq 'sample';
	};
}
cmp_ok(length $page{sample}, '<', 300_000, 'the page is small');
done_testing();
