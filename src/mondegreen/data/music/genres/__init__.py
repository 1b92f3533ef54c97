"""How each genre of GTZAN is played, one module a genre."""

from __future__ import annotations

from typing import Final

from mondegreen.data.music.genres import (
    blues,
    classical,
    country,
    disco,
    hiphop,
    jazz,
    metal,
    pop,
    reggae,
    rock,
)
from mondegreen.data.music.idiom import Idiom

GENRE_IDIOMS: Final[dict[str, tuple[Idiom, ...]]] = {
    "blues": blues.IDIOMS,
    "classical": classical.IDIOMS,
    "country": country.IDIOMS,
    "disco": disco.IDIOMS,
    "hiphop": hiphop.IDIOMS,
    "jazz": jazz.IDIOMS,
    "metal": metal.IDIOMS,
    "pop": pop.IDIOMS,
    "reggae": reggae.IDIOMS,
    "rock": rock.IDIOMS,
}
"""The idioms of each genre."""
