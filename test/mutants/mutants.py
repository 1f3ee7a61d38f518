"""Changes one constant or comparison at a time, and tells which changes no test notices (see run)."""
import argparse
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import time

REGRESS_SECONDS, LONGEST = 20, 60       # a test that takes so much longer than it should has noticed, too

# ---------- where something can be changed ----------

class Mutant:
    """One change: text[start:end] of a file becomes new."""

    def __init__(self, path, text, start, end, new, unit):
        self.path, self.start, self.end, self.new, self.unit = path, start, end, new, unit
        self.old = text[start:end]
        first = text.rfind('\n', 0, start) + 1
        self.line = text.count('\n', 0, start) + 1
        self.column = start - first + 1
        self.shown = text[first:text.find('\n', start)].strip()

    def __str__(self):
        return f'{self.path}:{self.line}:{self.column}:{self.old}:{self.new}'

    @property
    def room(self):
        return '/'.join(self.path.split('/')[:3 if '/rules/' in self.path else 2])

    def apply(self, text):
        return text[:self.start] + self.new + text[self.end:]


COMPARISON = {'<': '<=', '<=': '<', '>': '>=', '>=': '>', '=': '<>', '<>': '=', '==': '!=', '!=': '=='}


def other_number(text):
    """The next number of the same form: 7 is 8, 0.9 is 0.91, 1e6 is 2e6."""
    if re.fullmatch(r'\d+', text):
        return str(int(text) + 1)
    mantissa, exponent = re.fullmatch(r'([\d.]+)(e[-+]?\d+)?', text).groups()
    digits = len(mantissa.partition('.')[2])
    step = 1 if digits == 0 else 10 ** -max(digits, 2)
    return f'{float(mantissa) + step:.{max(digits, 2) if digits else 0}f}' + (exponent or '')


NUMBER = r'(?<![\w$.%\\])(?:\d+\.\d+|\d+)(?:e[-+]?\d+)?(?![\w.%])'


def blank(text, pattern, flags=0):
    """What matches becomes blanks, so that places stay where they are."""
    return re.sub(pattern, lambda m: re.sub(r'[^\n]', ' ', m.group(0)), text, flags=flags)


def sites_of_sql(path, text):
    code = blank(text, r'^COMMENT ON [^;]*?(?:\'(?:[^\']|\'\')*\'|NULL);\s*$', re.M)
    code = blank(code, r'--.*$', re.M)
    # sentences, and what only the planner reads
    code = blank(code, r'\b(?:HINT|DETAIL|MESSAGE|ERRCODE)\s*=\s*(?:format\s*\(\s*)?(?:\'(?:[^\']|\'\')*\'\s*)+', re.I)
    code = blank(code, r'\b(?:ROWS|COST|OFFSET)\s+\d+|\bWITH \((?:security_invoker|fillfactor) = \w+\)|\bSHA\d+|=>|\b(?:ORDER|GROUP) BY \d+(?:, \d+)*|SELECT 1\b')
    spans = [m.span(1) for m in re.finditer(r"'(\d+(?=(?:\.\d+)? (?:microsecond|second|minute|hour|day|week|month|year)s?\b)[^']*)'", code)]
    strings = blank(code, r"'(?:[^']|'')*'")
    for start, end in spans:
        number = re.match(r'\d+', code[start:end])
        yield start, start + number.end(), other_number(number.group(0))
    for m in re.finditer(NUMBER, strings):
        yield m.start(), m.end(), other_number(m.group(0))
    for m in re.finditer(r'(?<= )(?:<>|<=|>=|<|>)(?= )', strings):
        yield m.start(), m.end(), COMPARISON[m.group(0)]
    # an equals sign that compares, not one that sets
    for m in re.finditer(r'(?<= )=(?= )', strings):
        before = strings[:m.start()]
        if re.search(r'(?:\b(?:WHERE|AND|OR|WHEN|IF|ELSIF|NOT|ON|HAVING|UNTIL|EXISTS|RETURN|SELECT)\b|\()[^;,]*$', before[-200:]) \
                and not re.search(r'\bSET\b[^;]*$', re.split(r'\b(?:WHERE|FROM|USING)\b', before[-400:])[-1]):
            yield m.start(), m.end(), '<>'


def sites_of_c(path, text):
    code = blank(text, r'/\*.*?\*/', re.S)
    code = blank(code, r'^\s*#\s*(?:include|if|ifdef|ifndef|elif|endif|error).*$', re.M)
    code = blank(code, r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\]|\\.)+\'')
    code = blank(code, r'\bPG_GETARG_\w+\(\d+\)|\bPG_ARGISNULL\(\d+\)|\(Datum\) 0|\w+\[\d+\](?= *(?:=|;|,))|\bstatic const char\b.*$', re.M)
    code = blank(code, r'for \(\w+ \w+ = 0;|\bmemset\([^;]*\)|\{0\}|\{false\}')
    for m in re.finditer(NUMBER, code):
        if float(other_number(m.group(0))) != float(m.group(0)):
            yield m.start(), m.end(), other_number(m.group(0))
    for m in re.finditer(r'(?<= )(?:==|!=|<=|>=|<|>)(?= )', code):
        yield m.start(), m.end(), COMPARISON[m.group(0)]


def statements_of(text):
    """(start, end) of each statement of a piece of SQL."""
    start, quote, begun = 0, None, False
    position = 0
    for line in text.splitlines(True):
        if not begun and re.match(r'[A-Z]', line):
            start, begun = position, True
        for tag in re.findall(r'\$[A-Za-z_]*\$', line) if begun else ():
            quote = tag if quote is None else None if quote == tag else quote
        if begun and quote is None and re.search(r';\s*(?:--.*)?$', line):
            statement = text[start:position + len(line)]
            if 'BEGIN ATOMIC' not in statement or re.search(r'^END;\s*$', statement, re.M):
                yield start, position + len(line)
                begun = False
        position += len(line)


def mutants_of(source):
    """Every change, in the order of the files."""
    found = []
    for path in sorted(glob.glob(source + '/sql/*/*.sql')):
        name = os.path.relpath(path, source)
        if name.startswith('sql/upgrade/') or name.endswith('_style.sql'):     # a style sheet is no rule
            continue
        text = open(path, encoding='utf-8').read()
        statements = list(statements_of(text))
        for start, end, new in sorted(set(sites_of_sql(name, text))):
            for first, last in statements:
                if first <= start < last and re.match(r'CREATE (?!OPERATOR|AGGREGATE)', text[first:]):
                    found.append(Mutant(name, text, start, end, new, (first, last)))
    for path in sorted(glob.glob(source + '/src/plan/*.c') + glob.glob(source + '/src/plan/rules/*.[ch]')):
        name = os.path.relpath(path, source)
        text = open(path, encoding='utf-8').read()
        found += [Mutant(name, text, start, end, new, None) for start, end, new in sorted(set(sites_of_c(name, text)))]
    return found


def explained_of(source):
    """Changes that nothing can notice: path, the line as it stands, old, new, and why, separated by tabs."""
    path = source + '/test/mutants/explained'
    lines = open(path, encoding='utf-8').read().splitlines() if os.path.exists(path) else []
    return {tuple(line.split('\t')[:4]) for line in lines if line and not line.startswith('#')}


# ---------- the tests ----------

def run(command, seconds=600, **options):
    """(status, output); a command that takes longer has failed."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, **options)
        return done.returncode, done.stdout.decode('utf-8', 'replace')
    except subprocess.TimeoutExpired:
        return 124, 'it did not end'


CRASHED = 'server closed the connection|connection to server was lost|in recovery mode|starting up|shutting down|Connection refused|No such file or directory'


def wait_for_server():
    """After a crash the server comes back by itself."""
    for _ in range(600):
        if run(['psql', '-qXAt', '-d', 'postgres', '-c', 'SELECT'])[0] == 0:
            return
        time.sleep(0.1)
    raise RuntimeError('the server does not come back')


def psql(database, sql, check=True):
    command = ['psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-d', database]
    status, output = run(command, input=sql.encode())
    if status != 0 and re.search(CRASHED, output):
        wait_for_server()
        if check:
            status, output = run(command, input=sql.encode())
    if check and status != 0:
        raise RuntimeError(f'{sql[:200]}: {output}')
    return status, output.strip()


class Bench:
    """The server, the tests, and what each of them executes."""

    def __init__(self, options):
        self.source, self.build, self.stage, self.work = options.source, options.build, options.stage, options.work
        self.output = self.work + '/mutants'
        os.makedirs(self.output, exist_ok=True)
        if not os.path.exists(self.output + '/expected'):
            os.symlink(self.source + '/expected', self.output + '/expected')
        self.library = glob.glob(self.stage + '/**/capforecast.so', recursive=True)[0]
        self.script = [path for path in glob.glob(self.stage + '/**/capforecast--*.sql', recursive=True) if path.count('--') == 1
                       and os.path.exists(self.build + '/sql/' + os.path.basename(path))
                       and not os.path.exists(self.build + '/sql/upgrade/' + os.path.basename(path))][0]
        self.good_library = self.work + '/good.so'
        shutil.copy(self.library, self.good_library)
        self.make_templates()
        self.measure()

    def make_templates(self):
        for name in ('mutant_plain', 'mutant_pgtap'):
            psql('postgres', f'DROP DATABASE IF EXISTS {name}')
            psql('postgres', f'CREATE DATABASE {name} TEMPLATE template0')
            psql(name, 'CREATE EXTENSION capforecast')
        psql('mutant_pgtap', 'CREATE EXTENSION pgtap;' + open(self.source + '/test/platform/schema.sql', encoding='utf-8').read())

    def measure(self):
        """Which routines does each test execute or name, and how long does it take?  Tests that fail on their own are left out."""
        self.seconds, self.executes, self.measuring = {}, {}, True
        for test in sorted(glob.glob(self.source + '/test/sql/*.sql') + glob.glob(self.source + '/test/pgtap/*.sql')):
            test = os.path.relpath(test, self.source)
            began = time.time()
            noticed, executed, why = self.try_test(test, '')
            if noticed:
                print(f'{test} fails without any change, and is left out: {why[-400:]}', flush=True)
                continue
            self.seconds[test] = time.time() - began
            self.executes[test] = executed | set(re.findall(r'\w+', open(self.source + '/' + test, encoding='utf-8').read()))
        self.measuring = False
        # What calls a routine executes it, too: those that the planner puts into the statement are not counted.
        self.callers = {}
        bodies = psql('mutant_plain', "SELECT string_agg(p.proname || E'\\x01' || replace(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), E'\\n', ' '), E'\\x02') "
                      "FROM pg_proc p WHERE pronamespace = 'capforecast'::regnamespace AND prokind IN ('f', 'p')")[1]
        for entry in bodies.split('\x02'):
            name, body = entry.split('\x01')
            for called in set(re.findall(r'capforecast\.(\w+)', body)):
                self.callers.setdefault(called, set()).add(name)

    def database(self, test, statements):
        """A database for the test, with the change in it: a regression test makes the extension anew from the script."""
        name = 'pgtap' if '/pgtap/' in test else 'contrib_regression'    # what the tests know it by
        psql('postgres', f'DROP DATABASE IF EXISTS {name} WITH (FORCE)')
        if '/pgtap/' in test and statements != 'install':
            psql('postgres', f'CREATE DATABASE {name} TEMPLATE mutant_pgtap')
            return (name,) + psql(name, statements, check=False)
        psql('postgres', f'CREATE DATABASE {name} TEMPLATE ' + ('template0' if statements else 'mutant_plain'))
        status, output = psql(name, 'CREATE EXTENSION IF NOT EXISTS capforecast', check=False)
        if status == 0 and '/pgtap/' in test:
            psql(name, 'CREATE EXTENSION pgtap;' + open(self.source + '/test/platform/schema.sql', encoding='utf-8').read())
        for setting in ("lc_messages TO 'C'", "lc_monetary TO 'C'", "lc_numeric TO 'C'", "lc_time TO 'C'", "bytea_output TO 'hex'",
                        "timezone_abbreviations TO 'Default'"):
            psql('postgres', f'ALTER DATABASE {name} SET {setting}')
        return name, status, output

    def try_test(self, test, statements):
        """(noticed, routines executed, why): the test on a database of its own."""
        name, status, output = self.database(test, statements)
        if status != 0:
            # What does not compile is no change; what ends the server is one that is noticed.
            return True if re.search(CRASHED, output) else None, set(), output
        limit = min(LONGEST, REGRESS_SECONDS + 10 * self.seconds.get(test, LONGEST))
        bare = os.path.basename(test)[:-4]
        if '/pgtap/' in test:
            status, output = run(['psql', '-qXAt', '-d', name, '-f', test], limit, cwd=self.source)
            noticed = status != 0 or re.search(r'^not ok|^# Looks like|ERROR:', output, re.M) is not None or not re.search(r'^1\.\.\d+', output, re.M)
        else:
            status, output = run([os.environ['PG_REGRESS'], '--bindir=' + os.path.dirname(shutil.which('psql')), '--use-existing',
                                  '--inputdir=' + self.source + '/test', '--outputdir=' + self.output, '--dbname=' + name,
                                  '--host=' + os.environ['PGHOST'], '--port=' + os.environ['PGPORT'], '--user=postgres'] + self.expecteddir() + [bare],
                                 limit, cwd=self.source, env=dict(os.environ, LC_MESSAGES='C'))
            noticed = status != 0
            if noticed and os.path.exists(self.output + '/regression.diffs'):
                output = open(self.output + '/regression.diffs', encoding='utf-8', errors='replace').read()
        if noticed:
            wait_for_server()
        executed = set()
        if self.measuring:
            executed = set(psql(name, "SELECT funcname FROM pg_stat_user_functions WHERE schemaname = 'capforecast'", check=False)[1].split())
        return noticed, executed, output[-3000:]

    def expecteddir(self):
        status, output = run([os.environ['PG_REGRESS'], '--help'])
        return ['--expecteddir=' + self.output] if 'expecteddir' in output else []

    # ---------- one change ----------

    def tests_for(self, names, room):
        """Tests that execute or name one of the routines, by themselves or by way of their callers; the fastest first."""
        wanted, fresh = set(names), set(names)
        direct = [test for test in self.seconds if self.executes[test] & wanted]
        while fresh and not direct:
            fresh = {caller for name in fresh for caller in self.callers.get(name, ())} - wanted
            wanted |= fresh
            direct = [test for test in self.seconds if self.executes[test] & wanted]
        return sorted(direct or self.seconds, key=self.seconds.get)

    def rules_tests(self, path):
        """The unit tests of the platform's rules, built with what was changed."""
        flags = ['-std=c11', '-g', '-O1', '-ffp-contract=off', '-w', '-fsanitize=address,undefined', '-fno-sanitize-recover', '-I' + self.build + '/src']
        objects = self.work + '/core'
        if not os.path.exists(objects):
            os.makedirs(objects)
            for source in glob.glob(self.build + '/src/core/*.c') + glob.glob(self.build + '/src/core/*/*.c'):
                run(['gcc'] + flags + ['-c', source, '-o', objects + '/' + os.path.basename(source)[:-2] + '.o'])
        for name in ('growth', 'usage'):
            program = self.work + '/rules_' + name
            status, output = run(['gcc'] + flags + [self.source + f'/test/unit/test_{name}.c'] + glob.glob(self.build + '/src/plan/rules/*.c')
                                 + glob.glob(objects + '/*.o') + ['-lm', '-o', program])
            if status != 0:
                return None
            status, output = run([program], LONGEST)
            if status != 0 or 'not ok' in output:
                return 'test/unit/test_%s.c' % name
        return ''

    def try_c(self, mutant, text):
        path = self.build + '/' + mutant.path
        good = open(path, encoding='utf-8').read()
        try:
            open(path, 'w', encoding='utf-8').write(mutant.apply(text))
            status, output = run(['make', '-s', '-C', self.build, 'capforecast.so', 'with_llvm=no', 'PG_CFLAGS=-std=gnu11 -w', 'PG_CONFIG=' + os.environ['PG_CONFIG']])
            if status != 0:
                return None, output
            if '/rules/' in mutant.path:
                by = self.rules_tests(path)
                if by:
                    return by, ''
            shutil.copy(self.build + '/capforecast.so', self.library + '.new')
            os.rename(self.library + '.new', self.library)
            symbols = re.findall(r'PG_FUNCTION_INFO_V1\(capforecast_(\w+)\)', text)
            if not symbols:
                for other in glob.glob(self.source + '/' + os.path.dirname(mutant.path).replace('/rules', '') + '/*.c'):
                    symbols += re.findall(r'PG_FUNCTION_INFO_V1\(capforecast_(\w+)\)', open(other, encoding='utf-8').read())
            return self.noticed_by(self.tests_for(set(symbols) | {'_' + s for s in symbols}, mutant.room), '')
        finally:
            open(path, 'w', encoding='utf-8').write(good)
            shutil.copy(self.good_library, self.library + '.new')
            os.rename(self.library + '.new', self.library)

    def try_sql(self, mutant, text):
        first, last = mutant.unit
        changed = mutant.apply(text)
        statement = changed[first:last + len(changed) - len(text)]
        made = re.match(r'CREATE (?:CONSTRAINT )?(\w+) capforecast\.(\w+)', statement)
        names = {made.group(2)} if made else set()
        sql = re.sub(r'^CREATE ', 'CREATE OR REPLACE ', statement)
        if not made or made.group(1) not in ('FUNCTION', 'PROCEDURE', 'VIEW'):
            names |= set(re.findall(r'CREATE FUNCTION capforecast\.(\w+)', text))
            sql = 'install'         # a table or a type is there from the start
        script = open(self.script, encoding='utf-8').read()
        if script.count(text[first:last]) != 1:
            return None, 'the statement is not in the script once'
        try:
            open(self.script, 'w', encoding='utf-8').write(script.replace(text[first:last], statement))
            return self.noticed_by(self.tests_for(names, mutant.room), sql)
        finally:
            open(self.script, 'w', encoding='utf-8').write(script)

    def noticed_by(self, tests, statements):
        for test in tests:
            noticed, _, output = self.try_test(test, statements)
            if noticed is None:
                return None, output
            if noticed:
                return test, ''
        return '', ' '.join(tests)

    def try_mutant(self, mutant):
        """(the test that notices, '' for none, None where the change does not compile; what to say)."""
        text = open(self.source + '/' + mutant.path, encoding='utf-8').read()
        return self.try_sql(mutant, text) if mutant.unit else self.try_c(mutant, text)


def main():
    parser = argparse.ArgumentParser(prog='test/mutants/run', description=__doc__)
    parser.add_argument('ids', nargs='*', metavar='ID', help='a change by its name, as a run shows it')
    parser.add_argument('--number', type=int, default=40, help='how many, chosen by chance (default 40)')
    parser.add_argument('--seed', default='1')
    parser.add_argument('--all', action='store_true', help='each of them')
    parser.add_argument('--room', default='', help='only files whose path holds this')
    parser.add_argument('--list', action='store_true', help='show the changes, try none')
    for name in ('--source', '--build', '--stage', '--work'):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()

    explained = explained_of(options.source)
    mutants = [m for m in mutants_of(options.source) if options.room in m.path]
    known = [m for m in mutants if (m.path, m.shown, m.old, m.new) in explained]
    mutants = [m for m in mutants if m not in known]
    if options.list:
        for mutant in mutants:
            print(f'{mutant}\t{mutant.shown}')
        print(f'{len(mutants)} changes, {len(known)} more that are explained')
        return 0
    if options.ids:
        wanted = set(options.ids)
        mutants = [m for m in mutants + known if str(m) in wanted]
    order = mutants if options.ids else random.Random(options.seed).sample(mutants, len(mutants))
    wanted = len(order) if options.all or options.ids else options.number

    bench = Bench(options)
    print(f'{len(mutants)} changes; {len(bench.seconds)} tests take {sum(bench.seconds.values()):.0f} s', flush=True)
    rooms, survivors, tried = {}, [], 0
    for mutant in order:
        if tried >= wanted:
            break
        began = time.time()
        by, say = bench.try_mutant(mutant)
        if by is None:
            print(f'  does not work    {mutant}', flush=True)
            continue
        tried += 1
        counts = rooms.setdefault(mutant.room, [0, 0])
        counts[1] += 1
        if by:
            counts[0] += 1
            print(f'  noticed  {time.time() - began:5.1f} s {mutant}  by {by}', flush=True)
        else:
            survivors.append(mutant)
            print(f'  SURVIVED {time.time() - began:5.1f} s {mutant}\n\t{mutant.shown}\n\tnot by {say}', flush=True)
    print('\nroom                 noticed   of')
    for room in sorted(rooms):
        print(f'{room:20} {rooms[room][0]:7} {rooms[room][1]:4}')
    killed = sum(counts[0] for counts in rooms.values())
    print(f'{killed} of {tried} changes are noticed ({100 * killed / max(tried, 1):.1f} %), SEED {options.seed}')
    for mutant in survivors:
        print(f'survived: {mutant}')
    return 0 if killed >= 0.95 * tried else 1


if __name__ == '__main__':
    sys.exit(main())
