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
from transformers import AutoProcessor, LlavaForConditionalGeneration


def load(folder: Path) -> LlavaForConditionalGeneration:
    return LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@torch.no_grad()
def greedy(model, prompt: list[int], pixels: torch.Tensor, max_new_tokens: int) -> list[list[int]]:
    """Tokens after the prompt, the end token included, one image at a time."""
    ids = torch.tensor([prompt])
    found = []
    for image in pixels:
        output = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=image[None], do_sample=False,
            max_new_tokens=max_new_tokens,
        )  # fmt: skip
        found.append(output[0, len(prompt):].tolist())
    return found


@torch.no_grad()
def response_logits(model, prompt: list[int], tokens: list[list[int]], pixels: torch.Tensor) -> torch.Tensor:
    """[rows, vocab]: the rows that predict the tokens of one response after the other."""
    rows = []
    for image, response in zip(pixels, tokens):
        ids = torch.tensor([[*prompt, *response]])
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=image[None]).logits[0]
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
    prompt, said, count = evidence["promptIds"], evidence["responses"], len(evidence["images"])
    folder, pixels, most = Path(evidence["model"]), tensors["pixel_values"], evidence["maxNewTokens"]

    processor = AutoProcessor.from_pretrained(folder)
    content = [{"type": "image"}, {"type": "text", "text": evidence["question"]}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    images = [Image.open(path).convert("RGB") for path in evidence["images"]]
    theirs = processor(images=images, text=[text] * count, return_tensors="pt")
    same_prompt = theirs["input_ids"][0].tolist() == prompt
    apart = float((theirs["pixel_values"] - pixels).abs().max())

    base = load(folder)
    checks = {"base": equal(greedy(base, prompt, pixels, most), said["base"])}
    with_theirs = equal(greedy(base, prompt, theirs["pixel_values"], most), said["base"])
    adapted = PeftModel.from_pretrained(base, options.evidence / "adapter").eval()
    checks["adapter"] = equal(greedy(adapted, prompt, pixels, most), said["adapted"])
    logits = response_logits(adapted, prompt, said["adapted"], pixels)
    difference = float((logits - tensors["logits"]).abs().max())
    checks["merged"] = equal(greedy(load(options.evidence / "merged"), prompt, pixels, most), said["merged"])

    print(f"prompt {'equal' if same_prompt else 'DIFFERENT'}; pixel values of the processor at most {apart:.3g} away, "
          f"with them {with_theirs} of {count} responses of the model as it came are the engine's")  # fmt: skip
    for name, number in checks.items():
        print(f"{name}: {number} of {count} greedy responses are the engine's")
    print(f"adapter: logits at most {difference:.3g} apart over {len(logits)} rows, tolerance {options.tolerance:.3g}")
    right = same_prompt and difference <= options.tolerance and all(number == count for number in checks.values())
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
