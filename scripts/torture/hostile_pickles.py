"""Hostile pickles: broken ground truth, programs made of chance, bombs, and what would change functions of ours."""

from __future__ import annotations

import pickle
import pickletools
import struct
from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
_MILLION = 1_000_000


def make_hostile(number: int, seed: int) -> tuple[str, bytes]:
    """Kind and content of the hostile pickle of a number."""
    rng = np.random.default_rng([seed, number])
    kind = list(_KINDS)[number % len(_KINDS)]
    return kind, _KINDS[kind](rng)


def sound_pickle(rng: Rng) -> bytes:
    """Ground truth as it is published, small, in some protocol."""
    queries = [
        {"bbx": rng.random(4).tolist(), "easy": rng.integers(0, 90, 5), "hard": [1, 2], "junk": np.array([3])}
        for _ in range(3)
    ]
    names = [f"picture_{number:06}" for number in range(90)]
    whole = {"imlist": names, "qimlist": names[:3], "gnd": queries, "more": ({1}, frozenset("x"), 1j, np.float32(2))}
    return pickle.dumps(whole, int(rng.integers(pickle.HIGHEST_PROTOCOL + 1)))


def _flipped(rng: Rng) -> bytes:
    data = bytearray(sound_pickle(rng))
    for at in rng.integers(0, len(data), int(rng.integers(1, 8))):
        data[at] = int(rng.integers(256))
    return bytes(data)


def _spliced(rng: Rng) -> bytes:
    data = sound_pickle(rng)
    first, second = sorted(rng.integers(0, len(data), 2))
    return data[:second] + data[first:]


def _instructions(rng: Rng) -> bytes:
    """Instructions of a sound pickle in another order, some twice, some not at all."""
    data = sound_pickle(rng)
    places = [place for _, _, place in pickletools.genops(data) if place is not None] + [len(data)]
    parts = [data[one:other] for one, other in zip(places, places[1:], strict=False)]
    for _ in range(int(rng.integers(1, 30))):
        one, other = rng.integers(0, len(parts), 2)
        parts[one], parts[other] = [(parts[other], parts[one]), (parts[one],) * 2, (b"", parts[other])][rng.integers(3)]
    return b"".join(parts) + b"."


def _program(rng: Rng) -> bytes:
    """Instructions of chance, with short arguments and admitted names."""
    names = [b"cnumpy\ndtype\n", b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"c__builtin__\nlist\n",
             b"c__builtin__\ndict\n", b"c__builtin__\nset\n", b"cnumpy.core.multiarray\nscalar\n", b"c_codecs\nencode\n",
             b"c__builtin__\ncomplex\n", b"cnumpy.core.numeric\n_frombuffer\n"]  # fmt: skip
    plain = [bytes([code]) for code in b"()]}N\x88\x89.0.12abdeostul\x85\x86\x87R\x8f\x90\x91\x94"]
    some = [b"K\x01", b"K\x00", b"U\x02i8", b"U\x01b", b"X\x01\x00\x00\x00a", b"q\x01", b"h\x01", b"q\x02", b"h\x02",
            b"U\x08abcdefgh", b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b"G" + struct.pack(">d", np.nan)]  # fmt: skip
    pool = [*names, *plain * 2, *some * 2]
    return b"\x80\x04" + b"".join(pool[int(n)] for n in rng.integers(0, len(pool), int(rng.integers(5, 200)))) + b"."


def _bomb(rng: Rng) -> bytes:
    bombs = [
        b"\x80\x04(" + b"\x8f" * _MILLION + b"l.",
        b"(" + b"}" * _MILLION + b"l.",
        b"\x80\x02)" + b"\x85" * _MILLION + b".",
        b"\x80\x02})" + b"\x85" * _MILLION + b"K\x01s.",
        b"\x80\x04(" + b"\x85" * 100 + b"\x91" * 1000 + b".",
        b"(" + b"N" * 1000 + b"lq\x00(l" + b"c__builtin__\nlist\nh\x00\x85Ra" * 30_000 + b".",
        b"(" + b"N" * 1000 + b"lq\x00(l" + b"c__builtin__\ntuple\nh\x00\x85Ra" * 30_000 + b".",
        b"\x80\x02]q\x00" + b"".join(b"]q%c" % (n + 1) + b"h%ca" % n * 10 for n in range(30)) + b".",
        b"\x80\x02}(" + b"".join(b"\x8a\x0a" + ((2**61 - 1) * n).to_bytes(10, "little") + b"N" for n in range(9999)) + b"u.",
        b"\x80\x02]q\x00h\x00a.",
        b"\x80\x02}q\x00K\x01h\x00s.",
        b"\x80\x04N" + b"\x94" * _MILLION + b".",
        b"\x80\x02(" + b"U\x00" * 500_000 + b"l.",
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b".",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"L" + b"9" * _MILLION + b"L\n.",
        b"\x80\x02cnumpy\ndtype\nU\x07S999999\x85R" + b"." ,
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R(K\x01(" + b"K\x00" * 40 + b"tcnumpy\ndtype\nU\x02i8\x85R\x89U\x00tb.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R(K\x01\x8a\x08" + b"\xff" * 7 + b"\x7f\x85cnumpy\ndtype\nU\x01O\x85R\x89]tb.",
    ]  # fmt: skip
    return bombs[int(rng.integers(len(bombs)))]


def _change_of_ours(rng: Rng) -> bytes:
    """State, items or attributes for a name, not for something that was made."""
    names = [b"cnumpy\ndtype\n", b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"c__builtin__\nlist\n",
             b"cnumpy.core.multiarray\nscalar\n", b"c_codecs\nencode\n", b"\x8c\x08builtins\x8c\x04dict\x93",
             b"cnumpy\ndtype\nU\x02i8\x85R", b"cnumpy.core.multiarray\n_reconstruct\n)R"]  # fmt: skip
    states = [b"}U\x08__call__Nsb.", b"N}U\x04nameNs\x86b.", b"U\x08__dict__Ns.", b"Na.", b"(NNe.", b"(NNu.", b"(N\x90.",
              b"\x81.", b"N\x81.", b")\x81.", b"(N(NN\x86tb.", b"}U\x04made" + b"K\x01sb."]  # fmt: skip
    return b"\x80\x04" + names[int(rng.integers(len(names)))] + states[int(rng.integers(len(states)))]


def _call(rng: Rng) -> bytes:
    """A call of something that is not admitted."""
    calls = [
        b"cos\nsystem\n(U\x0cecho > calledtR.", b"(S'echo > called'\nios\nsystem\n.", b"cbuiltins\neval\n(U\x011tR.",
        b"\x8c\x08builtins\x8c\x0blist.append\x93.", b"cnumpy\nload\n(U\x06calledtR.", b"cnumpy.core.multiarray\nfromfile\n.",
        b"(cos\nsystem\nU\x0cecho > calledo.", b"cos\nsystem\nU\x0cecho > called\x85\x81.", b"\x82\x01.", b"U\x01aQ.",
        b"c__builtin__\ngetattr\n(c__builtin__\nlist\nU\x06appendtR.", b"\x97.", b"\x98.", b"cbof.errors\nBofError\n)R.",
    ]  # fmt: skip
    return b"\x80\x02" + calls[int(rng.integers(len(calls)))]


_KINDS: dict[str, Callable[[Rng], bytes]] = {
    "flipped": _flipped,
    "cut": lambda rng: (data := sound_pickle(rng))[: int(rng.integers(len(data)))],
    "spliced": _spliced,
    "other instructions": _instructions,
    "a program of chance": _program,
    "a bomb": _bomb,
    "a change of ours": _change_of_ours,
    "a call": _call,
}
