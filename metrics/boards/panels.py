"""The few kinds of panel that the boards are made of: a number, a graph, a table. Look and units are told here, once."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

#: as deploy/grafana/provisioning/datasources names it
SOURCE = model.DataSourceRef(type_val="prometheus", uid="prometheus")
GREEN, ORANGE, RED = "green", "orange", "red"

Graph = timeseries.Panel
Queries = Mapping[str, str]
Steps = Sequence[tuple[float | None, str]]


def board(uid: str, title: str, description: str) -> dashboard.Dashboard:
    """Return an empty board with the choice of a registry; times are shown as the browser has them."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["pratunam"])
        .timezone("browser")
        .refresh("5s")
        .time("now-30m", "now")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(
            dashboard.QueryVariable("registry")
            .label("Registry")
            .query("label_values(pratunam_registry_rate_limit, registry)")
            .datasource(SOURCE)
            .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(model.VariableSort.ALPHABETICAL_ASC)
        )
    )


def number(
    title: str, description: str, expr: str, unit: str, steps: Steps = ((None, GREEN),), width: int = 4
) -> stat.Panel:
    """Return one number with its colour by `steps` (from value, colour)."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .height(4)
        .span(width)
        .unit(unit)
        .no_value("–")
        .thresholds(_thresholds(steps))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .with_target(_query("A", "", expr).instant())
    )


def graph(title: str, description: str, queries: Queries, unit: str, width: int = 12) -> Graph:
    """Return lines over time, one a query (legend → expression)."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .height(8)
        .span(width)
        .unit(unit)
        .min(0)
        .line_width(1)
        .fill_opacity(8)
        .show_points(common_model.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_model.LegendDisplayMode.LIST)
            .placement(common_model.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    for letter, (legend, expr) in zip("ABCDEFGHIJ", queries.items(), strict=False):
        panel = panel.with_target(_query(letter, legend, expr).range())
    return panel


def rows(title: str, description: str, columns: Queries, words: Queries, units: Queries) -> table.Panel:
    """Return a table: one query a column, joined on the labels they share; `words` are columns of labels (label → heading)."""
    panel = table.Panel().title(title).description(description).datasource(SOURCE).height(16).span(24)
    letters = dict(zip("ABCDEFGHIJKLMNOP", columns.items(), strict=False))
    for letter, (_, expr) in letters.items():
        panel = panel.with_target(_query(letter, "", expr).instant().format(PromQueryFormat.TABLE))
    for heading, unit in units.items():
        panel = panel.override_by_name(heading, [model.DynamicConfigValue("unit", unit)])
    headings = {f"Value #{letter}": heading for letter, (heading, _) in letters.items()}
    order = {name: place for place, name in enumerate([*words, *headings])}
    return panel.with_transformation(
        model.DataTransformerConfig(id_val="merge", options={})
    ).with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {"Time": True}
                | {name: True for name, heading in headings.items() if not heading.strip()},
                "indexByName": order,
                "renameByName": dict(words) | headings,
            },
        )
    )


def _query(letter: str, legend: str, expr: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(letter).expr(expr).legend_format(legend).datasource(SOURCE)


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value, colour) for value, colour in steps])
    )
