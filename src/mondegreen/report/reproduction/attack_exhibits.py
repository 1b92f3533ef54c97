"""Tables and figures of the attacks: success, rivals and quality (sections V-B and V-C)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from mondegreen.report.comparison_figures import (
    figure_names,
    success_over_pesq,
    success_over_snr,
)
from mondegreen.report.comparison_panels import success_over_queries
from mondegreen.report.formatting import number, percent
from mondegreen.report.paper import SETTINGS, SPEECH, ReportedSetting
from mondegreen.report.reproduction import tables
from mondegreen.report.reproduction.clips import attacked_clips, rows_of
from mondegreen.report.reproduction.exhibit import (
    BEYOND,
    Drawing,
    Exhibit,
    claims_of,
    figure_of,
    reasons,
)
from mondegreen.report.reproduction.figures import error_rates, success_matrices
from mondegreen.report.reproduction.generators import Missing
from mondegreen.report.reproduction.results import KINDS, Reproduction, Setting

WORDS = ("above-90-speech", "no-to-yes", "favoured-targets", "favoured-sources")
"""Claims about single words."""
CURVES = {
    "success_over_snr": (success_over_snr, "Success over the signal-to-noise ratio kept"),
    "success_over_pesq": (success_over_pesq, "Success over mean narrow-band PESQ"),
}


def success(found: Reproduction) -> Iterator[Exhibit]:
    """Return the paper's Figs. 4 to 6."""
    for setting in found.settings:
        yield _matrix(setting, ("single", "unified"), "")
        yield _matrix(setting, ("spectral",), "-spectral")
    for reported in _absent(found):
        title = f"Success by source and target on {reported.data}"
        claims, missing = claims_of(reported, "success"), Missing(found.absent(reported))
        key = f"success-matrix-paper-{reported.key}"
        yield Exhibit(key, "success", figure_of(reported), title, "", claims, missing)
    shown = [one for one in found.settings if one.measured()]
    drawing = Drawing(partial(error_rates, found), _errors(shown))
    yield Exhibit(
        "error-rates",
        "success",
        "Fig. 6",
        "Error rates over the cells off the diagonal",
        "Boxes: quartiles and median; whiskers: 1.5 quartile ranges; circles: outliers. Grey: "
        "range, mean and standard deviation as the paper reports them; it gives no quartiles.",
        ("error-range-speech", "error-range-music", "outliers-speech", "outliers-music"),
        drawing if shown else Missing("no generator was measured"),
    )


def _absent(found: Reproduction) -> list[ReportedSetting]:
    """Return the paper's settings that nothing in the run stands beside."""
    return [reported for reported in SETTINGS if not found.beside(reported)]


def _matrix(setting: Setting, kinds: tuple[str, ...], ending: str) -> Exhibit:
    measured, reported = setting.measured(), setting.reported
    shown = [kind for kind in kinds if kind in measured]
    rates = ", ".join(f"{KINDS[kind]} {percent(measured[kind].success_rate, 1)}" for kind in shown)
    title = f"Success by source and target on {setting.data}"
    claims = claims_of(reported, "success") + (WORDS if reported is SPEECH else ())
    average = ""
    if reported and not ending:
        average = f" The paper reports {percent(reported.proposed.success_rate)} on average."
    draw = partial(success_matrices, setting, kinds)
    drawing = Drawing(draw, f"{title}: {rates}.", coloured=True)
    return Exhibit(
        f"success-matrix-{setting.key}{ending}",
        "success",
        BEYOND if ending else figure_of(reported),
        title,
        "Rows: what was said. Columns: what it should be heard as. The diagonal is blank, where "
        f"the paper prints zero.{average}",
        () if ending else claims,
        drawing if shown else Missing(reasons(setting, kinds)),
    )


def _errors(settings: Sequence[Setting]) -> str:
    parts = [
        f"{setting.key}, {KINDS[kind]}: {percent(min(scores.errors), 1)} to "
        f"{percent(max(scores.errors), 1)}"
        for setting in settings
        for kind, scores in setting.measured().items()
        if scores.errors
    ]
    return f"Box plots of error rates. {'; '.join(parts)}."


def rivals(found: Reproduction) -> Iterator[Exhibit]:
    """Return the paper's Table 1, for every setting and for those of the paper that are absent."""
    for setting in found.settings:
        table = tables.table_1(setting)
        claims = _table_1_claims(setting.reported)
        place = "Table 1" if setting.reported else "as Table 1"
        yield Exhibit(f"table-1-{setting.key}", "rivals", place, table.title, "", claims, table)
        compared = setting.comparison
        if not isinstance(compared, Missing) and "success_over_queries" in figure_names(compared):
            shows = "Success within so many queries"
            attacks = ", ".join(compared.labels)
            yield Exhibit(
                f"success-over-queries-{setting.key}",
                "rivals",
                BEYOND,
                f"{shows}, {setting.data}",
                "Attacks that hear probabilities only; the generator needs no query.",
                claims_of(setting.reported, "rivals"),
                Drawing(partial(success_over_queries, compared), f"{shows}: {attacks}."),
            )
    for reported in _absent(found):
        table = tables.absent_table_1(reported, found.absent(reported))
        claims, key = _table_1_claims(reported), f"table-1-paper-{reported.key}"
        yield Exhibit(key, "rivals", "Table 1", table.title, "", claims, table)


def _table_1_claims(reported: ReportedSetting | None) -> tuple[str, ...]:
    claims = claims_of(reported, "success", "rivals", "quality")
    return claims + (("rivals-snr", "faster", "milliseconds") if reported is SPEECH else ())


def quality(found: Reproduction) -> Iterator[Exhibit]:
    """Return the paper's Table 2 and Fig. 7, and success over SNR and over PESQ."""
    for setting in found.settings:
        table = tables.table_2(setting)
        place = "Table 2" if setting.reported else "as Table 2"
        claims = claims_of(setting.reported, "quality")
        content = table if setting.measured() else Missing(reasons(setting))
        yield Exhibit(f"table-2-{setting.key}", "quality", place, table.title, "", claims, content)
        yield _clips(found, setting)
        yield from _curves(setting)
    for reported in _absent(found):
        snr, pesq = number(reported.proposed.snr_db, 2, "dB"), number(reported.proposed.pesq, 3)
        why = f"{found.absent(reported)} (the paper reports {snr} and a PESQ of {pesq})"
        title = f"SNR and PESQ by target on {reported.data}"
        claims, key = claims_of(reported, "quality"), f"table-2-paper-{reported.key}"
        yield Exhibit(key, "quality", "Table 2", title, "", claims, Missing(why))


def _clips(found: Reproduction, setting: Setting) -> Exhibit:
    rows = rows_of(found, setting.key)
    content: Drawing | Missing = Missing("no clip was kept as sound")
    if rows:
        one = rows[0][0]
        attacks = ", ".join(row[0].title for row in rows)
        summary = f"“{one.source}” → “{one.target}” by {attacks}: waveforms and spectrograms."
        content = Drawing(partial(attacked_clips, rows), summary, True, True)
    elif any(one.setting == setting.key for one in found.examples):
        content = Missing("its sounds are not at hand")
    return Exhibit(
        f"clips-{setting.key}",
        "quality",
        "Fig. 7",
        f"A clip and its adversarial examples, {setting.data}",
        "One row an attack: (a), (b) waveforms; (c), (d) spectrograms, 80 dB from black to white; "
        "(e) the residual; (f) ten times the residual. Amplitudes: full scale is 1.",
        ("rivals-snr", "prefers-places") if setting.reported is SPEECH else (),
        content,
    )


def _curves(setting: Setting) -> Iterator[Exhibit]:
    curves = setting.curves
    if isinstance(curves, Missing):
        title = f"Success over SNR and over PESQ, {setting.data}"
        yield Exhibit(f"curves-{setting.key}", "quality", BEYOND, title, "", (), curves)
        return
    for name, (draw, shows) in CURVES.items():
        if name in figure_names(curves):
            yield Exhibit(
                f"{name.replace('_', '-')}-{setting.key}",
                "quality",
                BEYOND,
                f"{shows}, {setting.data}",
                "The same pairs for every attack; bands, where there are, are the 95 % intervals.",
                (),
                Drawing(partial(draw, curves), f"{shows} of {', '.join(curves.labels)}."),
            )
