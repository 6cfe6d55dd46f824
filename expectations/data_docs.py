"""Where Great Expectations keeps results, and its Data Docs: `PAPERS_HOME/quality/index.html`.

validation results ──▶ quality/validations/<suite>/<run>/<time>/ ──▶ a page each, and the index
"""

from pathlib import Path

import great_expectations as gx
from great_expectations.data_context.data_context.ephemeral_data_context import (
    EphemeralDataContext,
)
from great_expectations.data_context.types.base import DataContextConfig, ProgressBarsConfig
from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier

# The index reads every result that it lists, 3 ms each; older pages stay where they are.
LISTED = 100


def new_context(quality: Path | None) -> EphemeralDataContext:
    """A context with our suites in code and its results in this folder, or nowhere.

    A file context would bring a second configuration; GX's own ephemeral one leaves a temporary
    folder behind for each use.
    """
    return gx.get_context(mode="ephemeral", project_config=_configuration(quality))


def data_docs(home: Path) -> Path:
    """The index of the Data Docs, with a page for every result that has none yet."""
    quality = home / "quality"
    context = new_context(quality)
    new = [
        key
        for key in context.validation_results_store.list_keys()
        if isinstance(key, ValidationResultIdentifier) and not _page(quality, key).exists()
    ]
    if new:
        context.build_data_docs(resource_identifiers=new)
    return quality / "index.html"


def _page(quality: Path, key: ValidationResultIdentifier) -> Path:
    suite, *run, batch = key.to_tuple()  # type: ignore[no-untyped-call]
    return Path(quality, "validations", suite, *run, f"{batch}.html")


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
        "store_backend": _folder(quality),
        "site_index_builder": {
            "class_name": "DefaultSiteIndexBuilder",
            "validation_results_limit": LISTED,
        },
        "site_section_builders": {"expectations": "None", "profiling": "None"},
    }


def _folder(path: Path) -> dict[str, str]:
    return {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(path)}
