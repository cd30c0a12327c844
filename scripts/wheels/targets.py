"""The platforms that wheels are made for, and how to tell for which one a library was compiled."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One platform. tag: in the wheel's name; triple: zig's name; system, processor: CMake's names."""

    tag: str
    triple: str
    system: str
    processor: str

    @property
    def library(self) -> str:
        """The file name of the C loops there."""
        return "_loops" + {"Windows": ".dll", "Darwin": ".dylib"}.get(self.system, ".so")


TARGETS = (
    Target("manylinux_2_28_x86_64", "x86_64-linux-gnu.2.28", "Linux", "x86_64"),
    Target("manylinux_2_28_aarch64", "aarch64-linux-gnu.2.28", "Linux", "aarch64"),
    Target("musllinux_1_2_x86_64", "x86_64-linux-musl", "Linux", "x86_64"),
    Target("musllinux_1_2_aarch64", "aarch64-linux-musl", "Linux", "aarch64"),
    Target("macosx_11_0_x86_64", "x86_64-macos.11.0", "Darwin", "x86_64"),
    Target("macosx_11_0_arm64", "aarch64-macos.11.0", "Darwin", "arm64"),
    Target("win_amd64", "x86_64-windows-gnu", "Windows", "AMD64"),
    Target("win_arm64", "aarch64-windows-gnu", "Windows", "ARM64"),
)
BY_TAG: Mapping[str, Target] = {target.tag: target for target in TARGETS}

_ELF = {62: "x86_64", 183: "aarch64"}
_MACH_O = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_PE = {0x8664: "AMD64", 0xAA64: "ARM64"}


def platform_of(library: bytes) -> tuple[str, str]:
    """System and processor, in CMake's names, that a shared library of 64 bits is for; ValueError for another file."""
    if library[:6] == b"\x7fELF\x02\x01":
        return "Linux", _ELF[struct.unpack_from("<H", library, 18)[0]]
    if library[:4] == b"\xcf\xfa\xed\xfe":
        return "Darwin", _MACH_O[struct.unpack_from("<I", library, 4)[0]]
    if library[:2] == b"MZ":
        header = struct.unpack_from("<I", library, 60)[0]
        return "Windows", _PE[struct.unpack_from("<H", library, header + 4)[0]]
    raise ValueError(f"expected a shared library, found the bytes {library[:6]!r}")
