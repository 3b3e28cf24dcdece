"""A file of a data set on the Hugging Face hub, which the user names: through the hub's own client,
cache and credentials. No other file is fetched, and nothing of it is run.
"""

import re
from pathlib import Path

from repoqa.errors import JobError, UsageError
from repoqa.models.hub import decline_telemetry, reporting_to
from repoqa.protocols import Silent

# As the hub's client writes it for its file system.
_SCHEME = "hf://"
_FILE = re.compile(
    r"hf://datasets/(?P<name>[^/@]+/[^/@]+)(?:@(?P<revision>[^/]+))?/(?P<path>[^/].*)"
)


def is_dataset_file(named: str) -> bool:
    """Whether that means a file on the hub, and none on this machine."""
    return named.startswith(_SCHEME)


def fetched_file(address: str) -> Path:
    """The file `hf://datasets/OWNER/NAME/FILE`, or `.../NAME@REVISION/FILE`, in the hub's cache;
    fetched where it is not there yet or is newer on the hub.

    Raises UsageError for what the hub does not have, JobError where it cannot be fetched.
    """
    import httpx2
    from huggingface_hub import errors as hub
    from huggingface_hub import hf_hub_download

    named = _FILE.fullmatch(address)
    if named is None:
        raise UsageError(
            f"{address} names no file of a data set",
            remedy="Write it as hf://datasets/OWNER/NAME/FILE.",
        )
    decline_telemetry()
    try:
        place = hf_hub_download(
            named["name"],
            named["path"],
            repo_type="dataset",
            revision=named["revision"],
            tqdm_class=reporting_to(Silent(), bars=""),
        )
    except (hub.LocalEntryNotFoundError, httpx2.TransportError) as error:
        raise _unfetched(address) from error
    except (
        hub.EntryNotFoundError,
        hub.RepositoryNotFoundError,
        hub.RevisionNotFoundError,
        hub.HFValidationError,
    ) as error:
        raise UsageError(
            f"the Hugging Face hub has no {address}, or does not show it to you",
            remedy="Correct its name; where it asks for it, accept its licence there and run "
            "`hf auth login`.",
        ) from error
    except hub.HfHubHTTPError as error:
        raise _unfetched(address) from error
    return Path(place)


def _unfetched(address: str) -> JobError:
    return JobError(
        f"{address} could not be fetched, and was not fetched before",
        remedy="With a network, run the command again; or name a file on this machine.",
    )
