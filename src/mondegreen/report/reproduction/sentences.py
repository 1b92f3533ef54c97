"""What the paper claims, sentence by sentence, each with the judge that is asked about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mondegreen.report.paper import MUSIC, SPEECH, ReportedSetting
from mondegreen.report.reproduction import judges, losses, rivals
from mondegreen.report.reproduction.findings import (
    Claim,
    Finding,
    of_settings,
)
from mondegreen.report.reproduction.leak import leak
from mondegreen.report.reproduction.results import Reproduction, Setting

SettingJudge = Callable[[Setting, ReportedSetting], Finding]


def _on(
    reported: ReportedSetting, key: str, quote: str, place: str, rule: str, judge: SettingJudge
) -> Claim:
    asked = partial(_ask, reported, judge)
    return Claim(key, quote, place, rule, asked)


def _ask(reported: ReportedSetting, judge: SettingJudge, reproduction: Reproduction) -> Finding:
    return of_settings(reproduction, reported, judge)


def _losses(key: str, quote: str, place: str, rule: str, judge: losses.Judge) -> Claim:
    return Claim(key, quote, place, rule, partial(_ask_losses, judge))


def _ask_losses(judge: losses.Judge, reproduction: Reproduction) -> Finding:
    return losses.by_reading(reproduction, judge)


FIG_4 = "section V-B, Fig. 4"
FIG_6 = "section V-B, Fig. 6"
TABLE_1 = "section V-B, Table 1"
REACHED = "the measured rate is at most 2 points below, at an SNR at most 1 dB below"
QUALITY = "SNR at most 1 dB and PESQ at most 0.1 below the paper's"
AHEAD = (
    "ahead of every rival by 2 points and more, their intervals apart, and the rivals let search "
    "as long as published"
)
CHANCE = "by more than chance; as much less often contradicts it"

CLAIMS: tuple[Claim, ...] = (
    _on(
        SPEECH,
        "success-speech",
        "the average attack success_rate is 92.33%",
        FIG_4,
        REACHED,
        judges.success,
    ),
    _on(
        MUSIC,
        "success-music",
        "Proposed … 90.58% … 26.92 … 0.01",
        "Table 1, Fig. 5",
        REACHED,
        judges.success,
    ),
    _on(
        SPEECH,
        "above-90-speech",
        "the attack success_rate of our method against the WideResNet network generally larger "
        "than 90%",
        FIG_4,
        "the middle cell lies above 90 %",
        judges.generally_above,
    ),
    _on(
        SPEECH,
        "no-to-yes",
        "Our generated adversarial example which sounds like ''no'' could be misclassified as the "
        "opposite ''yes'' by WideResNet ASR system of high chance 94.44%",
        FIG_4,
        "the cell is at most 2 points, or one clip, below",
        judges.cell,
    ),
    _on(
        SPEECH,
        "favoured-targets",
        "these particular words are more prone to be as the targets when attacking the WideResNet "
        "ASR system",
        FIG_4,
        "“up”, “right”, “on” and “off” succeed more often than the others, " + CHANCE,
        judges.favoured_targets,
    ),
    _on(
        SPEECH,
        "favoured-sources",
        "these words would be much easier to be attacked, which may guide an adversary to exploit "
        "such vulnerable words",
        FIG_4,
        "clips of “no”, “left” and “stop” are fooled more often than the others, " + CHANCE,
        judges.favoured_sources,
    ),
    _on(
        SPEECH,
        "error-range-speech",
        "the margins of the attack error rate on WideResNet and SampleCNN are [2.84%, 22.92%] and "
        "[0.34%, 35.52%]",
        FIG_6,
        "worst cell and mean exceed the paper's by at most 2 points",
        judges.error_range,
    ),
    _on(
        MUSIC,
        "error-range-music",
        "the average error rate for WideResNet is 7.67%, with standard deviation 3.9%; and on "
        "SampleCNN is 9.42%, with standard deviation 6.45%",
        FIG_6,
        "worst cell and mean exceed the paper's by at most 2 points",
        judges.error_range,
    ),
    _on(
        SPEECH,
        "outliers-speech",
        "the number of outliers on WideResNet and SampleCNN are 6 and 5, respectively, merely "
        "accounting for 6.67% (6/90) and 5.56% (5/90)",
        FIG_6,
        "outliers, and cells above 15 %, are at most twice the paper's share",
        judges.few_outliers,
    ),
    _on(
        MUSIC,
        "outliers-music",
        "the average error rates for both networks are below 10%, with a few outliers exceeding "
        "15%",
        FIG_6,
        "outliers, and cells above 15 %, are at most twice the paper's share",
        judges.few_outliers,
    ),
    _on(
        SPEECH,
        "rivals-speech",
        "our method generally achieves superior performance",
        TABLE_1,
        AHEAD,
        rivals.more_success,
    ),
    _on(
        MUSIC,
        "rivals-music",
        "our method generally achieves superior performance",
        TABLE_1,
        AHEAD,
        rivals.more_success,
    ),
    _on(
        SPEECH,
        "rivals-snr",
        "the magnitude of our produced perturbation is much smaller",
        "section V-C, Table 1, Fig. 7",
        "a higher SNR, by 1 dB, than every rival where no budget sets it",
        rivals.more_quiet,
    ),
    _on(
        SPEECH,
        "faster",
        "our proposed method runs much faster than the prevalent optimization-based schemes",
        "abstract, section V-E, Table 1",
        "a hundredth of the time of every rival, or less",
        rivals.much_faster,
    ),
    _on(
        SPEECH,
        "milliseconds",
        "our method spends approximately 0.009 seconds (i.e., 9 milliseconds) to generate one "
        "adversarial example",
        "section V-E, Table 1",
        "at most twice the reported time, by a network of at least half of the work a clip",
        rivals.milliseconds,
    ),
    _on(
        SPEECH,
        "quality-speech",
        "the average PESQ for WideResNet on SpeechCmd is 3.087 … indicating an acceptable auditory "
        "perception experience for a common human listener",
        "section V-C, Table 2",
        QUALITY,
        rivals.quality,
    ),
    _on(
        MUSIC,
        "quality-music",
        "the average PESQ for SampleCNN on GTZAN is 3.947, indicating an acceptable auditory "
        "perception experience for a common human listener",
        "section V-C, Table 2",
        QUALITY,
        rivals.quality,
    ),
    _losses(
        "prefers-places",
        "our method demonstrates certain preference at some sampling locations",
        "section V-C, Fig. 7",
        "a greater share of the energy in a tenth of the samples than Gaussian noise has",
        losses.prefers_places,
    ),
    _losses(
        "sparse-and-uniform",
        "the perturbation yielded merely with L2 loss is somewhat uniformly … the perturbation "
        "yielded merely with hinge loss is relatively sparse",
        "section V-D, Fig. 8",
        "hinge alone has a greater share of its energy in a tenth of the samples, every seed",
        losses.sparse_and_uniform,
    ),
    _losses(
        "joint-is-best",
        "the maximum success attack rate achieved is 96.88%, outperforming usage of L2 loss or "
        "hinge loss alone",
        "section V-D, Fig. 9",
        "every seed of both together is better than every seed of either alone; to contradict it "
        "takes some hundred steps",
        losses.joint_is_best,
    ),
    _losses(
        "alone-collapses",
        "The maximum success attack rates attained with L2 loss and hinge loss are 92.19% and "
        "85.16%, but the performance would significantly drop after 700 iterations",
        "section V-D, Fig. 9",
        "every training of either alone ends more than 10 points below its best",
        losses.alone_collapses,
    ),
    _losses(
        "joint-is-stable",
        "the success attack rate could grow up for a large number of iterations (in our "
        "experiments, at least 2000 iterations)",
        "section V-D, Fig. 9",
        "no training of both ends more than 10 points below its best",
        losses.joint_is_stable,
    ),
    _losses(
        "weight-buys-quality",
        "a large value γ leads to higher perception quality of the generated speech samples",
        "section V-A",
        "every seed with γ = 100 has a higher SNR than every seed with γ = 0",
        losses.weight_buys_quality,
    ),
    _losses(
        "discriminator",
        "It could guide the generator to generate limited perturbation that resembles to the "
        "distribution of geniue ones",
        "section I",
        "a higher SNR with the discriminator than without, at no more than 2 points less success",
        losses.discriminator_helps,
    ),
    _losses(
        "warm-up",
        "ensure the discriminator could has reasonably good capability … which could warm-start "
        "the training process",
        "section IV-E",
        "a higher SNR with the warm-up than without, at no more than 2 points less success",
        losses.warm_up_helps,
    ),
    Claim(
        "unified",
        "one can also train a unified network to realize targeted attack on all targets under our "
        "proposed network framework",
        "footnote 3",
        "one network for all is at most 10 points below one a target",
        judges.unified,
    ),
    Claim(
        "leak",
        "It can achieve 92.90% classification accuracy on the GTZAN dataset",
        "section V-B",
        "the accuracy stands where no recording is on both sides; to contradict it takes more than "
        "4 points, and more than chance",
        leak,
    ),
)
"""In the order of the paper."""
