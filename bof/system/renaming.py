"""Renaming that never overwrites: the system's own call for it, where there is one."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What systems and file systems say that do not know the call."""

_CALLS = {"linux": ("renameat2", 1), "darwin": ("renameatx_np", 4)}
"""By system: its call, and the flag that says that nothing may stand at the new name."""

_HERE = -100
"""AT_FDCWD of Linux; paths are absolute then, so that the number does not matter elsewhere."""


def rename_new(source: str, target: str, source_folder: int | None, target_folder: int | None) -> None:
    """Give a file a free name. source, target: names in open folders, absolute paths without.

    Raises OSError: FileExistsError where something is there, one of UNSUPPORTED where the system has no such call.
    """
    if os.name == "nt":
        os.rename(source, target)
        return
    call, flag = _call()
    folders = [_HERE if folder is None else folder for folder in (source_folder, target_folder)]
    if call(folders[0], os.fsencode(source), folders[1], os.fsencode(target), flag):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), source, None, target)


@lru_cache(maxsize=1)
def _call() -> tuple[Callable[..., int], int]:
    name, flag = _CALLS.get(sys.platform, ("", 0))
    found: Any = getattr(ctypes.CDLL(None, use_errno=True), name, None) if name else None
    if found is None:
        return _no_call, 0
    found.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    found.restype = ctypes.c_int
    return found, flag


def _no_call(*_: object) -> int:
    ctypes.set_errno(errno.ENOSYS)
    return -1
