-- The page's style: ink and two colours with a meaning, blue for what is forecast and what to
-- do, red for limits and what is past them. Contrasts are at least 4.5 : 1 for text.

CREATE FUNCTION capforecast._chart_style()
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN $css$
.chart{--ink:#16191d;--muted:#545b64;--line:#d8dce1;--grid:#e8ebee;--paper:#fff;--accent:#1d5fc4;--band:#cfe0f7;--edge:#5a8ad6;--limit:#b3261e;--beyond:#fbeceb}
@media (prefers-color-scheme:dark){.chart{--ink:#e9ebee;--muted:#a7aeb7;--line:#363c44;--grid:#252a30;--paper:#121518;--accent:#7db1ff;--band:#22406a;--edge:#5586c9;--limit:#ff8d83;--beyond:#2a191a}}
@media print{.chart{--ink:#16191d;--muted:#545b64;--line:#d8dce1;--grid:#e8ebee;--paper:#fff;--accent:#1d5fc4;--band:#cfe0f7;--edge:#5a8ad6;--limit:#b3261e;--beyond:#fbeceb}}
.chart{display:block;width:100%;height:auto;font:11px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums lining-nums}
.chart path{fill:none}
.chart .t{fill:var(--muted)}.chart .tn{fill:var(--ink);font-weight:600}
.chart .gr{stroke:var(--grid)}.chart .ax{stroke:var(--muted)}.chart .now{stroke:var(--muted)}
.chart .over{fill:var(--beyond)}.chart .lim{stroke:var(--limit);stroke-width:1.5}
.chart .band{fill:var(--band);stroke:var(--edge);stroke-width:.75;fill-opacity:.9}
.chart .mid{stroke:var(--accent);stroke-width:1.75;stroke-dasharray:5 3}
.chart .h{stroke:var(--ink);stroke-width:1.75;stroke-linejoin:round}.chart .ho{stroke:var(--limit);stroke-width:2.5}
.chart .saw{stroke:var(--muted);stroke-width:.75;opacity:.55}
.chart .st{stroke:var(--muted);stroke-dasharray:1.5 2.5}
.chart .mk{fill:var(--muted)}.chart .mo{fill:none;stroke:var(--muted);stroke-width:1.5}.chart .mp{fill:var(--accent)}
.chart .br{stroke:var(--limit);stroke-width:2}.chart .bd{fill:var(--limit);stroke:var(--paper);stroke-width:1.5}
.chart .cb{fill:var(--accent)}.chart .cu{fill:none;stroke:var(--accent);stroke-width:1.25;stroke-dasharray:3 2.5}
.chart .dot{fill:var(--ink);stroke:var(--paper);stroke-width:1.5}
.chart .lb{font-weight:650;fill:var(--ink);stroke:var(--paper);stroke-width:3px;paint-order:stroke;stroke-linejoin:round}.chart .lr{fill:var(--limit)}
$css$;
COMMENT ON FUNCTION capforecast._chart_style() IS 'The style sheet of charts, light and dark.';

CREATE FUNCTION capforecast._page_style()
	RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN $css$
:root{--ink:#16191d;--muted:#545b64;--line:#d8dce1;--soft:#f4f6f8;--paper:#fff;--accent:#1d5fc4;--limit:#b3261e;--amber:#8a5200;--green:#1a6b3c;--track:#e3e6ea}
@media (prefers-color-scheme:dark){:root{--ink:#e9ebee;--muted:#a7aeb7;--line:#363c44;--soft:#1a1e23;--paper:#121518;--accent:#7db1ff;--limit:#ff8d83;--amber:#f0b45e;--green:#72d19a;--track:#2a3037}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums lining-nums}
.page{max-width:1240px;margin:0 auto;padding:20px}
a{color:var(--accent)}
.skip{position:absolute;left:-9999px}.skip:focus{position:static}
header p{margin:0;font-size:14px;color:var(--muted)}header p b{color:var(--ink);font-weight:650}header span{margin-left:14px}
nav{margin:6px 0 0;font-size:14px}nav a{display:inline-block;min-height:24px;margin-right:14px}
h1{font-size:clamp(25px,4.2vw,40px);line-height:1.15;font-weight:650;letter-spacing:-.01em;max-width:26em;text-wrap:balance;margin:28px 0 20px}
h1 em,h1.over em{font-style:normal;color:var(--limit)}
h2{font-size:21px;line-height:1.3;font-weight:650;margin:0 0 4px}
h3{font-size:16px;line-height:1.4;font-weight:650;margin:0}
section{border-top:2px solid var(--ink);margin-top:44px;padding-top:14px}
section>p{margin:0 0 14px;max-width:46em;color:var(--muted)}section>p strong,section>p b{color:var(--ink)}
dl.facts{display:grid;grid-template-columns:repeat(4,1fr);gap:0 28px;margin:0}
dl.facts div{border-top:1px solid var(--line);padding:10px 0 14px}
dl.facts dt{font-size:13px;color:var(--muted)}dl.facts dd{margin:0;font-size:14px;color:var(--muted)}
dl.facts dd.big{font-size:21px;line-height:1.3;font-weight:650;color:var(--ink)}dl.facts dd.do{color:var(--accent)}dl.facts .over dd.big{color:var(--limit)}
table{border-collapse:collapse;width:100%;font-size:15px}
caption,.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th{text-align:left;font-weight:400}thead th{font-size:13px;color:var(--muted);border-bottom:1px solid var(--line);padding:0 14px 6px 0;vertical-align:bottom}
tbody th{font-weight:650}td,tbody th{border-bottom:1px solid var(--line);padding:9px 14px 9px 0;vertical-align:top}
td:last-child,th:last-child{padding-right:0}
.n{text-align:right}td.n{white-space:nowrap}td.n small{white-space:normal}.pair th bdi{display:inline-block;min-width:6em}td.n+td:not(.n),th.n+th:not(.n){padding-left:28px}small{display:block;font-size:13px;line-height:1.45;color:var(--muted);font-weight:400;overflow-wrap:anywhere}
bdi,.wrap{overflow-wrap:anywhere}
.bar{display:flex;align-items:center;gap:8px;margin-top:3px}.bar svg{width:132px;height:10px;flex:none}.bar small{white-space:nowrap}
.bar .tr,.share .tr{stroke:var(--track);stroke-width:6}.bar .us,.share .us{stroke:var(--ink);stroke-width:6}.bar.over .us{stroke:var(--limit)}.bar .ti{stroke:var(--limit);stroke-width:2}.bar.over .ti{stroke:var(--ink)}
.line svg{width:100%;height:30px;display:block;overflow:visible}.line .q{stroke:var(--line)}.line .z{stroke:var(--muted);stroke-width:1.5}.line .r{stroke:var(--limit);stroke-width:2}.line .d{fill:var(--limit)}.line .o{fill:var(--accent)}
.line .head text{fill:var(--muted);font-size:13px}
.s{white-space:nowrap;font-weight:650}.s i{font-style:normal;margin-right:6px;font-size:12px}
.s.critical{color:var(--limit)}.s.warning{color:var(--amber)}.s.watch{color:var(--accent)}.s.none{color:var(--green)}.s.unknown{color:var(--muted);font-weight:400}
ol.do{list-style:none;margin:0;padding:0}ol.do li{display:grid;grid-template-columns:8.5em 1fr 12em;gap:2px 20px;border-top:1px solid var(--line);padding:12px 0}
ol.do p{margin:2px 0 0;color:var(--muted);font-size:15px;max-width:46em}ol.do .due{text-align:right;font-size:15px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:32px 30px}
figure{margin:0;display:grid;grid-template-rows:subgrid;grid-row:span 3;gap:4px;align-content:start}figure p{margin:0;font-size:14px;color:var(--muted);min-height:42px}figure p strong{color:var(--ink)}
figure ul{list-style:none;margin:0;padding:0;font-size:13px;color:var(--muted)}figure li svg{width:11px;height:11px;margin-right:6px;vertical-align:-1px;overflow:visible}
li .mk{fill:var(--muted)}li .mo{fill:none;stroke:var(--muted);stroke-width:1.5}li .mp{fill:var(--accent)}
.charts .wide{display:none}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;font-size:13px;color:var(--muted);margin:0 0 20px;padding:0;list-style:none}.legend .chart{display:inline-block;width:26px;height:12px;vertical-align:-2px;margin-right:6px}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:28px 44px;align-items:start}.pair h3,.one h3{margin-bottom:8px}
.share svg{width:100%;height:10px;min-width:80px}
.past{margin-bottom:28px}
pre{background:var(--soft);margin:6px 0 0;padding:8px 10px;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
footer{border-top:1px solid var(--line);margin-top:44px;padding:14px 0;font-size:13px;color:var(--muted)}footer p{margin:0 0 4px;max-width:60em}
@media screen and (min-width:820px){.charts .first{grid-column:span 2}.charts .first .wide{display:block}.charts .first .narrow{display:none}}
@media (max-width:1080px){.p4{display:none}}
@media (max-width:760px){.p3{display:none}dl.facts{grid-template-columns:1fr 1fr}.pair{grid-template-columns:1fr}ol.do li{grid-template-columns:1fr}ol.do .due{text-align:left}header span{display:block;margin:0}}
@media (max-width:560px){.page{padding:16px}.p2{display:none}.bar{flex-wrap:wrap;gap:0 8px}.bar svg{width:88px}td,tbody th,thead th{padding-right:10px}table{font-size:14px}}
@media print{@page{size:A4;margin:14mm}:root{--ink:#16191d;--muted:#545b64;--line:#d8dce1;--soft:#f4f6f8;--paper:#fff;--accent:#1d5fc4;--limit:#b3261e;--amber:#8a5200;--green:#1a6b3c;--track:#e3e6ea}
body{font-size:10pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}.page{max-width:none;padding:0}nav,.skip{display:none}table{font-size:9pt}h1{font-size:22pt;margin-top:8pt}section{margin-top:18pt;padding-top:8pt}.charts{grid-template-columns:1fr 1fr}.p2,.p3,.p4{display:table-cell}figure,tr,li{break-inside:avoid}thead{display:table-header-group}dl.facts{grid-template-columns:repeat(4,1fr)}}
$css$;
COMMENT ON FUNCTION capforecast._page_style() IS 'The style sheet of the report: light and dark, narrow and wide, and on paper.';
