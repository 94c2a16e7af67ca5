"""Loads a PEFT adapter folder over a model folder with peft and compares logits with given ones.

    check_export.py MODEL_FOLDER ADAPTER_FOLDER LOGITS_FILE [--inputs FILE] [--name logits] [--tolerance 1e-4]

LOGITS_FILE is a .safetensors with the tensor --name: [batch, seq, vocab], or [batch, rows, vocab] of the rows that
predict the response (as `adapter.response_logits` in the fixtures). --inputs (by default MODEL_FOLDER's
expected.safetensors) holds sequence.{input_ids, attention_mask, position_ids, response_mask} and pixel_values.
Exits 1 when the largest difference is above the tolerance.
"""

import argparse
import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import LlavaForConditionalGeneration

from parity_kit.expected_inference import forward, response_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("logits", type=Path)
    parser.add_argument("--inputs", type=Path)
    parser.add_argument("--name", default="logits")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    inputs = load_file(options.inputs or options.model / "expected.safetensors")
    batch = {name: inputs[f"sequence.{name}"] for name in
             ("input_ids", "attention_mask", "position_ids", "response_mask")}  # fmt: skip
    batch["pixel_values"] = inputs["pixel_values"]
    given = load_file(options.logits)[options.name].float()
    model = LlavaForConditionalGeneration.from_pretrained(
        options.model, dtype=torch.float32, attn_implementation="eager"
    )
    adapted = PeftModel.from_pretrained(model, options.adapter).eval()
    with torch.no_grad():
        logits = forward(adapted, batch).logits
    if given.shape[1] == batch["response_mask"].shape[1]:
        logits, mask = response_rows(logits, batch), batch["response_mask"]
    else:
        mask = batch["attention_mask"]
    if given.shape != logits.shape:
        sys.exit(f"shape {tuple(given.shape)} given, {tuple(logits.shape)} computed")
    difference = float(((given - logits) * mask[..., None]).abs().max())
    print(f"max abs difference {difference:.3g} over {int(mask.sum())} rows, tolerance {options.tolerance:.3g}")
    sys.exit(0 if difference <= options.tolerance else 1)


if __name__ == "__main__":
    main()
