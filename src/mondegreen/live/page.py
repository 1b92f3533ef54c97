"""The layout of the live page in Gradio: three tabs around a :class:`Studio`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mondegreen.live.attacking import MAX_DB, MAX_STEPS, MIN_DB, STEPPED, Answer, Request
from mondegreen.live.examples import Example
from mondegreen.live.studio import Studio

FORGET_SECONDS = 1800
"""Uploads and sessions are forgotten after half an hour."""


@dataclass(frozen=True)
class _Controls:
    """What an attack is asked for by, in the order of the request."""

    clip: gr.Audio
    model: gr.Dropdown
    target: gr.Radio
    snr_db: gr.Slider
    kind: gr.Radio
    steps: gr.Slider
    quietness: gr.Slider

    def inputs(self) -> list[Any]:
        return [
            self.clip,
            self.model,
            self.target,
            self.snr_db,
            self.kind,
            self.steps,
            self.quietness,
        ]


def theme() -> gr.themes.Base:
    """Return the page's theme: the project's colours, and fonts of the system only."""
    green = gr.themes.Color(
        c50="#eef7f3",
        c100="#d5ebe1",
        c200="#abd7c4",
        c300="#7cbfa3",
        c400="#4aa381",
        c500="#238362",
        c600="#0f6f4f",
        c700="#075c42",
        c800="#064935",
        c900="#053728",
        c950="#04150e",
    )
    grey = gr.themes.Color(
        c50="#f6f8f7",
        c100="#eef3f0",
        c200="#d3ddd8",
        c300="#b5c4bd",
        c400="#8fa098",
        c500="#6a7b73",
        c600="#4d5f57",
        c700="#2d3a35",
        c800="#1e2a26",
        c900="#151d1a",
        c950="#0d1311",
    )
    return gr.themes.Base(
        primary_hue=green,
        secondary_hue=green,
        neutral_hue=grey,
        radius_size=gr.themes.sizes.radius_lg,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"],
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        block_background_fill_dark="*neutral_900",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_600",
        button_primary_background_fill_dark="*primary_400",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="*primary_950",
    )


def build_page(studio: Studio, examples: Sequence[Example], concurrency: int) -> gr.Blocks:
    """Lay out the page and connect it.

    Args:
        studio: Answers the requests.
        examples: Ready clips.
        concurrency: Requests that are worked on at once; others wait.
    """
    with gr.Blocks(
        title="Mondegreen",
        analytics_enabled=False,
        fill_width=False,
        delete_cache=(FORGET_SECONDS // 6, FORGET_SECONDS),
    ) as page:
        _html(studio.text("head"))
        session = gr.State(None, time_to_live=FORGET_SECONDS)
        with gr.Tab("Attack"):
            _attack_tab(studio, examples, session)
        with gr.Tab("Channels"):
            _channels_tab(studio, session)
        with gr.Tab("Listen"):
            _listen_tab(studio)
        _html(studio.text("use"))
    built: gr.Blocks = page
    built.queue(max_size=128, default_concurrency_limit=concurrency, api_open=True)
    return built


def _html(content: str) -> gr.HTML:
    return gr.HTML(content, padding=False, elem_classes="mg-html")


def _clip_input(examples: Sequence[Example]) -> gr.Audio:
    clip = gr.Audio(
        label="Your clip",
        sources=["upload", "microphone"],
        type="filepath",
        editable=False,
        buttons=[],
        elem_classes="mg-clip",
    )
    if examples:
        gr.Examples(
            [[str(example.path)] for example in examples],
            clip,
            label="or a ready one",
            example_labels=[example.label for example in examples],
            examples_per_page=len(examples),
            cache_examples=False,
        )
        # Gradio deletes by age what was chosen once; these are for all who come later, too.
        clip.keep_in_cache.update(str(example.path) for example in examples)
    return clip


def _attack_tab(studio: Studio, examples: Sequence[Example], session: gr.State) -> None:
    with gr.Row():
        with gr.Column(scale=4, min_width=320):
            controls = _controls(studio, examples)
            button = gr.Button("Make it mishear", variant="primary", size="lg")
        with gr.Column(scale=7, min_width=340):
            shown = _html(studio.attack(None, "", lambda: Request("")).html)
            numbers = gr.JSON(visible=False)

    def attack(
        clip: str | None,
        model: str,
        target: str,
        snr_db: float,
        kind: str,
        steps: float,
        quietness: float,
    ) -> tuple[str, dict[str, Any], Answer | None]:
        answer = studio.attack(
            clip, model, lambda: Request(target, snr_db, kind, int(steps), quietness)
        )
        return answer.html, answer.numbers, answer.answer

    outputs = [shown, numbers, session]
    button.click(attack, controls.inputs(), outputs, api_name="attack")
    changes = [controls.clip.change, controls.target.input, controls.kind.input]
    releases = [slider.release for slider in (controls.snr_db, controls.steps, controls.quietness)]
    gr.on(
        [*changes, *releases],
        attack,
        controls.inputs(),
        outputs,
        api_visibility="private",
        trigger_mode="always_last",
        show_progress="hidden",
    )
    _follow_the_model(studio, controls, attack, outputs)


def _controls(studio: Studio, examples: Sequence[Example]) -> _Controls:
    first = next(iter(studio.models.values()))
    clip = _clip_input(examples)
    ready = [example.label for example in examples]
    fresh = [one for one in first.targets if one not in ready]  # else an example may be it already
    target = gr.Radio(
        [*first.targets],
        value=(fresh or first.targets)[-1],
        label="shall be heard as",
        elem_classes="mg-words",
    )
    snr_db = gr.Slider(
        MIN_DB, MAX_DB, value=20, step=1, label="Signal over noise, in dB: more is quieter"
    )
    with gr.Accordion("Model and attack", open=False):
        model = gr.Dropdown(
            [(model.title, name) for name, model in studio.models.items()],
            value=first.name,
            label="Model",
        )
        kind = gr.Radio(studio.attack_kinds(first.name), value="generator", label="Attack")
        steps = gr.Slider(1, MAX_STEPS, value=10, step=1, label="Gradient steps", visible=False)
        quietness = gr.Slider(0, 1, value=0, step=0.05, label="Quietness", visible=first.has_dial)

    def fit(kind: str, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
        dial = studio.models[model].has_dial and kind in ("generator", "refined")
        return gr.update(visible=kind in STEPPED), gr.update(visible=dial)

    kind.change(
        fit, [kind, model], [steps, quietness], api_visibility="private", show_progress="hidden"
    )
    return _Controls(clip, model, target, snr_db, kind, steps, quietness)


def _follow_the_model(studio: Studio, controls: _Controls, attack: Any, outputs: list[Any]) -> None:
    """Offer the targets and the attacks of the chosen model, then attack it."""

    def offer(model: str, target: str, kind: str) -> tuple[dict[str, Any], ...]:
        chosen, kinds = studio.models[model], studio.attack_kinds(model)
        keeps = kind in [short for _, short in kinds]
        return (
            gr.update(
                choices=[*chosen.targets],
                value=target if target in chosen.targets else chosen.targets[0],
            ),
            gr.update(choices=kinds, value=kind if keeps else "generator"),
            gr.update(visible=chosen.has_dial),
        )

    controls.model.input(
        offer,
        [controls.model, controls.target, controls.kind],
        [controls.target, controls.kind, controls.quietness],
        api_visibility="private",
        show_progress="hidden",
    ).then(attack, controls.inputs(), outputs, api_visibility="private", show_progress="hidden")


def _channels_tab(studio: Studio, session: gr.State) -> None:
    paths = studio.paths
    with gr.Row():
        with gr.Column(scale=4, min_width=320):
            chosen = gr.CheckboxGroup(
                [(f"{text}\n{paths.about[text]}", text) for text in paths.available],
                value=[*paths.available[:4]],
                label="What lies between attacker and classifier",
                elem_classes="mg-list",
            )
            chain = gr.Checkbox(False, label="One after the other, as a chain")
            button = gr.Button("Send it through", variant="primary", size="lg")
            if paths.unavailable:
                _html(studio.text("unavailable"))
        with gr.Column(scale=7, min_width=340):
            shown = _html(studio.channels(None, [], chain=False).html)
            numbers = gr.JSON(visible=False)

    def send(answer: Answer | None, chosen: list[str], chain: bool) -> tuple[str, dict[str, Any]]:
        found = studio.channels(answer, chosen, chain=chain)
        return found.html, found.numbers

    button.click(send, [session, chosen, chain], [shown, numbers], api_name="channels")


def _listen_tab(studio: Studio) -> None:
    with gr.Row():
        with gr.Column(scale=4, min_width=320):
            clip = _clip_input(())
            model = gr.Dropdown(
                [(model.title, name) for name, model in studio.models.items()],
                value=next(iter(studio.models)),
                label="Model",
            )
        with gr.Column(scale=7, min_width=340):
            shown = _html(studio.listen(None, "").html)
            numbers = gr.JSON(visible=False)

    def listen(clip: str | None, model: str) -> tuple[str, dict[str, Any]]:
        found = studio.listen(clip, model)
        return found.html, found.numbers

    gr.on([clip.change, model.input], listen, [clip, model], [shown, numbers], api_name="listen")
