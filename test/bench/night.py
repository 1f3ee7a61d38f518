"""The jobs of one night beside a host at work (see night)."""
import argparse
import os
import re
import subprocess
import sys
import time

SHARE, WAIT_MS = 0.03, 50
# (job, second of a run of ten minutes): the schedule, with the hours left out
NIGHT = [('reset_period_counters', 10), ('sync_stripe_status', 20), ('capture_daily_snapshot', 45), ('capture_metrics', 75),
         ('capture_vendor_usage', 105), ('raise_alerts', 150), ('check_trial_expirations', 180), ('run_forecasts', 210),
         ('cleanup_stale_subscriptions', 270), ('reset_period_counters', 310), ('sync_stripe_status', 340), ('look_at_vendors', 380),
         ('reset_period_counters', 560)]

PLATFORM = '''
SET timezone = 'UTC';
INSERT INTO vendors (id, vendor_code, name, created_at) SELECT v, 'V' || v, 'Vendor ' || v, now() - make_interval(days => v % 700) FROM generate_series(1, :vendors) v;
-- periods end evenly over thirty days; what ends in the next day ends while the night is being watched
INSERT INTO vendor_subscriptions (vendor_id, tier, status, period_start, period_end, trial_ends_at, cancel_at_period_end)
SELECT v, (ARRAY['essential', 'professional', 'business'])[1 + v % 3], CASE WHEN v % 20 = 0 THEN 'trial' ELSE 'active' END,
	e.at - interval '30 days', e.at, CASE WHEN v % 20 = 0 THEN e.at END, v % 100 = 1
FROM generate_series(1, :vendors) v
	CROSS JOIN LATERAL (SELECT v * 7919::bigint % 30 AS day, v % 997 / 997.0 AS part) d
	CROSS JOIN LATERAL (SELECT now() + CASE WHEN d.day = 0 THEN d.part * make_interval(secs => :seconds) ELSE make_interval(days => d.day::integer) END AS at) e;
INSERT INTO products (vendor_id, created_at) SELECT v, now() - make_interval(days => p) FROM generate_series(1, :vendors) v, generate_series(1, 10 + v % 30) p;
INSERT INTO vendor_users (vendor_id, user_id) SELECT v, m FROM generate_series(1, :vendors) v, generate_series(1, 1 + v % 2) m;
INSERT INTO orders (vendor_id, created_at) SELECT s.vendor_id, s.period_start + (now() - s.period_start) * (o / 21.0)
FROM vendor_subscriptions s, generate_series(1, 5 + s.vendor_id % 15) o;
CREATE INDEX ON orders (vendor_id, created_at);
UPDATE vendor_subscriptions s SET orders_this_period = (SELECT count(*) FROM orders o WHERE o.vendor_id = s.vendor_id AND o.created_at >= s.period_start);
ALTER DATABASE bench SET capforecast.manage_subscriptions = on;
-- the past: snapshots, and the use of each vendor
SELECT FROM capforecast.backfill_snapshots(current_date - 400, current_date - 1);
SELECT FROM capforecast.backfill_vendor_usage(current_date - 180);
SELECT FROM capforecast.add_metric('conns', 'SELECT count(*) FROM pg_stat_activity', limit_value => 80);
-- the books of every subscription as the jobs have seen them
SET capforecast.manage_subscriptions = on;
CALL capforecast.run_job('check_trial_expirations');
CREATE ROLE operator;
SELECT FROM capforecast.grant_access('operator', 'operator');
VACUUM ANALYZE;
'''

# What an application does: mostly reads, an order with its count, now and then a product.
WORKLOAD = '''
\\set vendor random(1, :vendors)
\\set dice random(1, 20)
SELECT v.name, s.tier, s.status, s.orders_this_period FROM vendors v JOIN vendor_subscriptions s ON s.vendor_id = v.id WHERE v.id = :vendor;
SELECT count(*) FROM products WHERE vendor_id = :vendor;
BEGIN;
INSERT INTO orders (vendor_id, created_at) VALUES (:vendor, now());
UPDATE vendor_subscriptions SET orders_this_period = orders_this_period + 1 WHERE vendor_id = :vendor;
END;
\\if :dice = 1
INSERT INTO products (vendor_id) VALUES (:vendor);
\\endif
'''

# An order that began before its period ended, and was counted after, is one too many in the new one.
COUNTED = '''
SELECT count(*) FILTER (WHERE s.orders_this_period < o.n), count(*) FILTER (WHERE s.orders_this_period > o.n), count(*) FILTER (WHERE s.period_start > :'began'::timestamptz), sum(o.n)
FROM vendor_subscriptions s CROSS JOIN LATERAL (SELECT count(*) AS n FROM orders o WHERE o.vendor_id = s.vendor_id AND o.created_at >= s.period_start) o
WHERE s.status IN ('active', 'trial')
'''


def psql(sql, *variables, check=True, application='night'):
    command = ['psql', '-qXAt', '-v', 'ON_ERROR_STOP=1'] + [part for name, value in variables for part in ('-v', f'{name}={value}')]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, env=dict(os.environ, PGAPPNAME=application))
    if check and done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout.strip() if check else done


def seconds_of_children(server):
    """Processor seconds of every process of the server that has ended: sessions and their workers."""
    time.sleep(0.5)     # the server hears of an end a little later than the client
    pid = open(server + '/postmaster.pid', encoding='utf-8').readline().strip()
    fields = open(f'/proc/{pid}/stat', encoding='utf-8').read().rpartition(')')[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf('SC_CLK_TCK')


def waits_for_jobs(log):
    """Waits of statements of the host for a lock that a job holds: [(ms, the job)]; how many waits in all were logged."""
    jobs, waits, logged, waiting, open_waits = {}, [], 0, None, {}
    for line in log.splitlines():
        begun = re.match(r'(\d+) (\S*): (.*)', line)
        if not begun:
            continue
        pid, application, said = begun.groups()
        if application == 'job':
            named = re.search(r"run_job\('(\w+)'", said)
            jobs[pid] = named.group(1) if named else jobs.get(pid, '')
        over = re.search(r'process \d+ (still waiting for|acquired) .* after ([\d.]+) ms', said)
        if over:
            logged += over.group(1) == 'still waiting for'
            waiting = pid if application == 'pgbench' else None
            if over.group(1) == 'acquired' and pid in open_waits:
                waits.append((float(over.group(2)), open_waits.pop(pid)))
        holders = re.search(r'Process(?:es)? holding the lock: ([\d, ]+)\.', said)
        if holders and waiting == pid:
            open_waits.update({pid: holder for holder in re.findall(r'\d+', holders.group(1))})
    return sorted((ms, jobs[holder]) for ms, holder in waits + [(WAIT_MS, holder) for holder in open_waits.values()] if holder in jobs), logged


def start_job(job):
    return job, subprocess.Popen(['psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-c', 'SET log_min_duration_statement = 0', '-c', 'SET ROLE operator',
                                  '-c', f"CALL capforecast.run_job('{job}')"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=dict(os.environ, PGAPPNAME='job'))


def start_host(options, script):
    command = ['pgbench', '-n', '-c', str(options.clients), '-j', '2', '-T', str(options.duration), '-D', f'vendors={options.vendors}', '-f', script]
    if options.rate:
        command += ['-R', str(options.rate)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def check_watchers(options, log):
    """A job that holds a lock, a lost increment, a host's error: each is noticed."""
    began = psql('SELECT now()')
    psql("INSERT INTO orders (vendor_id) VALUES (3); UPDATE vendor_subscriptions SET orders_this_period = orders_this_period - 1 WHERE vendor_id = 7")
    missing = int(psql(COUNTED, ('began', began)).split('|')[0])
    size = os.path.getsize(log)
    holder = subprocess.Popen(['psql', '-qXAt', '-c', "SET log_min_duration_statement = 0", '-c',
                               "BEGIN; SELECT count(*) FROM (SELECT FROM vendor_subscriptions WHERE id = 9 FOR UPDATE) x; SELECT pg_sleep(0.5); COMMIT"],
                              stdout=subprocess.DEVNULL, env=dict(os.environ, PGAPPNAME='job'))
    time.sleep(0.2)
    psql('UPDATE vendor_subscriptions SET tier = tier WHERE id = 9', application='pgbench')
    holder.wait()
    with open(log, encoding='utf-8') as file:
        file.seek(size)
        waits, _ = waits_for_jobs(file.read())
    before = seconds_of_children(options.server)
    psql('SELECT count(*) FROM generate_series(1, 5000000)')
    found = [('two lost increments', missing == 2), ('a wait for a job', len(waits) > 0 and waits[-1][0] > 200),
             ('work of a session', seconds_of_children(options.server) - before > 0.1)]
    for what, noticed in found:
        print(f'{"noticed" if noticed else "NOT NOTICED":12} {what}')
    return all(noticed for _, noticed in found)


def main():
    parser = argparse.ArgumentParser(prog='test/bench/night', description=__doc__)
    parser.add_argument('--check', action='store_true', help='prove that what is looked for is noticed')
    for name in ('--server', '--work'):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name, value in (('vendors', 20000), ('clients', 32), ('duration', 600), ('rate', 0)):
        setattr(options, name, int(os.environ.get(name.upper(), value)))
    if options.check:
        options.vendors = min(options.vendors, 300)
    log = options.server + '/log'
    psql(PLATFORM, ('vendors', options.vendors), ('seconds', options.duration))
    if options.check:
        return 0 if check_watchers(options, log) else 1

    script = options.work + '/workload.sql'
    with open(script, 'w', encoding='utf-8') as file:
        file.write(WORKLOAD)
    size, before, began, start = os.path.getsize(log), seconds_of_children(options.server), psql('SELECT now()'), time.time()
    host, jobs = start_host(options, script), []
    for job, second in NIGHT:
        time.sleep(max(0, start + second * options.duration / 600 - time.time()))
        jobs.append(start_job(job) + (time.time(),))
    failed = []
    for job, process, _ in jobs:
        _, error = process.communicate()
        failed += [f'{job}: {error.strip()}'] if process.returncode or 'ERROR' in error else []
    late = host.poll() is not None
    taken = seconds_of_children(options.server) - before        # the host's sessions have not ended yet
    said = host.communicate()[0]
    if late:
        failed.append('the jobs took longer than the host: its processor time is counted, too')
    with open(log, encoding='utf-8', errors='replace') as file:
        file.seek(size)
        text = file.read()
    failed += re.findall(r'^\d+ \S*: (?:ERROR|FATAL|PANIC):.*', text, re.M)
    waits, logged = waits_for_jobs(text)
    tps = re.search(r'tps = ([\d.]+)', said)
    if host.returncode or not tps:
        failed.append(said[-500:])
    lost, many, rolled, orders = (int(n) for n in psql(COUNTED, ('began', began)).split('|'))
    deadlocks = int(psql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'bench'"))
    runs = psql("SELECT job || ': ' || status || ', ' || coalesce(changed, 0) || ' changed, ' || coalesce(failed, 0) || ' failed, ' || round(extract(epoch FROM finished_at - started_at), 2) || ' s' "
                f"FROM capforecast.job_run WHERE started_at > '{began}' ORDER BY run_id")
    share = taken / (options.duration * os.cpu_count())
    print(f'{len(runs.splitlines())} runs\n{runs}')
    print(f'\n{options.vendors} vendors, {options.clients} clients, {options.duration} s, {tps and tps.group(1)} transactions a second, {orders} orders in the periods')
    held = [('errors', not failed and not re.search(r': (failed|running),|, [1-9]\d* failed', runs), f'{len(failed)} of host and jobs'), ('deadlocks', deadlocks == 0, deadlocks),
            ('increments', lost == 0, f'{lost} subscriptions lack one; {rolled} of them went over to a new period, {many} count one that began before'),
            ('waiting', not waits, f'{len(waits)} host statements waited over {WAIT_MS} ms for a job, at most {max(waits, default=(0,))[0]:.0f} ms ({logged} waits among all)'
             + ''.join(f'; {job} {ms:.0f} ms' for ms, job in waits[-5:])),
            ('processor', share <= SHARE, f'{taken:.1f} s of jobs, {100 * share:.2f} % of {options.duration} s on {os.cpu_count()} cores')]
    for what, holds, figure in held:
        print(f'{what:12} {"holds" if holds else "DOES NOT HOLD":14} {figure}')
    for error in failed[:20]:
        print('\t' + error)
    return 0 if all(holds for _, holds, _ in held) else 1


if __name__ == '__main__':
    sys.exit(main())
