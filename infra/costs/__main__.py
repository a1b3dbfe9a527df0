"""Count what a month costs: `make costs`; `RENEW=1` writes it into docs/costs.md.

Numbers of resources and defaults are the template's, metrics those of `chalicelib/metrics.py`.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence

import yaml

from infra import package
from infra.costs.prices import PRICES
from infra.costs.usage import Business, Template, of_business, of_template

PAGE = package.ROOT / "docs" / "costs.md"
BEGIN, END = "<!-- make costs RENEW=1 -->\n", "<!-- end -->\n"

_SIZES = (10_000, 100_000, 1_000_000)
_QUESTIONS = 10_000_000
_COGNITO = ("machines", "tokens")

Usage = Mapping[str, float]


def usage(business: Business, template: Template) -> dict[str, float]:
    """The amount of each line of the bill, in its order."""
    used = {**of_template(template), **of_business(business, template)}
    return {name: used[name] for name in PRICES}


def tables(template: Template) -> str:
    """The tables of docs/costs.md."""
    parts = [_summary(template)]
    for users in _SIZES:
        parts.append(f"## {users:,} users\n")
        parts.append(_bill(usage(Business(users=users), template)))
    parts.append(f"## {_QUESTIONS:,} questions of gateways more\n")
    parts.append(_more(template))
    parts.append("## Prices\n")
    parts.append("\n".join(_prices()) + "\n")
    return "\n".join(parts)


def renewed(page: str, template: Template) -> str:
    """Return the page with new tables."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables(template)}\n{END}{after}"


def _summary(template: Template) -> str:
    parameters = template["Parameters"]
    longest = parameters["GatewayTokenMinutes"]["MaxValue"]
    ways = [f"`GatewayTokenMinutes = {longest}`", "`TokenIssuer`: no Cognito"]
    lines = [
        "| users | DynamoDB alone | all | all, less what is free | " + " | ".join(ways) + " |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    patient = {
        **template,
        "Parameters": {**parameters, "GatewayTokenMinutes": {"Default": longest}},
    }
    for users in _SIZES:
        business = Business(users=users)
        used = usage(business, template)
        cells = [
            _cents({name: used[name] for name in ("writes", "reads", "stored", "recoverable")}),
            _cents(used),
            _cents(used, less_free=True),
            _cents(usage(business, patient)),
            _cents({name: used[name] for name in used if name not in _COGNITO}),
        ]
        lines.append(f"| {users:,} | {' | '.join(map(_dollars, cells))} |")
    return "\n".join(lines) + "\n"


def _bill(used: Usage) -> str:
    lines = [
        "| what | counted | list price | less what is free |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, price in PRICES.items():
        charged = [price.cents(used[name]), price.cents(used[name], less_free=True)]
        lines.append(_row(price.what, _amount(used[name], price.unit), *charged))
    lines.append(_row("**together**", "", _cents(used), _cents(used, less_free=True)))
    return "\n".join(lines) + "\n"


def _more(template: Template) -> str:
    """What the questions add to a bill, at list prices."""
    few = usage(Business(users=_SIZES[0]), template)
    many = usage(Business(users=_SIZES[0], questions=_QUESTIONS, processes=6), template)
    added = {name: many[name] - few[name] for name in PRICES if many[name] > few[name]}
    lines = ["| what | counted | list price |", "| --- | ---: | ---: |"]
    lines += [
        _row(PRICES[name].what, _amount(amount, PRICES[name].unit), PRICES[name].cents(amount))
        for name, amount in added.items()
    ]
    lines.append(_row("**together**", "", _cents(added)))
    return "\n".join(lines) + "\n"


def _prices() -> Iterator[str]:
    yield "| what | price | free each month | source |"
    yield "| --- | --- | --- | --- |"
    for price in PRICES.values():
        unit = f"{price.per:,} {price.unit}" if price.per > 1 else price.unit.removesuffix("s")
        free = f"{price.free:,} {price.unit}" if price.free else "none"
        yield f"| {price.what} | ${price.dollars} per {unit} | {free} | {price.source} |"


def _row(what: str, counted: str, *cents: int) -> str:
    return f"| {what} | {counted} | {' | '.join(map(_dollars, cents))} |"


def _cents(used: Usage, *, less_free: bool = False) -> int:
    """The sum of the lines, each in whole cents, so that a table adds up."""
    return sum(PRICES[name].cents(amount, less_free=less_free) for name, amount in used.items())


def _dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"


def _amount(amount: float, unit: str) -> str:
    if unit == "GB":
        return f"{amount:,.2f} {unit}"
    # The others stand in the name of the line.
    return f"{amount:,.0f} {unit}" if unit[0].isupper() else f"{amount:,.0f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.costs", description=__doc__)
    parser.add_argument("--renew", action="store_true", help="write docs/costs.md")
    given = parser.parse_args(arguments)
    package.build()
    template = yaml.safe_load(package.TEMPLATE.read_text())
    if given.renew:
        PAGE.write_text(renewed(PAGE.read_text(), template))
    else:
        sys.stdout.write(tables(template))
    return 0


if __name__ == "__main__":
    sys.exit(main())
