"""Where Great Expectations keeps results, and its Data Docs: `quality/data_docs/index.html`.

quality/validations/<suite>/<run>/<time>/*.json ──▶ quality/data_docs: a page each, and the index
"""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

import great_expectations as gx
from great_expectations.data_context.data_context.ephemeral_data_context import (
    EphemeralDataContext,
)
from great_expectations.data_context.types.base import DataContextConfig, ProgressBarsConfig
from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier

from expectations.data_docs_view import view

# The newest results are listed and kept, whatever they are about. The index reads each one that it
# lists, 3 ms each: with this number its cost stays the same from the first month on.
LISTED = 100


def new_context(quality: Path | None) -> EphemeralDataContext:
    """A context with our suites in code and its results in this folder, or nowhere.

    A file context would bring a second configuration; GX's own ephemeral one leaves a temporary
    folder behind for each use.
    """
    return gx.get_context(mode="ephemeral", project_config=_configuration(quality))


def data_docs(quality: Path, style: str, needed: Collection[str] = ()) -> Path:
    """The index of the Data Docs, with a page for every result that is kept.

    Kept are the newest `LISTED` results and those of the runs that are `needed`; others are
    deleted with their pages. `style` is the style sheet of all pages, which fetch nothing else.
    """
    context = new_context(quality)
    keys = sorted(
        (
            key
            for key in context.validation_results_store.list_keys()
            if isinstance(key, ValidationResultIdentifier)
        ),
        key=lambda key: key.run_id.run_time,
        reverse=True,
    )
    for place, key in enumerate(keys):
        if place >= LISTED and key.run_id.run_name not in needed:
            _forget(quality, key)
    new = [key for key in keys[:LISTED] if not _page(quality, key).exists()]
    index = quality / "data_docs" / "index.html"
    if new:
        context.build_data_docs(resource_identifiers=new)
    index.parent.mkdir(parents=True, exist_ok=True)
    (index.parent / "data_docs.css").write_text(style)
    return index


def _forget(quality: Path, key: ValidationResultIdentifier) -> None:
    """Delete a result and its page, and the folder of its run once that is empty."""
    for file in (_result(quality, key), _page(quality, key)):
        rmtree(file.parent, ignore_errors=True)
        with suppress(OSError):
            file.parent.parent.rmdir()


def _result(quality: Path, key: ValidationResultIdentifier) -> Path:
    *folders, batch = key.to_tuple()  # type: ignore[no-untyped-call]
    return Path(quality, "validations", *folders, f"{batch}.json")


def _page(quality: Path, key: ValidationResultIdentifier) -> Path:
    result = _result(quality / "data_docs", key)
    return result.with_suffix(".html")


def _configuration(quality: Path | None) -> DataContextConfig:
    in_memory = {"class_name": "InMemoryStoreBackend"}
    return DataContextConfig(
        expectations_store_name="expectations",
        validation_results_store_name="validations",
        checkpoint_store_name="checkpoints",
        stores={
            "expectations": {"class_name": "ExpectationsStore", "store_backend": in_memory},
            "checkpoints": {"class_name": "CheckpointStore", "store_backend": in_memory},
            "validation_definition_store": {
                "class_name": "ValidationDefinitionStore",
                "store_backend": in_memory,
            },
            "validations": {
                "class_name": "ValidationResultsStore",
                "store_backend": _folder(quality / "validations") if quality else in_memory,
            },
        },
        data_docs_sites={"quality": _site(quality)} if quality else {},
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )


def _site(quality: Path) -> dict[str, object]:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": _folder(quality / "data_docs"),
        "site_index_builder": {
            "class_name": "DefaultSiteIndexBuilder",
            "validation_results_limit": LISTED,
            "view": view("LocalIndexView"),
        },
        "site_section_builders": {
            "validations": {"view": view("LocalPageView")},
            "expectations": "None",
            "profiling": "None",
        },
    }


def _folder(path: Path) -> dict[str, str]:
    return {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(path)}
