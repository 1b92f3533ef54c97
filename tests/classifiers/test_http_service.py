"""A classifier behind an address, against a server of the documented protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from tests.classifiers.strangers.raw import LABELS, SAMPLES, Raw, served
from tests.classifiers.strangers.raw import Service as Server
from torch import Tensor

import mondegreen
from mondegreen.attacks.genetic import GeneticAttack
from mondegreen.audio import quantize
from mondegreen.classifiers.adopted import Adopted
from mondegreen.classifiers.sources import http_service
from mondegreen.classifiers.sources.http_service import Connection, Service
from mondegreen.errors import MondegreenError


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The tone spotter as a service; nobody waits long."""
    monkeypatch.setattr(http_service, "PAUSE", 0.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with served() as service:
        yield service


def clips(count: int = 3) -> Tensor:
    noise = torch.randn(count, 1, SAMPLES, generator=torch.Generator().manual_seed(3))
    return quantize(0.2 * noise)


def connected(server: Server, **options: Any) -> Service:
    return Service(Connection(server.url, pause=0.0, **options), 8000)


def test_a_service_is_a_black_box(server: Server) -> None:
    classifier = mondegreen.load_classifier(server.url)
    assert classifier.labels == LABELS and classifier.clip_samples == SAMPLES
    assert not classifier.differentiable
    wanted = Raw()(clips()).softmax(1)  # the clips arrive as they are: on the 16-bit grid
    torch.testing.assert_close(classifier(clips()).softmax(1), wanted)
    sent = sum(len(body["clips"]) for _, _, body in server.seen if body)
    assert isinstance(classifier.module, Adopted) and classifier.module.sent.clips == sent
    target = (wanted.argmax(1) + 1) % 3
    result = GeneticAttack(iterations=2, population=4)(
        classifier, clips(), target, budget=mondegreen.SNR(10)
    )
    assert result.queries is not None
    after = sum(len(body["clips"]) for _, _, body in server.seen if body)
    assert after - sent == int(result.queries.sum()) + len(clips())


def test_versions_are_other_classifiers(server: Server) -> None:
    assert server.described is not None
    one = mondegreen.load_classifier(server.url).fingerprint()
    assert one == mondegreen.load_classifier(server.url).fingerprint()
    server.described["version"] = "2"
    assert one != mondegreen.load_classifier(server.url).fingerprint()


def test_one_that_does_not_describe_itself_is_described(server: Server) -> None:
    server.described = None
    with pytest.raises(MondegreenError, match="--sample-rate"):
        mondegreen.load_classifier(server.url)
    classifier = mondegreen.load_classifier(
        server.url, labels=LABELS, sample_rate=8000, clip_samples=SAMPLES
    )
    torch.testing.assert_close(classifier(clips()).softmax(1), Raw()(clips()).softmax(1))


def test_many_clips_go_in_parts(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_service, "AT_ONCE", 4)
    torch.testing.assert_close(connected(server)(clips(10)), Raw()(clips(10)).softmax(1))
    assert [len(body["clips"]) for _, _, body in server.seen] == [4, 4, 2]


def test_a_busy_service_is_asked_again(server: Server) -> None:
    server.answers = [(503, "starting"), (429, "slower", {"Retry-After": "0"})]
    service = connected(server)
    torch.testing.assert_close(service(clips()), Raw()(clips()).softmax(1))
    assert service.connection.requests == 3
    server.answers = [(500, "broken")] * 2
    with pytest.raises(MondegreenError, match="answers 500: broken"):
        connected(server, tries=2)(clips())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((400, "no such clip"), "answers 400: no such clip"),
        ((200, "<html>"), "not JSON"),
        ((200, [1, 2]), "not a JSON object"),
        ((200, {"probabilities": [[0.5, 0.5, 0.0]]}), r"3 clips were sent.*\(1, 3\)"),
        ((200, {"probabilities": "high"}), "no table of numbers"),
        ((200, {"probability": []}), "no table of numbers"),
        (
            (307, "", {"Location": "http://elsewhere.invalid/"}),
            "moved to http://elsewhere.invalid/",
        ),
    ],
)
def test_bad_answers_are_named(server: Server, answer: tuple[Any, ...], message: str) -> None:
    server.answers = [answer]
    with pytest.raises(MondegreenError, match=message):
        connected(server)(clips())
    assert len(server.seen) == 1  # nobody follows, nobody repeats


def test_a_token_is_sent_and_stored_nowhere(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(http_service.TOKEN, "sesame")
    connected(server)(clips())
    assert server.seen[0][1]["Authorization"] == "Bearer sesame"
    monkeypatch.setenv(http_service.TOKEN, "sesame\n")  # as a file's last line ends
    connected(server)(clips())
    assert server.seen[-1][1]["Authorization"] == "Bearer sesame"
    monkeypatch.setenv(http_service.TOKEN, "open\nsesame")
    with pytest.raises(MondegreenError, match="characters that no token can have") as caught:
        connected(server)(clips())
    assert "sesame" not in str(caught.value)
    with pytest.raises(MondegreenError, match="is no address"):
        mondegreen.load_classifier("http://[bad/")
    with pytest.raises(MondegreenError, match="would be written to files"):
        mondegreen.load_classifier(server.url.replace("://", "://me:secret@"))


def test_nobody_answers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as gone:
        address = gone.url
    with pytest.raises(MondegreenError, match=r"does not answer .*, tried 2 times"):
        Connection(address, tries=2, pause=0.0).post({})
    monkeypatch.setattr(http_service, "MAX_ANSWER", 10)
    with pytest.raises(MondegreenError, match="larger than 10 bytes"):
        connected(server)(clips())
