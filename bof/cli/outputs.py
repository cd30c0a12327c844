"""Where a command may write what it was asked for: asked before a long run."""

from __future__ import annotations

import os
from pathlib import Path

from bof.errors import OptionError, display_name
from bof.images.written import require_no_photograph


def require_place(path: Path, option: str) -> None:
    """Raises OptionError where no file of this name can be written or a photograph has it: ask before a long run."""
    folder = Path(os.path.abspath(path)).parent
    if path.is_dir() or path.is_symlink() or not folder.is_dir():
        found = f"no folder {display_name(folder)}"
        found = "a folder of that name" if path.is_dir() else found
        found = "a link, and nothing is written through links" if path.is_symlink() else found
        raise OptionError(option=option, path=path, expected="a file in a folder that is there", found=found)
    require_no_photograph(path, option)
