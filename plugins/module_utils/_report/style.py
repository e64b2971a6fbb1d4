# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The style of the HTML report: light and dark, on a phone and on paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1c2330;--dim:#5a6577;--line:#dde2ea;--head:#eef1f5;
--bad:#b42318;--warn:#9a5b00;--info:#175cd3;--good:#1b7f4b;--grey:#5a6577;--badbg:#fdeceb;--warnbg:#fdf3e1;
--infobg:#e8f0fd;--goodbg:#e6f5ec;--greybg:#eceff3}
@media (prefers-color-scheme:dark){:root{--bg:#11151c;--card:#1a202a;--ink:#e6eaf1;--dim:#9aa6b8;--line:#2d3644;
--head:#222a36;--bad:#ff8f86;--warn:#f5b759;--info:#84b4ff;--good:#6ed49c;--grey:#9aa6b8;--badbg:#40201f;
--warnbg:#3c2d12;
--infobg:#1b2d4d;--goodbg:#173526;--greybg:#2a323f}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem clamp(.75rem,2.5vw,2.5rem);max-width:1680px;background:var(--bg);color:var(--ink);
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:0 0 .6rem}p{margin:.25rem 0}
.dim,small{color:var(--dim)}small{font-size:.86em;display:block}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem;margin-top:1rem}
section.table{padding:1rem 0 0}section.table>*:not(.wide){margin-left:1.1rem;margin-right:1.1rem}
.alert{border-left:4px solid var(--warn)}
.tiles{display:flex;flex-wrap:wrap;gap:.6rem;list-style:none;margin:1rem 0 0;padding:0}
.tile{display:block;text-align:left;font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);
border-radius:10px;padding:.55rem .85rem;min-width:7.2rem}
.tile b{display:block;font-size:1.55rem;line-height:1.15;font-variant-numeric:tabular-nums}
.js .tile{cursor:pointer}.tile[aria-pressed=true]{outline:2px solid var(--info);outline-offset:1px}
.tile.none b{color:var(--dim);font-weight:400}
.state{display:inline-block;white-space:nowrap;border-radius:999px;padding:.08rem .6rem;font-weight:600;
font-size:.88em}
.c-bad{color:var(--bad);background:var(--badbg)}.c-warn{color:var(--warn);background:var(--warnbg)}
.c-info{color:var(--info);background:var(--infobg)}.c-good{color:var(--good);background:var(--goodbg)}
.c-grey{color:var(--grey);background:var(--greybg)}
.tile.c-bad,.tile.c-warn,.tile.c-info,.tile.c-good,.tile.c-grey{background:var(--card);color:inherit}
.tile:not(.none).c-bad b{color:var(--bad)}.tile:not(.none).c-warn b{color:var(--warn)}
.tile:not(.none).c-info b{color:var(--info)}.tile:not(.none).c-good b{color:var(--good)}
.chart{width:100%;height:auto;display:block;margin-top:.5rem}
.chart text{fill:var(--dim);font-size:11px}.chart line{stroke:var(--line)}.chart line.axis{stroke:var(--dim)}
.k-reissue{fill:#3b82c4}.k-renew{fill:#e09f27}.k-buy{fill:#9a62c9}.k-expire{fill:#d8473c}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;list-style:none;margin:.4rem 0 0;padding:0}
.legend svg{width:.8em;height:.8em;margin-right:.4em}
.tools{display:none;flex-wrap:wrap;gap:.6rem;align-items:center;margin-bottom:.7rem}.js .tools{display:flex}
.tools input{font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:8px;
padding:.4rem .7rem;flex:1 1 16rem;max-width:30rem}
.tools button{font:inherit;color:inherit;background:var(--head);border:1px solid var(--line);border-radius:8px;
padding:.4rem .8rem;cursor:pointer}
:focus-visible{outline:2px solid var(--info);outline-offset:2px}
.wide{overflow-x:auto}@media (min-width:1500px){.wide{overflow:visible}}
table{border-collapse:collapse;width:100%}
caption{text-align:left;padding:0 1.1rem .5rem;color:var(--dim)}
th,td{text-align:left;vertical-align:top;padding:.45rem .5rem;border-top:1px solid var(--line)}
th:first-child,td:first-child{padding-left:1.1rem}
thead th{background:var(--head);font-weight:600;font-size:.9em;white-space:nowrap;position:sticky;top:0}
thead th button{all:unset;cursor:pointer}thead th button:focus-visible{outline:2px solid var(--info)}
thead th[aria-sort=ascending] button:after{content:" \\2191"}
thead th[aria-sort=descending] button:after{content:" \\2193"}
td.date{white-space:nowrap;font-variant-numeric:tabular-nums}td.reason{min-width:12rem}
td.name{min-width:10rem;max-width:22rem;overflow-wrap:anywhere}td.reason{overflow-wrap:anywhere}
td.host{min-width:7rem;max-width:16rem;overflow-wrap:anywhere}td.order{min-width:7.5rem;max-width:13rem;
overflow-wrap:anywhere}
td.key,td.cost{white-space:nowrap}
td.late{color:var(--bad);font-weight:600}td.soon{color:var(--warn);font-weight:600}
td.late small,td.soon small{font-weight:400}
details summary{cursor:pointer;color:var(--dim)}dl{margin:.5rem 0}dt{font-weight:600}dd{margin:0 0 .4rem}
[hidden]{display:none!important}
.findings td code{display:inline-block;background:var(--head);border-radius:5px;padding:.05rem .35rem;
overflow-wrap:anywhere}
@media (max-width:760px){
body{padding:.9rem .7rem}.tile{min-width:calc(33.3% - .4rem);flex:1 1 28%;padding:.45rem .6rem}
.tile b{font-size:1.25rem}
.chart-box{overflow-x:auto}.chart{min-width:620px}
table,tbody,caption{display:block}thead{display:none}
tbody tr{display:grid;grid-template-columns:1fr 1fr;gap:.1rem .9rem;padding:.75rem 1.1rem;
border-top:1px solid var(--line)}
tbody td{display:block;border:0;padding:.15rem 0!important;min-width:0;max-width:none}
tbody td:before{content:attr(data-label);display:block;color:var(--dim);font-size:.8em}
td.name,td.reason,td.state-cell,td.host{grid-column:1/-1}td.name:before,td.state-cell:before{display:none}
td.name b{font-size:1.08em}td.empty{display:none!important}}
@media print{
:root{--bg:#fff;--card:#fff;--ink:#000;--dim:#444;--line:#bbb;--head:#eee}
@page{size:A4 landscape;margin:11mm}
body{padding:0;max-width:none;font-size:9px}section{border:0;padding:.4rem 0;break-inside:auto}
.tools{display:none!important}.wide{overflow:visible}thead{display:table-header-group}thead th{position:static}
tr,.tiles,.chart{break-inside:avoid}th,td{padding:.2rem .35rem}th:first-child,td:first-child{padding-left:0}
td.reason,td.name{min-width:0}.tile{padding:.2rem .5rem;min-width:0}.tile b{font-size:1rem}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
