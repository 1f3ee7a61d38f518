-- Days that are known to differ: rules, own days, holidays.
\getenv dir PG_ABS_SRCDIR
\set ECHO none
\set file :dir '/platform/fresh.sql'
\i :file
\set ECHO all
\set SHOW_CONTEXT never
SET search_path = public, capforecast;

-- Own days, by rule and dated, with days around them, for one metric or all.
INSERT INTO known_day (name, rule, days_before, days_after) VALUES ('Black Friday', '4th thu of 11+1', 1, 3);
INSERT INTO known_day (name, day) VALUES ('Stocktaking', '2026-06-30'), ('Stocktaking', '2025-06-30');
INSERT INTO known_day (name, rule, metric) VALUES ('Invoices go out', 'last fri of 6', 'orders');
SELECT * FROM known_days('2026-01-01', '2026-12-31');
SELECT * FROM known_days('2026-06-01', '2026-06-30', 'orders');
-- both ends are included, and days around a day outside
SELECT * FROM known_days('2026-11-30', '2026-11-30');
SELECT * FROM known_days('2026-12-01', '2026-12-31');
SELECT * FROM known_days('2026-12-31', '2026-01-01');
-- a day of the year after whose day before is in this one, and the reverse
INSERT INTO known_day (name, rule, days_before) VALUES ('New Year', '01-01', 2);
INSERT INTO known_day (name, rule, days_after) VALUES ('Turn of the year', '12-31', 2);
SELECT * FROM known_days('2026-12-30', '2027-01-02');
-- a leap day, a fifth Friday: not every year
INSERT INTO known_day (name, rule) VALUES ('Leap day', '02-29'), ('Fifth Friday of May', '5th fri of 5');
SELECT day, name FROM known_days('2023-01-01', '2028-12-31') WHERE name IN ('Leap day', 'Fifth Friday of May');
SELECT day, to_char(day, 'Dy') AS weekday FROM known_days('2096-01-01', '2104-12-31') WHERE name = 'Leap day';
-- one name twice on a day is one row
INSERT INTO known_day (name, rule) VALUES ('Leap day', '03-01-1');
SELECT count(*) FROM known_days('2024-02-29', '2024-02-29');

-- What is no rule is refused with what one looks like; so is what says nothing, or too much.
INSERT INTO known_day (name, rule) VALUES ('x', '25.12.');
INSERT INTO known_day (name, rule) VALUES ('x', '02-30');
INSERT INTO known_day (name, rule) VALUES ('x', 'easter+101');
UPDATE known_day SET rule = '6th mon of 1' WHERE name = 'Leap day';
\set VERBOSITY terse
INSERT INTO known_day (name) VALUES ('x');
INSERT INTO known_day (name, rule, day) VALUES ('x', '12-25', '2026-12-25');
INSERT INTO known_day (name, rule) VALUES (' ', '12-25');
INSERT INTO known_day (name, day) VALUES ('x', 'infinity');
INSERT INTO known_day (name, rule, days_before) VALUES ('x', '12-25', -1);
INSERT INTO known_day (name, rule, days_after) VALUES ('x', '12-25', 101);
INSERT INTO known_day (name, rule) VALUES ('Leap day', '02-29');

-- What cannot be asked.
SELECT * FROM known_days(NULL, '2026-01-01');
SELECT * FROM known_days('2026-01-01', NULL);
SELECT * FROM known_days('2026-01-01', 'infinity');
SELECT * FROM known_days('-infinity', '2026-01-01');
SELECT * FROM known_days('2026-01-01', '2127-01-01');
SELECT count(*) > 0 AS some FROM known_days('2026-01-01', '2126-12-31');
SELECT count(*) FROM known_days('2026-01-01', '2026-12-31', 'no_such');
SELECT count(*) FROM known_days('4714-11-24 BC', '4700-01-01 BC');
SELECT count(*) FROM known_days('5874897-01-01', '5874897-12-31') WHERE day > '5874897-12-30';
DELETE FROM known_day;

-- Holidays. All of the European Union and those beyond; a second time nothing changes, and own changes stay.
SELECT count(*), min(rules) > 5 AS each_has_some FROM (SELECT use_holidays(r.region) AS rules FROM _holiday_regions() r) u;
SELECT string_agg(DISTINCT region, ' ' ORDER BY region) FROM known_day;
UPDATE known_day SET days_before = 2 WHERE region = 'DE' AND name = 'Christmas Day';
SELECT use_holidays('DE');
SELECT day, name, offset_days FROM known_days('2026-12-01', '2026-12-31') WHERE region = 'DE';
SELECT drop_holidays('de'), drop_holidays('DE'), use_holidays('UK'), use_holidays('el');
SELECT region, count(*) FILTER (WHERE day BETWEEN '2024-01-01' AND '2024-12-31') AS of_2024, count(*) FILTER (WHERE day >= '2025-01-01') AS of_2025
FROM known_days('2024-01-01', '2025-12-31') GROUP BY region ORDER BY region;
-- days that move in ways of their own, each as the government's calendar has it
SELECT day, region, name FROM known_days('2021-01-01', '2030-12-31')
WHERE (region, day) IN (('GB', '2021-12-27'), ('GB', '2021-12-28'), ('GB', '2022-06-02'), ('GB', '2022-05-30'), ('US', '2021-06-18'), ('US', '2022-12-26'),
	('US', '2021-12-31'), ('IE', '2023-02-06'), ('IE', '2030-02-01'), ('IE', '2030-02-04'), ('SE', '2024-06-21'), ('FI', '2024-11-02'), ('CA', '2024-05-20'),
	('NL', '2025-04-26'), ('NL', '2025-04-27'), ('JP', '2026-09-22'), ('JP', '2024-02-12'), ('IN', '2026-11-08'), ('GR', '2024-05-06'), ('DK', '2024-04-26'),
	('DK', '2023-05-05'), ('BR', '2024-02-13'))
ORDER BY region, day;
SELECT use_holidays('Germany');
SELECT use_holidays('');
SELECT use_holidays(NULL);
-- own days have no such region: they are not dropped by mistake
INSERT INTO known_day (name, rule) VALUES ('ours', '01-15');
SELECT drop_holidays('own');
SELECT count(*) FROM known_day WHERE region = 'own';

-- Readers see them; writing is for operators.
CREATE ROLE capforecast_day_reader;
CREATE ROLE capforecast_day_operator;
SELECT count(*) > 0 AS granted FROM grant_access('capforecast_day_reader', 'reader') UNION ALL SELECT count(*) > 0 FROM grant_access('capforecast_day_operator', 'operator');
SET ROLE capforecast_day_reader;
SELECT count(*) FROM known_days('2026-01-15', '2026-01-15');
SELECT use_holidays('DE');
INSERT INTO known_day (name, rule) VALUES ('x', '01-01');
SET ROLE capforecast_day_operator;
SELECT use_holidays('DE');
INSERT INTO known_day (name, rule) VALUES ('x', '01-01');
SELECT drop_holidays('DE');
RESET ROLE;
DROP OWNED BY capforecast_day_reader, capforecast_day_operator;
DROP ROLE capforecast_day_reader, capforecast_day_operator;
