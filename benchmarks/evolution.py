"""Time of the black-box attacks: many clips at a time, against one candidate after the other.

The loops below are the same methods with the same settings, written as published code is: NumPy on
one perturbation, one query after the other. Of the genetic search there is a second one that draws
and copies sample by sample, as the published code does. The target is a label that is never heard,
so that nothing stops early and all take the same number of iterations. Calls take turns, so that a
busy machine slows all of them, and medians are compared. On one thread the processor's time counts,
which is the same whoever else wants the processor; on several, the time of the clock on the wall.

    .venv/bin/python benchmarks/evolution.py --out results/evolution.json
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mondegreen.allocator import keep_memory
from mondegreen.attacks.black_box import BlackBoxAttack
from mondegreen.attacks.genetic import GeneticAttack
from mondegreen.attacks.particle_swarm import ParticleSwarm
from mondegreen.attacks.scores import CHUNK, ScoreFunction
from mondegreen.attacks.square import SquareAttack
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.files import write_json
from mondegreen.runs import command_line, environment

Steps = npt.NDArray[np.int16]
Ask = Callable[[npt.NDArray[Any]], float]
LIMIT = 255  # steps of 16 bits


def genetic_alone(ask: Ask, samples: int, iterations: int, random: np.random.Generator) -> None:
    """Search for one clip, one individual after the other, with whole-array operations."""

    def mutated(person: Steps) -> Steps:
        places = random.random(samples) < 5e-4
        person[places] += random.integers(-LIMIT, LIMIT + 1, int(places.sum()), dtype=np.int16)
        return np.clip(person, -LIMIT, LIMIT)

    def crossed(one: Steps, other: Steps) -> Steps:
        return np.where(random.random(samples) < 0.5, one, other)

    _breed(ask, [np.zeros(samples, np.int16)] * 20, iterations, random, crossed, mutated)


def genetic_by_sample(ask: Ask, samples: int, iterations: int, random: np.random.Generator) -> None:
    """Search for one clip, and in it draw for one sample after the other, as published."""

    def mutated(person: Steps) -> Steps:
        steps = person.tolist()
        for index in range(samples):
            if random.random() < 5e-4:
                moved = steps[index] + int(random.integers(-LIMIT, LIMIT + 1))
                steps[index] = min(LIMIT, max(-LIMIT, moved))
        return np.array(steps, np.int16)

    def crossed(one: Steps, other: Steps) -> Steps:
        first, child = one.tolist(), other.tolist()
        for index in range(samples):
            if random.random() < 0.5:
                child[index] = first[index]
        return np.array(child, np.int16)

    _breed(ask, [np.zeros(samples, np.int16)] * 20, iterations, random, crossed, mutated)


def _breed(
    ask: Ask,
    people: list[Steps],
    iterations: int,
    random: np.random.Generator,
    crossed: Callable[[Steps, Steps], Steps],
    mutated: Callable[[Steps], Steps],
) -> None:
    """Do what both genetic loops do: ask about everybody, keep two, breed the others."""
    people = [mutated(person.copy()) for person in people]
    for number in range(iterations):
        fitness = np.array([ask(person) for person in people])
        if number + 1 == iterations:
            return
        weights = np.exp((fitness - fitness.max()) / 0.01)
        weights /= weights.sum()
        elite = [people[index] for index in fitness.argsort()[-2:]]
        pairs = random.choice(len(people), size=(len(people) - 2, 2), p=weights)
        people = elite + [mutated(crossed(people[one], people[other])) for one, other in pairs]


def swarm_alone(ask: Ask, samples: int, iterations: int, random: np.random.Generator) -> None:
    """Let one swarm fly, one particle after the other."""
    position = [random.uniform(-LIMIT, LIMIT, samples).astype(np.float32) for _ in range(25)]
    velocity = [np.zeros(samples, np.float32) for _ in position]
    own, fitness = list(position), [ask(particle) for particle in position]
    for number in range(1, iterations):
        inertia = 0.9 - 0.8 * (number - 1) / max(1, iterations - 2)
        best = own[int(np.argmax(fitness))]
        for index, here in enumerate(position):
            pull = 1.4961 * random.random(samples, np.float32) * (own[index] - here)
            pull += 1.4961 * random.random(samples, np.float32) * (best - here)
            velocity[index] = np.clip(inertia * velocity[index] + pull, -2 * LIMIT, 2 * LIMIT)
            position[index] = np.clip(here + velocity[index], -LIMIT, LIMIT)
            found = ask(position[index])
            if found > fitness[index]:
                own[index], fitness[index] = position[index], found


def square_alone(ask: Ask, samples: int, iterations: int, random: np.random.Generator) -> None:
    """Try one burst after the other on one clip."""
    delta, best = np.zeros(samples, np.float32), -1.0
    length = round(0.1 * samples)
    for _ in range(iterations):
        begin = random.integers(samples - length + 1)
        cycles = 2.0 ** random.uniform(-8.0, -1.0)
        burst = np.sin(2 * np.pi * (cycles * np.arange(length) + random.random()))
        tried = delta.copy()
        tried[begin : begin + length] += 2 * LIMIT * burst
        tried = np.clip(tried, -LIMIT, LIMIT)
        found = ask(tried)
        if found > best:
            delta, best = tried, found


ALONE = {
    "genetic": genetic_alone,
    "genetic, by sample": genetic_by_sample,
    "particle-swarm": swarm_alone,
    "square": square_alone,
}
BATCHED: dict[str, tuple[BlackBoxAttack, int]] = {
    "genetic": (GeneticAttack(iterations=6), 6),
    "particle-swarm": (ParticleSwarm(epochs=1, iterations=5), 5),
    "square": (SquareAttack(queries=41), 40),
}
"""Each with the iterations that it makes here."""


class Bench:
    """One classifier and some clips of noise, whose wanted label is never heard."""

    def __init__(self, classifier: Classifier, clips: int) -> None:
        self.classifier, self.clips = classifier, clips
        self.random = np.random.default_rng(1)
        noise = 3_000 * self.random.standard_normal((clips, classifier.clip_samples))
        self.pcm = noise.astype(np.int16)
        self.x = torch.from_numpy(self.pcm.astype(np.float32) / 32_768)[:, None]
        self.never = len(classifier.labels)
        self.clock: Callable[[], float] = time.perf_counter

    def listen(self, x: Tensor) -> Tensor:
        """Return probabilities, those of one more label among them."""
        with torch.no_grad():
            return torch.nn.functional.pad(self.classifier(x).softmax(dim=1), (0, 1))

    def ask(self, steps: npt.NDArray[Any]) -> float:
        """Ask about one candidate of the first clip."""
        moved = np.clip(np.rint(steps) + self.pcm[0], -32_768, 32_767).astype(np.float32)
        return float(self.listen(torch.from_numpy(moved / 32_768)[None, None])[0, self.never])

    def batched(self, name: str, *, listening: bool = True) -> float:
        """Attack all clips; return ms for a clip and an iteration.

        Without listening, what remains is the attack's own time.
        """
        attack, iterations = BATCHED[name]
        flat = torch.eye(self.never + 1)[:1]

        def deaf(x: Tensor) -> Tensor:
            return flat.expand(len(x), -1)

        function: ScoreFunction = self.listen if listening else deaf
        start = self.clock()
        attack.against(function, self.x, [self.never] * self.clips, budget=None)
        return 1e3 * (self.clock() - start) / (iterations * self.clips)

    def alone(self, name: str) -> float:
        """Attack the first clip alone; return ms for an iteration."""
        iterations = {"genetic, by sample": 2, "square": 40}.get(name, 5)
        start = self.clock()
        ALONE[name](self.ask, self.x.shape[2], iterations, self.random)
        return 1e3 * (self.clock() - start) / iterations

    def forward(self, clips: int, calls: int) -> float:
        """Return the classifier's ms a clip."""
        x = self.x[:1].repeat(clips, 1, 1)
        start = self.clock()
        for _ in range(calls):
            self.listen(x)
        return 1e3 * (self.clock() - start) / (calls * clips)

    def round(self) -> dict[str, float]:
        """Time everything once, in turn."""
        times = {"classifier, 1 clip": self.forward(1, 40)}
        times[f"classifier, {CHUNK} clips"] = self.forward(CHUNK, 2)
        for name in BATCHED:
            times[f"{name}, batched"] = self.batched(name)
            times[f"{name}, batched, own time"] = self.batched(name, listening=False)
        for name in ALONE:
            times[f"{name}, one by one"] = self.alone(name)
        return times


def summary(rounds: list[dict[str, float]]) -> dict[str, Any]:
    """Return medians, and the median over the rounds of how many times faster the attacks are."""
    faster = {}
    for name in ALONE:
        batched = f"{name.partition(',')[0]}, batched"
        ratios = [times[f"{name}, one by one"] / times[batched] for times in rounds]
        faster[name] = statistics.median(ratios)
    medians = {name: statistics.median(times[name] for times in rounds) for name in rounds[0]}
    return {"ms": medians, "times_faster": faster}


def show(setting: dict[str, Any]) -> None:
    print(f"threads: {setting['threads']}")
    for name, value in setting["ms"].items():
        unit = "ms a clip" if name.startswith("classifier") else "ms a clip and iteration"
        print(f"  {name}: {value:.3f} {unit}")
    for name, value in setting["times_faster"].items():
        print(f"  times faster than {name} one by one: {value:.1f}")


def main() -> None:
    """Measure, print, and write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--classifier", default="zoo:speech-commands")
    parser.add_argument("--clips", type=int, default=32, help="attacked at the same time")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, torch.get_num_threads()])
    parser.add_argument("--out", type=Path, help="also write a JSON file")
    options = parser.parse_args()
    keep_memory()
    bench = Bench(load_classifier(options.classifier), options.clips)
    settings = []
    for threads in dict.fromkeys(options.threads):
        torch.set_num_threads(threads)
        bench.clock = time.process_time if threads == 1 else time.perf_counter
        rounds = [bench.round() for _ in range(options.rounds + 1)]
        clock = "processor" if threads == 1 else "wall"
        how = {"threads": threads, "clock": clock}
        settings.append({**how, **summary(rounds[1:])})  # the first one warms up
        show(settings[-1])
    if options.out is not None:
        about = {"clips": options.clips, "rounds": options.rounds, "chunk": CHUNK}
        about |= {"classifier": bench.classifier.name, "command": command_line()}
        content = {"format": 1, "settings": settings, **about, "environment": environment()}
        write_json(options.out, content)


if __name__ == "__main__":
    main()
