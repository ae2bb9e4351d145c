"""The report's building blocks: numbers as text, charts as SVG, tables as HTML.

Everything here returns markup that is well-formed XML and HTML alike, and escapes every value it is given. Colours and fonts are the
style sheet's. Charts have no viewBox: what lies along x is given in percent, what lies along y in pixels, so that a chart is as wide as its
place and its text keeps its size. They work without script: tooltips are <title> elements, and each chart has a table of its numbers.
"""
import html
import itertools
import math

PLOT_TOP, PLOT_HEIGHT, AXIS_HEIGHT, AXIS_WIDTH = 8, 180, 24, 62
MOST_X_LABELS = 5
DENSE = 60          # points from which lines are thinner and not dashed
MOST_COLOURS = 7

_ids = itertools.count(1)


def escape(value):
    """Text for content and attributes. Control characters, which neither HTML nor XML may hold, become their Unicode pictures."""
    text = ''.join(chr(0x2400 + ord(c)) if ord(c) < 32 else '\ufffd' if 0x7f <= ord(c) < 0xa0 or ord(c) in (0xfffe, 0xffff) else c
                   for c in str(value))
    return html.escape(text, quote=True)


def shorten(value, most):
    text = str(value)
    return text if len(text) <= most else text[:most - 1] + '…'


def name(value, most=80):
    """A value of the data as a label: isolated, so that its direction of writing does not spread; what is cut off is its tooltip."""
    if value is None or value == '':
        return '<i>none</i>'
    tooltip = f' title="{escape(shorten(value, 500))}"' if len(str(value)) > most else ''
    return f'<bdi{tooltip}>{escape(shorten(value, most))}</bdi>'


# ---- Numbers. JSON of PostgreSQL writes NaN and infinity as strings; a chart has no place for them.

def number(value):
    """A finite number, or None."""
    try:
        value = float(value)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def plain(value):
    value = number(value)
    if value is None:
        return '–'
    size = abs(value)
    if size >= 100 or value == int(value):
        return f'{value:,.0f}'
    if size >= 1:
        return f'{value:,.1f}'
    return f'{value:.2g}' if size >= 0.001 else f'{value:.1e}'


def compact(value):
    """For axes and tiles: 12.3 k, 4.5 M."""
    value = number(value)
    if value is None:
        return '–'
    for least, unit, suffix in ((1e12, 1e12, 'T'), (1e9, 1e9, 'G'), (1e6, 1e6, 'M'), (1e4, 1e3, 'k')):
        if abs(value) >= least:
            value /= unit
            return f'{value:,.0f} {suffix}' if abs(value) >= 100 else f'{value:.3g} {suffix}'
    return plain(value)


def milliseconds(value):
    return plain(value) + ('' if number(value) is None else ' ms')


def seconds(value):
    """Milliseconds, a thousand and more as seconds."""
    value = number(value)
    return milliseconds(value) if value is None or value < 1000 else f'{plain(value / 1000)} s'


def percent(value):
    return plain(value) + ('' if number(value) is None else ' %')


def dollars(value):
    value = number(value)
    if value is None:
        return '–'
    return f'${value:,.2f}' if value == 0 or abs(value) >= 0.1 else f'${value:.2g}'


def ratio(value):
    value = number(value)
    return '–' if value is None else f'{value:,.1f}×'


def size(value):
    """Bytes, with the units of pg_size_pretty."""
    value = number(value)
    if value is None:
        return '–'
    for unit in ('bytes', 'kB', 'MB', 'GB'):
        if abs(value) < 1024:
            break
        value /= 1024
    else:
        unit = 'TB'
    return f'{value:,.0f} {unit}' if unit == 'bytes' or value >= 100 else f'{value:,.1f} {unit}'


# ---- Tables

def table(headers, rows, caption, kind=''):
    """Headers are text, cells markup. The first column is the rows' heading, the others are numbers."""
    head = ''.join(f'<th scope="col">{escape(h)}</th>' for h in headers)
    body = ''.join(f'<tr><th scope="row">{row[0]}</th>' + ''.join(f'<td>{cell}</td>' for cell in row[1:]) + '</tr>\n' for row in rows)
    return (f'<table class="{kind}"><caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n'
            f'<tbody>\n{body}</tbody></table>\n')


def bars(shares, tooltips):
    """Bars from the left, one below the other, in colours 1, 2, …; a share lies between 0 and 1."""
    drawn = []
    for i, (share, tooltip) in enumerate(zip(shares, tooltips)):
        share = min(max(number(share) or 0, 0), 1)
        drawn.append(f'<rect class="track" y="{i * 9}" width="100%" height="7" rx="1"><title>{escape(tooltip)}</title></rect>'
                     f'<rect class="f{i + 1}" y="{i * 9}" width="{share * 100:.2f}%" height="7" rx="1"><title>{escape(tooltip)}</title></rect>')
    return f'<svg class="bars" height="{len(drawn) * 9 - 2}" aria-hidden="true" focusable="false">{"".join(drawn)}</svg>'


def bar_table(title, note, headers, rows, legend=()):
    """A table that is its own chart. A row: label markup, [(share, tooltip), …] of the bars below the label, further cells (markup)."""
    if not rows:
        return figure(title, note, empty())
    cells = [[f'{label}{bars([s for s, _ in drawn], [t for _, t in drawn])}', *rest] for label, drawn, *rest in rows]
    return figure(title, note, legend_of(legend) + f'<div class="wide">{table(headers, cells, title, "bars")}</div>')


def top_list(title, note, headers, rows, tooltip_unit=''):
    """Names with numbers, longest bar first: rows are (name, number, further cell text …)."""
    longest = max((number(row[1]) or 0 for row in rows), default=0) or 1
    return bar_table(title, note, headers, [
        (name(row[0]), [((number(row[1]) or 0) / longest, f'{shorten(row[0], 80)}: {plain(row[1])} {tooltip_unit}'.strip())],
         plain(row[1]), *map(escape, row[2:])) for row in rows])


# ---- Charts over time

def ticks(top):
    """Round numbers from 0 to at least top, three to five steps."""
    if not top > 0:
        return [0, 1]
    step = 10 ** math.floor(math.log10(top))
    for factor in (0.2, 0.25, 0.5, 1, 2, 2.5):
        if top / (step * factor) <= 5:
            step *= factor
            break
    return [step * i for i in range(math.ceil(top / step - 1e-9) + 1)]


def powers(least, most):
    """Powers of ten around two positive numbers."""
    low = math.floor(math.log10(least) + 1e-9)
    high = max(math.ceil(math.log10(most) - 1e-9), low + 1)
    return [10.0 ** i for i in range(low, high + 1)]


def time_chart(title, note, times, series, kind='line', show=plain, axis=None):
    """series: [(name, [number or None, …])], at most MOST_COLOURS of them; times: [(label on the axis or None, label in full)].

    kind: line, log (lines on a logarithmic scale), area (a line on a filled ground), stack (bars, one upon the other).
    """
    series = [(label, [number(v) for v in values]) for label, values in series[:MOST_COLOURS]]
    if not times or not any(v is not None for _, values in series for v in values):
        return figure(title, note, empty())
    axis = axis or show
    heights = ([sum(v or 0 for v in column) for column in zip(*(values for _, values in series))] if kind == 'stack'
               else [v for _, values in series for v in values if v is not None])
    positive = [v for v in heights if v > 0]
    logarithmic = kind == 'log' and positive
    scale = powers(min(positive), max(positive)) if logarithmic else ticks(max(heights))
    bottom = PLOT_TOP + PLOT_HEIGHT

    def y(value):
        if logarithmic:
            value = math.log(max(value, scale[0]) / scale[0]) / math.log(scale[-1] / scale[0])
        else:
            value /= scale[-1]
        return bottom - min(max(value, 0), 1) * PLOT_HEIGHT

    def middle(i):
        return (i + 0.5) / len(times) * 100

    out = []
    for value in scale:
        out.append(f'<line class="{"grid" if value != scale[0] else "axis"}" x1="0" x2="100%" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
    out.append(stacked(times, series, y, middle) if kind == 'stack' else lines(times, series, y, kind))
    beside = ''.join(f'<text class="tick" x="{AXIS_WIDTH - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{escape(axis(value))}</text>' for value in scale)

    marked = [i for i, (short, _) in enumerate(times) if short is not None]
    every = math.ceil(len(marked) / MOST_X_LABELS)
    for i in marked[::every] if every else []:
        anchor = 'start' if middle(i) < 7 else 'end' if middle(i) > 93 else 'middle'
        at = 0 if anchor == 'start' else 100 if anchor == 'end' else middle(i)
        out.append(f'<line class="axis" x1="{middle(i):.2f}%" x2="{middle(i):.2f}%" y1="{bottom}" y2="{bottom + 4}"/>'
                   f'<text class="tick" x="{at:.2f}%" y="{bottom + 17}" text-anchor="{anchor}">{escape(times[i][0])}</text>')

    # an invisible column for each time, which has the tooltip and lights up
    for i, (_, full) in enumerate(times):
        said = '\n'.join([full] + [f'{shorten(label, 60)}: {show(values[i])}' for label, values in series if values[i] is not None])
        # line feeds stay: browsers break tooltips there
        said = '\n'.join(map(escape, said.split('\n')))
        out.append(f'<rect class="hit" x="{i / len(times) * 100:.3f}%" width="{100 / len(times):.3f}%" y="{PLOT_TOP}" '
                   f'height="{PLOT_HEIGHT}"><title>{said}</title></rect>')

    me = f'chart{next(_ids)}'
    known = [(sum(v for v in values if v is not None), max(v for v in values if v is not None), label)
             for label, values in series if any(v is not None for v in values)]
    said = f'{len(times)} points from {times[0][1]} to {times[-1][1]}. ' + ' '.join(
        f'{shorten(label, 60)}: at most {show(most)}.' for _, most, label in known)
    chart = (f'<div class="plot"><svg width="{AXIS_WIDTH}" height="{bottom + AXIS_HEIGHT}" aria-hidden="true" focusable="false">{beside}</svg>'
             f'<svg class="chart" height="{bottom + AXIS_HEIGHT}" role="img" aria-labelledby="{me}t {me}d">'
             f'<title id="{me}t">{escape(title)}</title><desc id="{me}d">{escape(said)}</desc>\n' + '\n'.join(out) + '</svg></div>\n')
    numbers = table(['Time (UTC)'] + [label for label, _ in series],
                    [[escape(full)] + [escape(show(values[i])) for _, values in series] for i, (_, full) in enumerate(times)], title)
    return figure(title, note, legend_of([label for label, _ in series], kind, len(times) >= DENSE) + chart +
                  f'<details><summary>Numbers</summary><div class="scroll" tabindex="0">{numbers}</div></details>')


def lines(times, series, y, kind):
    out = []
    for number_of, (_, values) in reversed(list(enumerate(series, 1))):
        runs, run = [], []
        for i, value in enumerate(values + [None]):
            if value is not None:
                run.append((i + 0.5, y(value) - PLOT_TOP))
            elif run:
                runs.append(run)
                run = []
        for run in runs:
            # a single point is a line of no length, which round ends make a dot
            points = ' '.join(f'{x:g},{at:.1f}' for x, at in (run if len(run) > 1 else run * 2))
            if kind == 'area':
                out.append(f'<polygon class="f{number_of} ground" points="{run[0][0]:g},{PLOT_HEIGHT} {points} {run[-1][0]:g},{PLOT_HEIGHT}"/>')
            out.append(f'<polyline class="l{number_of}" points="{points}"/>')
    return (f'<svg class="{"dense" if len(times) >= DENSE else ""}" y="{PLOT_TOP}" width="100%" height="{PLOT_HEIGHT}" viewBox="0 0 {len(times)} {PLOT_HEIGHT}" '
            f'preserveAspectRatio="none" overflow="visible">{"".join(out)}</svg>')


def stacked(times, series, y, middle):
    out = []
    width = 80 / len(times)
    for i in range(len(times)):
        below = 0
        for number_of, (_, values) in enumerate(series, 1):
            value = values[i] or 0
            if value > 0:
                top, bottom = y(below + value), y(below)
                out.append(f'<rect class="f{number_of}" x="{middle(i) - width / 2:.3f}%" width="{width:.3f}%" y="{top:.1f}" height="{bottom - top:.1f}"/>')
                below += value
    return ''.join(out)


# ---- What frames them

def legend_of(labels, kind='stack', dense=False):
    if len(labels) < 2:
        return ''
    shape = '<rect class="f{0}" width="12" height="12" rx="2"/>' if kind == 'stack' else '<line class="l{0}" x1="1" x2="17" y1="6" y2="6"/>'
    return f'<ul class="legend{" dense" if dense else ""}">' + ''.join(
        f'<li><svg width="{12 if kind == "stack" else 18}" height="12" aria-hidden="true" focusable="false">{shape.format(i)}</svg>{name(label, 40)}</li>'
        for i, label in enumerate(labels, 1)) + '</ul>\n'


def figure(title, note, body):
    return f'<figure>\n<figcaption><h3>{escape(title)}</h3><p>{escape(note)}</p></figcaption>\n{body}</figure>\n'


def empty():
    return '<p class="empty">No rows.</p>\n'


def tiles(pairs):
    """[(what, value text, note text)]"""
    return '<dl class="tiles">' + ''.join(
        f'<div><dt>{escape(what)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>' for what, value, note in pairs) + '</dl>\n'
