# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The template of the HTML report. Jinja2 escapes every value, because hosts and the vendor are not trusted."""

from __future__ import annotations

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{{ style_hash }}';
script-src '{{ script_hash }}'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<header>
<h1>{{ title }}</h1>
<p class="dim">{{ generated }} UTC &middot; {{ rows | length }}
{{ 'certificate' if rows | length == 1 else 'certificates' }}
on {{ hosts }} {{ 'host' if hosts == 1 else 'hosts' }} &middot; {{ source }}</p>
</header>
{% if account_error %}<section class="alert"><h2>The account was not read</h2><p>{{ account_error }}</p>
<p class="dim">States of orders, names of products and prices are missing. What hosts have and serve is complete.</p>
</section>{% endif %}
<ul class="tiles">
{% for state in states %}<li><button type="button"
class="tile c-{{ state.colour }}{{ '' if state.count else ' none' }}" data-state="{{ state.name }}"
aria-pressed="false" title="{{ state.help }}"><b>{{ state.count }}</b>{{ state.label }}</button></li>
{% endfor %}</ul>
<section>
<h2>The next {{ days }} days</h2>
<p>{{ forecast }}</p>
<div class="chart-box"><svg class="chart" viewBox="0 0 {{ chart.width }} {{ chart.height }}" role="img"
aria-label="{{ forecast }}">
{% for y, count in chart.marks %}<line x1="30" x2="{{ chart.width }}" y1="{{ y }}" y2="{{ y }}"></line><text x="26"
y="{{ y + 4 }}" text-anchor="end">{{ count }}</text>
{% endfor %}<line class="axis" x1="30" x2="{{ chart.width }}" y1="{{ chart.axis }}" y2="{{ chart.axis }}"></line>
<text x="26" y="{{ chart.axis + 4 }}" text-anchor="end">0</text>
{% for x, count in chart.labels %}<text x="{{ x + 2 }}" y="22">{{ count }} today</text>
{% endfor %}{% for x, label in chart.weeks %}<line x1="{{ x }}" x2="{{ x }}" y1="{{ chart.axis }}"
y2="{{ chart.height - 18 }}"></line><text x="{{ x + 3 }}" y="{{ chart.height - 6 }}">{{ label }}</text>
{% endfor %}{% for bar in chart.bars %}<rect class="k-{{ bar.kind }}" x="{{ bar.x }}" y="{{ bar.y }}"
width="{{ bar.width }}" height="{{ bar.height }}"><title>{{ bar.title }}</title></rect>
{% endfor %}</svg></div>
<ul class="legend">{% for kind, label, count in legend %}<li><svg viewBox="0 0 10 10"
aria-hidden="true"><rect class="k-{{ kind }}" width="10" height="10" rx="2"></rect>
</svg>{{ label }}: {{ count }}</li>{% endfor %}</ul>
</section>
{% if findings is not none %}<section class="table findings">
<h2>The account and the hosts</h2>
{% if findings %}<div class="wide"><table>
<thead><tr><th>Difference</th><th>Order</th><th>Name</th><th>Cost</th><th>Ends</th><th>What it is</th>
<th>What to do</th></tr></thead>
<tbody>{% for one in findings %}<tr>
<td class="state-cell"><span class="state c-{{ one.colour }}">{{ one.label }}</span></td>
<td data-label="Order">{{ one.order_id or '' }}</td><td class="name"><b>{{ one.name }}</b></td>
<td class="cost{{ '' if one.cost else ' empty' }}" data-label="Cost">{{ one.cost }}</td><td data-label="Ends"
class="date{% if not one.end %} empty{% endif %}">{{ one.end }}</td>
<td class="reason" data-label="What it is">{{ one.reason }}</td><td class="reason"
data-label="What to do"><code>{{ one.remedy }}</code></td>
</tr>
{% endfor %}</tbody></table></div>{% else %}
<p>Every live order of the account belongs to one certificate of these hosts.</p>{% endif %}
{% if more_findings %}<p class="dim">{{ more_findings }} more are in the JSON file.</p>{% endif %}
</section>{% endif %}
<section class="table">
<h2>Certificates</h2>
<div class="tools"><input id="filter" type="search" placeholder="Filter by name, host, order, reason"
aria-label="Filter the table">
<button type="button" id="reset">Show all</button><span id="shown" class="dim" aria-live="polite"></span></div>
{% if rows %}<div class="wide"><table id="certificates">
<caption>The most urgent first. A date in red has passed; a date in amber is near.</caption>
<thead>
<tr>{% for label in columns %}<th scope="col" data-column="{{ loop.index0 }}">{{ label }}</th>{% endfor %}</tr>
</thead>
<tbody>
{% for row in rows %}<tr data-state="{{ row.state }}">
<td class="state-cell" data-sort="{{ row.rank }}"><span class="state c-{{ row.colour }}">{{ row.label }}</span></td>
<td class="name" data-sort="{{ row.name }}"><b>{{ row.name }}</b>{% if row.names %}<small>{{ row.names }}</small>
{% endif %}</td>
<td class="host" data-label="Host"
data-sort="{{ row.host }}">{{ row.host }}{% if row.order_host %}<small>copy from {{ row.order_host }}</small>
{% endif %}</td>
{% for cell in row.dates %}<td class="date{{ cell.css }}" data-label="{{ cell.label }}"
data-sort="{{ cell.day }}">{{ cell.day }}{% if cell.note %}<small>{{ cell.note }}</small>{% endif %}</td>
{% endfor %}<td class="order{{ '' if row.order else ' empty' }}" data-label="Order"
data-sort="{{ row.order }}">{{ row.order }}{% if row.product %}<small>{{ row.product }}</small>{% endif %}</td>
<td class="key{{ '' if row.key_type else ' empty' }}" data-label="Key"
data-sort="{{ row.key_type }}">{{ row.key_type }}</td>
<td class="reason" data-label="Reason"
data-sort="{{ row.reason }}">{{ row.reason }}{% for note in row.notes %}<small>{{ note }}</small>{% endfor %}</td>
</tr>
{% endfor %}</tbody>
</table></div>{% else %}<p>No host of the inventory has certificates in gogetssl_certificates.</p>{% endif %}
</section>
<section>
<details><summary>What the dates mean</summary><dl>
{% for term, text in explanations %}<dt>{{ term }}</dt><dd>{{ text }}</dd>
{% endfor %}</dl></details>
</section>
<script>{{ script }}</script>
</body>
</html>
"""
