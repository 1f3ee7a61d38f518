-- Numbers, days and names as a person reads them. What is not ASCII is a numeric reference
-- of HTML, so that it is the same in every encoding.

CREATE FUNCTION capforecast._escape_html(content text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN replace(replace(replace(replace(replace(content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
COMMENT ON FUNCTION capforecast._escape_html(text) IS 'A text as it may stand in an element or in a quoted attribute.';

-- From 100 on whole numbers say enough, below it one decimal.
CREATE FUNCTION capforecast._number(value double precision)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE
		WHEN value IS NULL OR value IN ('NaN', 'Infinity', '-Infinity') THEN '&#8211;'
		ELSE replace(replace(regexp_replace(to_char(round(value::numeric, CASE WHEN abs(value) >= 99.95 THEN 0 ELSE 1 END),
			'FM999,999,999,999,999,990.9'), '[.]$', ''), ',', '&#8239;'), '-', '&#8722;') END;
COMMENT ON FUNCTION capforecast._number(double precision) IS 'A number for people, thousands apart; a dash where it is not known.';

CREATE FUNCTION capforecast._change(difference double precision)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN round(difference::numeric, 1) = 0 THEN 'no change'
		WHEN difference > 0 THEN '+' || capforecast._number(difference)
		ELSE capforecast._number(difference) END;
COMMENT ON FUNCTION capforecast._change(double precision) IS 'A difference with its sign; a dash where it is not known.';

-- On axes: 20 k, 2.5 m.
CREATE FUNCTION capforecast._axis_number(value double precision)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE
		WHEN abs(value) >= 1e9 THEN trim_scale(round((value / 1e9)::numeric, 2)) || '&#8239;bn'
		WHEN abs(value) >= 1e6 THEN trim_scale(round((value / 1e6)::numeric, 2)) || '&#8239;m'
		WHEN abs(value) >= 1e4 THEN trim_scale(round((value / 1e3)::numeric, 2)) || '&#8239;k'
		ELSE trim_scale(round(value::numeric, 4))::text END;
COMMENT ON FUNCTION capforecast._axis_number(double precision) IS 'A number for an axis, short.';

CREATE FUNCTION capforecast._day(day date, today date, is_long boolean DEFAULT false)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN coalesce(extract(day FROM day) || ' ' || ((CASE WHEN is_long
			THEN '{January,February,March,April,May,June,July,August,September,October,November,December}'
			ELSE '{Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec}' END)::text[])[extract(month FROM day)::integer]
		|| CASE WHEN extract(year FROM day) = extract(year FROM today) THEN '' ELSE ' ' || extract(year FROM day) END, '&#8211;');
COMMENT ON FUNCTION capforecast._day(date, date, boolean) IS 'A day as 24 Jan 2027, or 24 January 2027; without the year where it is that of today.';

CREATE FUNCTION capforecast._time_html(day date, today date, is_long boolean DEFAULT false)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN day IS NULL THEN '&#8211;' ELSE format('<time datetime="%s">%s</time>', to_char(day, 'YYYY-MM-DD'), capforecast._day(day, today, is_long)) END;
COMMENT ON FUNCTION capforecast._time_html(date, date, boolean) IS 'A day as an element that machines read, too.';

-- 2 Jan - 31 Mar 2027: the year stands once.
CREATE FUNCTION capforecast._range_html(first date, last date, today date)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE
		WHEN first IS NULL THEN NULL
		WHEN last IS NULL THEN 'from ' || capforecast._time_html(first, today) || ' on'
		WHEN first = last THEN capforecast._time_html(first, today)
		ELSE capforecast._time_html(first, CASE WHEN extract(year FROM first) = extract(year FROM last) THEN first ELSE today END)
			|| ' &#8211; ' || capforecast._time_html(last, today) END;
COMMENT ON FUNCTION capforecast._range_html(date, date, date) IS 'A range of days; NULL where there is none.';

CREATE FUNCTION capforecast._currency_digits(currency text)
	RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE
		WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
		WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
		ELSE 2 END;
COMMENT ON FUNCTION capforecast._currency_digits(text) IS 'Decimals of a currency (ISO 4217): 100 minor units make one of most.';

CREATE FUNCTION capforecast._money(amount_cents bigint, currency text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN amount_cents IS NULL THEN '&#8211;' ELSE replace(replace(regexp_replace(to_char(
			amount_cents / power(10::numeric, capforecast._currency_digits(currency)),
			'FM999,999,999,999,999,990' || CASE WHEN amount_cents % power(10::numeric, capforecast._currency_digits(currency)) = 0 THEN ''
				ELSE '.' || repeat('0', capforecast._currency_digits(currency)) END), '[.]$', ''), ',', '&#8239;'), '-', '&#8722;')
		|| '&#160;' || capforecast._escape_html(trim(currency)) END;
COMMENT ON FUNCTION capforecast._money(bigint, text) IS 'An amount in minor units with its currency, for people.';

CREATE FUNCTION capforecast._counted(n bigint, one text, many text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN n BETWEEN 0 AND 12 THEN ('{no,one,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve}'::text[])[(n + 1)::integer]
		ELSE capforecast._number(n::double precision) END || ' ' || CASE WHEN n = 1 THEN one ELSE many END;
COMMENT ON FUNCTION capforecast._counted(bigint, text, text) IS 'three limits, one limit, 13 limits.';

-- Sixty characters say who it is.
CREATE FUNCTION capforecast._name_html(name text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN '<bdi>' || capforecast._escape_html(left(name, 60)) || CASE WHEN length(name) > 60 THEN '&#8230;' ELSE '' END || '</bdi>';
COMMENT ON FUNCTION capforecast._name_html(text) IS 'A name that somebody has typed, in its own direction of writing, cut where it is long.';

CREATE FUNCTION capforecast._sentence(words text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN upper(left(words, 1)) || substr(words, 2);
COMMENT ON FUNCTION capforecast._sentence(text) IS 'With a capital letter.';

CREATE FUNCTION capforecast._metric_label(metric text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN capforecast._sentence(coalesce((SELECT b.words FROM capforecast._builtin_metrics() b WHERE b.metric = _metric_label.metric), replace(metric, '_', ' ')));
COMMENT ON FUNCTION capforecast._metric_label(text) IS 'The name of a metric for people; its name in SQL is shown where it is to be typed.';

-- The sentences of the plan name metrics and days as SQL does.
CREATE FUNCTION capforecast._readable(words text, today date)
	RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	day text;
	metric text;
	label text;
BEGIN
	FOR metric IN SELECT m.metric FROM capforecast._builtin_metrics() m WHERE m.metric LIKE '%\_%' ORDER BY length(m.metric) DESC LOOP
		words := replace(words, metric, lower(capforecast._metric_label(metric)));
	END LOOP;
	FOR day IN SELECT DISTINCT m[1] FROM regexp_matches(words, '\m(20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8]|29|30|31))\M', 'g') m LOOP
		words := replace(words, day, capforecast._day(to_date(day, 'YYYY-MM-DD'), today, true));
	END LOOP;
	RETURN words;
END
$$;
COMMENT ON FUNCTION capforecast._readable(text, date) IS 'A sentence with metrics and days named as in the page.';
