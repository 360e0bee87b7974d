"""Templates compiled for one language: what a template says in the same words on every page is written into its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

Written = Mapping[str, Callable[..., Markup | str]]
"""Functions, by their names in templates, that answer the same whenever they are given the same constants."""


class PlainContext(Context):
    """Calls what a template calls, without asking each time whether it wants the context: only macros take any."""

    def call(self, called: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        wants = getattr(called, "jinja_pass_arg", None) or getattr(
            type(called).__call__, "jinja_pass_arg", None
        )
        if wants is not None:
            return super().call(called, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return called(*args, **kwargs)


class OneLanguage(Environment):
    """`sentence` is the text of the catalogue in this environment's language, as markup; `written` the functions above."""

    context_class = PlainContext

    def __init__(self, *, sentence: Callable[[str], Markup], written: Written, **options: Any) -> None:
        super().__init__(**options)
        self.sentence = sentence
        self.written = written


class FoldedCode(CodeGenerator):
    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        assert isinstance(self.environment, OneLanguage)
        super().visit_Template(_Folded(self.environment).visit(node), frame)


OneLanguage.code_generator_class = FoldedCode


class _Folded(NodeTransformer):
    def __init__(self, environment: OneLanguage) -> None:
        self.environment = environment

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.dyn_args is not None or node.dyn_kwargs is not None:
            return node
        name = node.node.name
        constants = [each.value for each in node.args if isinstance(each, nodes.Const)]
        if len(constants) < len(node.args):
            return node
        if name in _SENTENCES:
            return self._said(constants[0], node.kwargs)
        if name in self.environment.written and not node.kwargs:
            return nodes.Const(self.environment.written[name](*constants))
        return node

    def _said(self, text: str, values: list[nodes.Keyword]) -> nodes.Expr:
        sentence = self.environment.sentence(text)
        if not values:
            return nodes.Const(sentence % {})
        pairs = [nodes.Pair(nodes.Const(each.key), each.value) for each in values]
        return nodes.Mod(nodes.Const(sentence), nodes.Dict(pairs))


_SENTENCES: Final = frozenset({"_", "gettext"})
