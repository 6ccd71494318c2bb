"""Pictures of docs/performance.md. Each has a ground of its own in light and dark: a page need not match what the system prefers."""
import math
from html import escape

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.ground { fill: #ffffff } .dim { fill: #59636e; font-size: 12px } .bar { fill: #8c959f } .ours { fill: #0969da } .line { stroke: #0969da; fill: none }
.axis { stroke: #d1d9e0 } .bound { stroke: #9a6700 } .bound-text { fill: #9a6700 } .strong { font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .ground { fill: #0d1117 } .dim { fill: #9198a1 } .bar { fill: #656c76 } .ours { fill: #4493f8 } .line { stroke: #4493f8 }
.axis { stroke: #3d444d } .bound { stroke: #d29922 } .bound-text { fill: #d29922 }
}"""


def picture(width, height, title, description, body):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc">\n'
        f'<title id="title">{escape(title)}</title>\n<desc id="desc">{escape(description)}</desc>\n<style>{STYLE}\n</style>\n'
        f'<rect class="ground" width="{width}" height="{height}" rx="6"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


# A bar longer than so many of ours is cut, as it would leave ours too short to see.
LONGEST = 30


def bars(title, rows):
    """Bars for (label, what it did, seconds, whether it is ours), from the quickest to the slowest."""
    width, left, right, top, step = 760, 250, 90, 58, 38
    rows = sorted(rows, key=lambda row: row[2])
    ours = next(seconds for *_, seconds, own in rows if own)
    most = min(rows[-1][2], LONGEST * ours)
    body = [text(20, 32, title, "strong")]
    for place, (label, did, seconds, own) in enumerate(rows):
        y = top + place * step
        long = (width - left - right) * min(seconds, most) / most
        body += [
            text(left - 12, y + 11, label, "strong" if own else "", "end"),
            text(left - 12, y + 26, did, "dim", "end"),
            f'<rect class="{"ours" if own else "bar"}" x="{left}" y="{y + 2}" width="{max(long, 1):.1f}" height="22" rx="2"/>',
        ]
        if seconds > most:
            x = left + long - 26
            body.append(f'<path class="ground" d="M{x:.1f} {y + 26}l8 -26h6l-8 26z"/>')
        body.append(text(left + long + 8, y + 18, f"{seconds:.2f} s", "strong" if own else ""))
    description = "; ".join(f"{label}, {did}: {seconds:.2f} seconds" for label, did, seconds, _ in rows)
    return picture(width, top + len(rows) * step + 14, title, description, body)


def growth(title, panels):
    """Panels side by side, each (what grows, its amounts, their names, lines of (name, [MiB by amount]), the MiB that are aimed at for an
    amount), on logarithmic axes."""
    width, height, wide, top, bottom = 760, 320, 350, 82, 270
    most = max(max([aim(amounts[-1]), *(mib for _, line in lines for mib in line)]) for _, amounts, _, lines, aim in panels)
    decades = range(0, math.ceil(math.log10(most)) + 1)
    body, descriptions = [text(20, 32, title, "strong")], []
    for place, (what, amounts, names, lines, aim) in enumerate(panels):
        left = 62 + place * (wide + 24)
        right = left + wide - 72
        least = amounts[0]
        span = math.log10(amounts[-1] / least)
        x = lambda amount: left + (right - left) * math.log10(amount / least) / span
        y = lambda mib: bottom - (bottom - top) * math.log10(max(mib, 1)) / decades[-1]
        path = lambda curve: "M" + "L".join(f"{x(amount):.1f} {y(mib):.1f}" for amount, mib in curve)
        body.append(text(left, 60, what, "dim"))
        for decade in decades:
            at = y(10**decade)
            body.append(f'<path class="axis" d="M{left} {at:.1f}H{right}"/>')
            body.append(text(left - 12, at + 4, f"{10**decade:,}", "dim", "end"))
        steps = [least * 10 ** (span * step / 40) for step in range(41)]
        body.append(f'<path class="bound" fill="none" stroke-dasharray="5 4" d="{path([(amount, aim(amount)) for amount in steps])}"/>')
        # Words stand on the side of their line where the others are not.
        below = max(line[0] for _, line in lines) < aim(least)
        body.append(text(left + 14, y(aim(least)) + (-7 if below else 17), "aim", "bound-text"))
        for amount, name in zip(amounts, names):
            body.append(text(x(amount), bottom + 22, name, "dim", "middle"))
        for number, (which, line) in enumerate(lines):
            dash = "" if number == 0 else ' stroke-dasharray="2 3"'
            body.append(f'<path class="line" stroke-width="2"{dash} d="{path(zip(amounts, line))}"/>')
            for place_of, (amount, mib) in enumerate(zip(amounts, line)):
                others = [other[place_of] for _, other in lines if other is not line]
                body.append(f'<circle class="ours" cx="{x(amount):.1f}" cy="{y(mib):.1f}" r="4"/>')
                # Of two lines that lie together one figure is enough.
                if number == 0 or all(mib < 0.8 * other for other in others):
                    above = all(mib >= other for other in others) and (mib > aim(amount) or number > 0 or len(lines) > 1)
                    body.append(text(x(amount), y(mib) + (-10 if above else 20), f"{mib:,.0f}", "", "middle"))
            told = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in zip(names, line))
            descriptions.append(f"{what}{f', {which}' if which else ''}: {told}")
    return picture(width, height, title, "; ".join(descriptions), body)
