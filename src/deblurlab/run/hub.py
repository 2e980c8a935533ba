"""Weights on the Hugging Face Hub: ``hf://OWNER/REPO/FILE``, optionally followed by ``@sha256=...``."""

import hashlib
import re
from pathlib import Path

from deblurlab.run.run_folder import HUB
from deblurlab.run.weights_file import SUFFIXES

_NAME = re.compile(rf"{HUB}(?P<repo>[\w.-]+/[\w.-]+)/(?P<file>[\w./ -]+?)(@sha256=(?P<checksum>[0-9a-fA-F]{{64}}))?")


def fetched(weights: str) -> Path:
    """Download a weights file, unless the cache has it, and check its checksum if one is given.

    Args:
        weights: ``hf://OWNER/REPO/FILE`` or ``hf://OWNER/REPO/FILE@sha256=CHECKSUM``, where ``FILE`` may lie in
            folders.

    Returns:
        The file in the cache of huggingface_hub, ``~/.cache/huggingface`` unless ``HF_HOME`` is set.

    Raises:
        ValueError: If the name is malformed, the file cannot be downloaded, its checksum differs, or the package
            huggingface_hub is missing.
    """
    parts = _NAME.fullmatch(weights)
    if parts is None:
        raise ValueError(
            f"weights={weights}: write hf://OWNER/REPO/FILE, or hf://OWNER/REPO/FILE@sha256=64_HEX_DIGITS."
        )
    if not parts["file"].endswith(SUFFIXES):  # checkpoints could run code
        raise ValueError(f"weights={weights}: from the Hub only {', '.join(SUFFIXES)} files are taken.")
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise ValueError(f"weights={weights} needs the Hub's library: pip install 'deblurlab[hub]'.") from error
    try:
        file = Path(hf_hub_download(parts["repo"], parts["file"]))
    except LocalEntryNotFoundError as error:
        raise ValueError(
            f"weights={weights}: the Hub cannot be reached, and the file is not in the cache. Go online once, or "
            "get the file by other means and name its path."
        ) from error
    except (EntryNotFoundError, HfHubHTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(
            f"weights={weights}: there is no such file on the Hub, or it is not public: {reason}"
        ) from error
    wanted = (parts["checksum"] or "").lower()
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest() if wanted else wanted
    if found != wanted:
        raise ValueError(f"weights={weights}: the file has another checksum, sha256={found}. It is not loaded.")
    return file
