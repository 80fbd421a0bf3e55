"""The command that is running, as a line that can be called again: what the card of an ensemble records."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
from click.core import ParameterSource

from cytally.files.names import shown

#: Parameters that decide what is printed, not what is made.
_SHOWING = {"as_json"}


def command_line(context: click.Context) -> str:
    """A command with everything that it was given, quoted for a shell.

    Called again from the same folder it makes the same. Options that were left at their
    defaults are left out; the version that is recorded beside the command says what these were.

    Parameters
    ----------
    context : click.Context
        Of the command, its parameters parsed.
    """
    given = [p for p in context.command.get_params(context) if _typed(context, p)]
    options = [word for p in given if isinstance(p, click.Option) for word in _option(p, context)]
    arguments = [word for p in given if isinstance(p, click.Argument) for word in _texts(p, context)]
    words = ["cytally", *context.command_path.split()[1:]]
    if any(word.startswith("-") for word in arguments):  # a name, not an option
        return shown(shlex.join([*words, *options, "--", *arguments]))
    return shown(shlex.join([*words, *arguments, *options]))


def _typed(context: click.Context, parameter: click.Parameter) -> bool:
    if not parameter.expose_value or parameter.name is None or parameter.name in _SHOWING:
        return False
    return context.get_parameter_source(parameter.name) is not ParameterSource.DEFAULT


def _option(option: click.Option, context: click.Context) -> Iterator[str]:
    """Words of an option: a flag by itself, a value after each name."""
    name = max(option.opts, key=len)
    if option.is_flag:
        on = bool(context.params[str(option.name)])
        yield name if on else max(option.secondary_opts, key=len)
        return
    for text in _texts(option, context):
        yield from (f"{name}={text}",) if text.startswith("-") else (name, text)


def _texts(parameter: click.Parameter, context: click.Context) -> list[str]:
    """Values as they are typed."""
    value = context.params[str(parameter.name)]
    several = parameter.multiple or parameter.nargs != 1
    return [str(each) for each in (value if several else (value,))]
