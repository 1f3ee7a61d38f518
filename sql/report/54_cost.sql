-- What the months ahead cost, as bars and as a table.

CREATE FUNCTION capforecast._cost_months(facts jsonb)
	RETURNS TABLE (place bigint, month date, tier text, tier_upper text, cost bigint, cost_upper bigint, currency text,
		vendors double precision, products double precision, storage double precision, run bigint)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT m.place, m.month, m.tier, m.tier_upper, m.cost, m.cost_upper, m.currency, m.vendors, m.products, m.storage,
		m.place - row_number() OVER (PARTITION BY m.tier ORDER BY m.place)
	FROM (SELECT row_number() OVER (ORDER BY m.value ->> 'month') AS place, (m.value ->> 'month')::date AS month, m.value ->> 'tier' AS tier,
			(m.value ->> 'monthly_cost_cents')::bigint AS cost, m.value ->> 'tier_upper' AS tier_upper,
			(m.value ->> 'monthly_cost_cents_upper')::bigint AS cost_upper, m.value ->> 'currency' AS currency, (m.value ->> 'vendors')::double precision AS vendors,
			(m.value ->> 'products')::double precision AS products, (m.value ->> 'storage_gb')::double precision AS storage
		FROM jsonb_array_elements(coalesce(facts -> 'plan', '[]')) m
		WHERE m.value ->> 'tier' IS NOT NULL AND (m.value ->> 'vendors' IS NOT NULL OR m.value ->> 'products' IS NOT NULL)) m
$$;
COMMENT ON FUNCTION capforecast._cost_months(jsonb) IS 'The months of the plan of which a size is known; run is the same for months of one size that follow each other.';

-- A bar a month, what high growth adds dashed on top of it; the price above the first bar of each size, and its name below its months.
CREATE FUNCTION capforecast._cost_chart(facts jsonb, width integer, height integer, prefix text, class text)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH month AS MATERIALIZED (
		SELECT m.*, m.cost / p.minor AS price, greatest(m.cost_upper, m.cost) / p.minor AS price_upper
		FROM capforecast._cost_months(facts) m, LATERAL (SELECT power(10::double precision, capforecast._currency_digits(m.currency)) AS minor) p
		WHERE m.cost IS NOT NULL),
	frame AS (
		SELECT 46::numeric AS x0, (width - 10)::numeric AS x1, (height - 46)::numeric AS y0, 22::numeric AS y1, t.tick, ceil(max(m.price_upper) * 1.08 / t.tick) * t.tick AS top,
			(width - 56)::numeric / count(*) AS step
		FROM month m, LATERAL (SELECT capforecast._chart_tick(greatest(max(n.price_upper) * 1.08, 0.01)) AS tick FROM month n) t GROUP BY t.tick),
	bar AS MATERIALIZED (
		SELECT m.*, round(f.x0 + (m.place - 0.81) * f.step, 1) AS x, round(0.62 * f.step, 1) AS w, round(f.x0 + (m.place - 0.5) * f.step, 1) AS middle,
			round((f.y0 - (f.y0 - f.y1) * m.price / f.top)::numeric, 1) AS y, round((f.y0 - (f.y0 - f.y1) * m.price_upper / f.top)::numeric, 1) AS y_upper,
			extract(month FROM m.month)::integer AS number, count(*) OVER (PARTITION BY m.tier, m.run) AS run_length, row_number() OVER (PARTITION BY m.tier, m.run ORDER BY m.place) AS run_place,
			f.y0, f.step
		FROM month m CROSS JOIN frame f)
	SELECT format('<svg xmlns="http://www.w3.org/2000/svg" class="chart %s" viewBox="0 0 %s %s" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">Cost a month</title><desc id="%s-d">%s</desc>',
			class, width, height, prefix, prefix, prefix, prefix,
			(SELECT string_agg(format('%s from %s on: %s a month', capforecast._escape_html(b.tier), capforecast._day(b.month, b.month - 366), capforecast._money(b.cost, b.currency)), '; ' ORDER BY b.place) FROM bar b WHERE b.run_place = 1))
		|| (SELECT string_agg(format('<path class="gr" d="M%s %sH%s"/><text class="t" x="%s" y="%s" text-anchor="end">%s</text>', f.x0, g.y, f.x1, f.x0 - 6, g.y + 4, capforecast._axis_number(g.value)), '')
			FROM frame f, generate_series(0, (f.top / f.tick)::integer) i, LATERAL (SELECT i * f.tick AS value, round((f.y0 - (f.y0 - f.y1) * i * f.tick / f.top)::numeric, 1) AS y) g)
		|| (SELECT string_agg(format('<rect class="cb" x="%s" y="%s" width="%s" height="%s"/>', b.x, b.y, b.w, b.y0 - b.y)
				|| CASE WHEN b.y_upper < b.y THEN format('<rect class="cu" x="%s" y="%s" width="%s" height="%s"/>', b.x, b.y_upper, b.w, b.y - b.y_upper) ELSE '' END
				|| CASE WHEN b.step >= 30 OR b.place % 2 = 1 THEN format('<text class="t" x="%s" y="%s" text-anchor="middle">%s</text>', b.middle, b.y0 + 15,
					split_part(capforecast._day(b.month, b.month), ' ', 2) || CASE WHEN b.number = 1 AND b.step >= 52 THEN ' ' || extract(year FROM b.month) ELSE '' END) ELSE '' END
				|| CASE WHEN b.run_place = 1 AND b.run_length * b.step >= 44 THEN format('<text class="lb" x="%s" y="%s">%s</text>', b.x, b.y_upper - 5, capforecast._money(b.cost, b.currency)) ELSE '' END
				|| CASE WHEN b.run_place = 1 THEN format('<path class="ax" d="M%s %sv4H%sv-4"/>', b.x, b.y0 + 21, round(b.x + (b.run_length - 1) * b.step + b.w, 1)) ELSE '' END
				|| CASE WHEN b.run_place = 1 AND b.run_length * b.step >= 6.2 * length(b.tier) THEN format('<text class="t tn" x="%s" y="%s" text-anchor="middle">%s</text>',
					round(b.x + ((b.run_length - 1) * b.step + b.w) / 2, 1), b.y0 + 38, capforecast._escape_html(b.tier)) ELSE '' END, '' ORDER BY b.place) FROM bar b)
		|| (SELECT format('<path class="ax" d="M%s %sH%s"/></svg>', f.x0, f.y0, f.x1) FROM frame f)
$$;
COMMENT ON FUNCTION capforecast._cost_chart(jsonb, integer, integer, text, text) IS 'The cost of each month ahead, as expected and where growth is high; NULL where none is known.';

CREATE FUNCTION capforecast._section_cost(facts jsonb)
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN count(*) = 0 THEN '' ELSE capforecast._section('cost', 'Tiers and cost, month by month',
		format('%s cost <strong>%s</strong> as expected%s.', capforecast._sentence(capforecast._counted(count(*), 'month', 'months')), capforecast._money(sum(m.cost)::bigint, max(m.currency)),
			CASE WHEN sum(m.cost_upper) > sum(m.cost) THEN format(', and <strong>%s</strong> where growth is at the top of its range', capforecast._money(sum(m.cost_upper)::bigint, max(m.currency))) ELSE '' END),
		coalesce('<ul class="legend"><li><svg class="chart" viewBox="0 0 26 12" aria-hidden="true"><rect class="cb" x="6" y="1" width="14" height="11"/></svg>as expected</li>'
			|| '<li><svg class="chart" viewBox="0 0 26 12" aria-hidden="true"><rect class="cu" x="6" y="1" width="14" height="10"/></svg>where growth is high</li></ul>'
			|| '<div class="charts"><figure class="first"><figcaption class="hidden">Cost a month</figcaption><div>' || capforecast._cost_chart(facts, 380, 190, 'cost-c', 'narrow') || capforecast._cost_chart(facts, 820, 210, 'cost-w', 'wide')
			|| '</div><div></div></figure></div>', '')
		|| '<table><caption>The size of infrastructure needed at each month''s end</caption><thead><tr><th scope="col">Month</th><th scope="col">Size needed</th><th scope="col" class="n">Cost</th><th scope="col" class="p3">If growth is high</th><th scope="col" class="n p2">Vendors</th><th scope="col" class="n p2">Products</th><th scope="col" class="n p4">Images, GB</th></tr></thead><tbody>'
		|| string_agg(format('<tr><th scope="row">%s</th><td>%s</td><td class="n">%s</td><td class="p3">%s</td><td class="n p2">%s</td><td class="n p2">%s</td><td class="n p4">%s</td></tr>',
			split_part(capforecast._day(m.month, m.month), ' ', 2) || ' ' || extract(year FROM m.month), capforecast._escape_html(m.tier), capforecast._money(m.cost, m.currency),
			CASE WHEN m.tier_upper = m.tier THEN 'the same' ELSE capforecast._escape_html(m.tier_upper) || ', ' || capforecast._money(m.cost_upper, m.currency) END,
			capforecast._number(round(m.vendors::numeric)::double precision), capforecast._number(round(m.products::numeric)::double precision), capforecast._number(round(m.storage::numeric)::double precision)), '' ORDER BY m.month)
		|| '</tbody></table>') END
	FROM capforecast._cost_months(facts) m
$$;
COMMENT ON FUNCTION capforecast._section_cost(jsonb) IS 'The size of infrastructure needed, and its cost, month by month.';
