"""How Data Docs look: Great Expectations' content in pages of our own, readable with no internet.

GX's own page loads its styles and scripts from six hosts; its index is empty without them.
"""

import re
from html import escape
from typing import Any

from great_expectations.render.view.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import ChoiceLoader, PackageLoader, pass_context
from jinja2.runtime import Context

# What GX writes and we leave out or say better: links to pages of suites, which are not made; the
# batch's configuration, once more; a warning called a failure; headings that begin at the fifth
# level; blank lines.
_REPAIRS = [
    (re.compile(r"<a [^>]*href=.[^>]*expectations/[^>]*>(.*?)</a>", re.DOTALL), r"\1"),
    (re.compile(r"<span class=top>.*?</span>", re.DOTALL), ""),
    (re.compile(r"<br> Data asset: None"), ""),
    (re.compile(r"</i> Failed"), "</i> Deviates"),
    (re.compile(r"(</?)h5\b"), r"\1h2"),
    (re.compile(r"(</?)h6\b"), r"\1h3"),
    (re.compile(r"\n\s*\n"), "\n"),
]


class LocalPageView(DefaultJinjaPageView):
    """The page of a validation; what `expectations/templates` has stands for GX's template."""

    def __init__(self, **directories: Any) -> None:  # noqa: ANN401  whatever GX gives its views
        super().__init__(**directories)
        theirs = [self.env.loader] if self.env.loader else []
        self.env.loader = ChoiceLoader([PackageLoader("expectations"), *theirs])

    def render(self, document: Any, template: str | None = None, **named: Any) -> str:  # noqa: ANN401
        """The page as HTML."""
        page = str(super().render(document, template, **named))  # type: ignore[no-untyped-call]
        for pattern, repaired in _REPAIRS:
            page = pattern.sub(repaired, page)
        return page

    @pass_context
    def render_content_block(
        self,
        context: Context,
        content_block: Any,  # noqa: ANN401  GX's trees of dicts, lists and text
        *places: Any,  # noqa: ANN401
        **named: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """GX's own, but text is text: an offending title may hold a script, and GX lets it run."""
        if isinstance(content_block, str):
            return escape(content_block)
        if isinstance(content_block, list):
            content_block = [escape(e) if isinstance(e, str) else e for e in content_block]
        return super().render_content_block(context, content_block, *places, **named)


class LocalIndexView(LocalPageView, DefaultJinjaIndexPageView):
    """The index of all validations, a plain table."""

    _template = "index_page.j2"


def view(name: str) -> dict[str, str]:
    """The configuration that makes GX use one of these classes."""
    return {"class_name": name, "module_name": __name__}
