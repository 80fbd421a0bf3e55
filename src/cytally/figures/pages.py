"""Values -> one self-contained HTML page; every door's pages share one look (templates/page.html)."""

from __future__ import annotations

import base64

import jinja2

from cytally.wording import counted


def render(package: str, template: str, **values: object) -> str:
    """Fill a template of a package.

    Parameters
    ----------
    package : str
        Such as "cytally.dosimetry"; its folder `templates` is searched before ours, so that a
        page may extend page.html.
    template : str
    values
        What the template names; one that is missing is an error.
    """
    loaders = [jinja2.PackageLoader(package), jinja2.PackageLoader("cytally.figures")]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["counted"] = counted
    return environment.get_template(template).render(**values)


def embedded(content: bytes, kind: str) -> str:
    """A picture as an address that needs no file; `kind` such as image/png."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
