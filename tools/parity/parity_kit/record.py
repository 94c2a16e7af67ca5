"""Collects expected values and writes them beside a checkpoint: expected.safetensors and expected.json."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file


class Record:
    """Named tensors (F32, F64, I64) and named JSON values of one fixture folder."""

    def __init__(self) -> None:
        self.tensors: dict[str, torch.Tensor] = {}
        self.values: dict[str, object] = {}

    def tensor(self, name: str, value: torch.Tensor) -> None:
        if name in self.tensors:
            raise KeyError(f"{name} is recorded twice")
        value = value.detach().clone().contiguous()
        if value.dtype in (torch.int32, torch.bool):
            value = value.to(torch.int64)
        if value.dtype == torch.bfloat16:
            value = value.to(torch.float32)
        self.tensors[name] = value

    def value(self, name: str, value: object) -> None:
        if name in self.values:
            raise KeyError(f"{name} is recorded twice")
        self.values[name] = value

    def write(self, folder: Path, stem: str = "expected") -> None:
        save_file(self.tensors, folder / f"{stem}.safetensors", metadata={"format": "pt"})
        (folder / f"{stem}.json").write_text(json.dumps(self.values, indent=1, ensure_ascii=False) + "\n")
