"""Loads a PEFT adapter folder over a model folder with peft and compares logits with given ones.

    check_export.py MODEL_FOLDER ADAPTER_FOLDER LOGITS_FILE [--inputs FILE] [--name logits] [--tolerance 1e-4]
                    [--responses FILE] [--merged FOLDER]

LOGITS_FILE is a .safetensors with the tensor --name: [batch, seq, vocab], or [batch, rows, vocab] of the rows that
predict the response (as `adapter.response_logits` in the fixtures). --inputs (by default MODEL_FOLDER's
expected.safetensors) holds sequence.{input_ids, attention_mask, position_ids, response_mask} and pixel_values; the
expected.json beside it says how many tiles an image has, if not one, and its size where the model asks for it.
--responses is a .json with the greedy answers of the `adapter`, and of the `merged` model of --merged, to
prompt.input_ids; transformers must give the same.
Exits 1 when the largest difference is above the tolerance or an answer is another one.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

from parity_kit.expected_inference import forward, images_of, response_rows


def pixels_by_image(pixels: torch.Tensor, tiles: list[int] | None) -> torch.Tensor:
    """[images, 3, h, w], or of tiles [images, most tiles, 3, h, w] with zeros where an image has fewer."""
    if tiles is None:
        return pixels
    return torch.nn.utils.rnn.pad_sequence(pixels.split(tiles), batch_first=True)


def load(folder: Path):
    return AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@torch.no_grad()
def different_answers(
    model, inputs: dict[str, torch.Tensor], images: dict[str, torch.Tensor], expected: list[list[int]]
) -> int:
    """How many greedy answers to the prompts, each alone, are not the expected ones, end token included."""
    different = 0
    for row, (ids, mask, tokens) in enumerate(zip(inputs["prompt.input_ids"], inputs["prompt.attention_mask"], expected)):
        prompt = ids[mask == 1][None]
        output = model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), **images_of(images, slice(row, row + 1)),
            do_sample=False, max_new_tokens=20,
        )  # fmt: skip
        different += output[0, prompt.shape[1]:].tolist() != tokens
    return different


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("logits", type=Path)
    parser.add_argument("--inputs", type=Path)
    parser.add_argument("--name", default="logits")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--responses", type=Path)
    parser.add_argument("--merged", type=Path)
    options = parser.parse_args()
    path = options.inputs or options.model / "expected.safetensors"
    inputs = load_file(path)
    facts = path.with_suffix(".json")
    images = json.loads(facts.read_text())["images"] if facts.exists() else {}
    batch = {name: inputs[f"sequence.{name}"] for name in
             ("input_ids", "attention_mask", "position_ids", "response_mask")}  # fmt: skip
    batch["pixel_values"] = pixels_by_image(inputs["pixel_values"], images.get("tiles"))
    if "sizes" in images:
        batch["image_sizes"] = torch.tensor([[height, width] for width, height in images["sizes"]])
    given = load_file(options.logits)[options.name].float()
    adapted = PeftModel.from_pretrained(load(options.model), options.adapter).eval()
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
    right = difference <= options.tolerance
    said = json.loads(options.responses.read_text()) if options.responses else {}
    models = {"adapter": adapted, **({"merged": load(options.merged)} if options.merged else {})}
    for name, model in models.items():
        if name in said:
            different = different_answers(model, inputs, batch, said[name])
            print(f"{name}: {len(said[name]) - different} of {len(said[name])} greedy answers are the same")
            right = right and different == 0
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
