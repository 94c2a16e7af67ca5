"""Checks an export of the app with transformers and peft against what the engine said (writeEvidence.ts).

    check_evidence.py EVIDENCE_FOLDER [--tolerance 1e-4]

The model as it came, the adapter over it (peft) and the merged model must give the engine's greedy responses, and the
adapter's logits at the rows that predict its response must agree. Pixel values are the engine's own; how far those of
the Hugging Face processor are, and how many responses they leave as they are, is printed besides. Exits 1 otherwise.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText, AutoProcessor


def load(folder: Path):
    return AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def images_of(evidence: dict, pixels: torch.Tensor) -> list[dict[str, torch.Tensor]]:
    """What the model takes of each image: [1, 3, h, w], or of tiles [1, tiles, 3, h, w], and its size where it asks for it."""
    if evidence["tiles"] is None:
        return [{"pixel_values": image[None]} for image in pixels]
    given = [{"pixel_values": tiles[None]} for tiles in pixels.split(evidence["tiles"])]
    for image, (width, height) in zip(given, evidence["sizes"] or []):
        image["image_sizes"] = torch.tensor([[height, width]])
    return given


def prompt_text(processor, question: str) -> str:
    """By the chat template, or in Vicuna's words for a model without one, as the engine has it."""
    if processor.chat_template is None:
        return f"USER: <image>\n{question} ASSISTANT:"
    content = [{"type": "image"}, {"type": "text", "text": question}]
    return processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)


@torch.no_grad()
def greedy(model, prompts: list[list[int]], images: list[dict], max_new_tokens: int) -> list[list[int]]:
    """Tokens after each prompt, the end token included, one image at a time."""
    found = []
    for prompt, image in zip(prompts, images):
        ids = torch.tensor([prompt])
        output = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), **image, do_sample=False, max_new_tokens=max_new_tokens
        )
        found.append(output[0, len(prompt):].tolist())
    return found


@torch.no_grad()
def response_logits(model, prompts: list[list[int]], tokens: list[list[int]], images: list[dict]) -> torch.Tensor:
    """[rows, vocab]: the rows that predict the tokens of one response after the other."""
    rows = []
    for prompt, image, response in zip(prompts, images, tokens):
        ids = torch.tensor([[*prompt, *response]])
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), **image).logits[0]
        rows.append(logits[len(prompt) - 1 : len(prompt) - 1 + len(response)])
    return torch.cat(rows)


def equal(found: list[list[int]], expected: list[list[int]]) -> int:
    return sum(one == other for one, other in zip(found, expected))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evidence", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    evidence = json.loads((options.evidence / "evidence.json").read_text())
    tensors = load_file(options.evidence / "evidence.safetensors")
    prompts, said, count = evidence["promptIds"], evidence["responses"], len(evidence["images"])
    folder, most = Path(evidence["model"]), evidence["maxNewTokens"]
    images = images_of(evidence, tensors["pixel_values"])

    processor = AutoProcessor.from_pretrained(folder)
    text = prompt_text(processor, evidence["question"])
    theirs = [
        processor(images=[Image.open(path).convert("RGB")], text=[text], return_tensors="pt") for path in evidence["images"]
    ]
    same_prompt = [one["input_ids"][0].tolist() for one in theirs] == prompts
    apart = max(
        float((one["pixel_values"] - image["pixel_values"]).abs().max()) for one, image in zip(theirs, images)
    )

    base = load(folder)
    checks = {"base": equal(greedy(base, prompts, images, most), said["base"])}
    seen = [image | {"pixel_values": one["pixel_values"]} for one, image in zip(theirs, images)]
    with_theirs = equal(greedy(base, prompts, seen, most), said["base"])
    adapted = PeftModel.from_pretrained(base, options.evidence / "adapter").eval()
    checks["adapter"] = equal(greedy(adapted, prompts, images, most), said["adapted"])
    logits = response_logits(adapted, prompts, said["adapted"], images)
    difference = float((logits - tensors["logits"]).abs().max())
    checks["merged"] = equal(greedy(load(options.evidence / "merged"), prompts, images, most), said["merged"])

    print(f"prompts {'equal' if same_prompt else 'DIFFERENT'}; pixel values of the processor at most {apart:.3g} away, "
          f"with them {with_theirs} of {count} responses of the model as it came are the engine's")  # fmt: skip
    for name, number in checks.items():
        print(f"{name}: {number} of {count} greedy responses are the engine's")
    print(f"adapter: logits at most {difference:.3g} apart over {len(logits)} rows, tolerance {options.tolerance:.3g}")
    right = same_prompt and difference <= options.tolerance and all(number == count for number in checks.values())
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
