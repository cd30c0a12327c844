"""A model from anybody: tried elsewhere within limits, its weights in its own folder, ended where it does not end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.errors import ModelError
from bof.global_descriptors.describe import ModelChoice
from bof.global_descriptors.embedding import cached_model, load_model
from bof.onnx_models import session, trial
from bof.onnx_models.weights import weight_files
from bof.options import ModelOptions
from scripts.torture import hostile_models as hostile
from scripts.torture.models import torture_models
from tests.support.onnx_models import Network


def written(path: Path, model: Any) -> Path:
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def test_a_model_that_never_ends_is_ended_and_the_limit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 2.0)
    path = written(tmp_path / "endless.onnx", hostile.loop())
    with pytest.raises(
        ModelError,
        match=r"endless\.onnx: expected a model that describes a picture within 2 s and 2048 MB, found one of which "
        r"the process that tried it took longer than 2 s; do not trust this file",
    ):
        ModelChoice.of(path, ModelOptions())


def test_a_model_that_needs_all_memory_is_ended_and_the_limit_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "huge.onnx", hostile.huge(1 << 34))
    with pytest.raises(ModelError, match=r"huge\.onnx: .* needs more memory than the 2048 MB that it may take"):
        cached_model(path)


def test_a_model_that_ends_for_some_pictures_only_is_ended_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "dark.onnx", hostile.loop(while_dark=True))
    model = cached_model(path)
    model.describe(np.full((20, 20, 3), 200, np.uint8))
    monkeypatch.setattr(session, "RUN_S", 0.5)
    with pytest.raises(ModelError, match=r"expected the answer to a picture within 0\.5 s, found no end"):
        model.describe(np.zeros((20, 20, 3), np.uint8))
    model.describe(np.full((20, 20, 3), 200, np.uint8))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("value_first", [False, True])
@pytest.mark.parametrize(
    "name", [b"../secret", b"/etc/passwd", b"a/../../secret", b"..\\secret", b"C:secret", b"*/_ORT_MEM_ADDR_/*",
             b"x/" * 100 + b"../" * 101 + b"secret"],
)  # fmt: skip
def test_weights_outside_the_folder_are_refused(tmp_path: Path, name: bytes, nested: bool, value_first: bool) -> None:
    (tmp_path / "secret").write_bytes(bytes(8 * 3 * 4 * 4 * 4))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").mkdir()
    path = written(tmp_path / "model" / "m.onnx", hostile.external(name, nested=nested, value_first=value_first))
    with pytest.raises(ModelError, match=r"m\.onnx: expected weights in the model's own folder, found"):
        load_model(path)


def test_weights_that_a_link_leads_to_are_refused_unless_the_model_lies_there_too(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", tmp_path / "model"
    store.mkdir()
    folder.mkdir()
    path = written(folder / "m.onnx", hostile.external(b"weights"))
    (store / "1234").write_bytes(bytes(8 * 3 * 4 * 4 * 4))
    (folder / "weights").symlink_to(store / "1234")
    with pytest.raises(ModelError, match="a link to"):
        load_model(path)
    path.rename(store / "5678")
    path.symlink_to(store / "5678")
    assert weight_files(path) == [folder / "weights"]


def test_weights_in_the_folder_and_below_are_found(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "weights").write_bytes(b"")
    path = written(tmp_path / "m.onnx", hostile.external(b"below/weights", nested=True))
    assert weight_files(path) == [tmp_path / "below" / "weights"]
    external = Network(external=True).write(tmp_path / "n.onnx")
    assert weight_files(external) == [tmp_path / "n.onnx.data"]


def test_what_is_no_file_is_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="expected an ONNX file, found none"):
        cached_model(tmp_path / "m.onnx")


def test_two_hundred_hostile_models_are_refused_or_used(tmp_path: Path) -> None:
    """Those that wait for a limit are left to the command."""
    fates, wrong = torture_models(200, 3, tmp_path, ["loops", "many fields"])
    assert not wrong
    assert fates.total() == 200
    assert fates["refused by name"] > 100
    assert fates["used"] > 5
