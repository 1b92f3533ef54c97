"""What self-contained pages share: templates, and scripts that the browser is told to trust."""

from __future__ import annotations

import base64
import hashlib

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mondegreen.report.formatting import number, option, percent, size


def page_environment() -> Environment:
    """Return an environment for the package's templates: texts are escaped, gaps are errors."""
    environment = Environment(
        loader=PackageLoader("mondegreen.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "number": number, "size": size, "option": option}
    return environment


def source(environment: Environment, file: str) -> Markup:
    """Return a file of the package's templates as it is."""
    loader = environment.loader
    assert loader is not None
    return Markup(loader.get_source(environment, file)[0])


def assets(environment: Environment, **scripts: str) -> dict[str, Markup]:
    """Return scripts and their hashes: the browser runs these and no others.

    Args:
        environment: Of :func:`page_environment`.
        scripts: File names by the names that the template knows them by.

    Returns:
        The scripts, and ``script_sources`` for the page's policy.
    """
    found = {name: source(environment, file) for name, file in scripts.items()}
    hashes = (hashlib.sha256(script.encode()).digest() for script in found.values())
    found["script_sources"] = Markup(" ").join(
        Markup("'sha256-{}'").format(base64.b64encode(digest).decode()) for digest in hashes
    )
    return found
