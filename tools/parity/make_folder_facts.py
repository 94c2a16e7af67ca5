"""What transformers does where two files of a folder disagree, from changed copies of clip-llama. Writes
fixtures/folder-facts/expected.json, the right values of modelFacts.test.ts.

`logits`: largest distance of each changed folder's logits from those of the unchanged one, on its own sequences.
`table_logits`: the same where the head is the embedding table. `prompts`: ids of chat templates, with what is encoded."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoProcessor, LlavaForConditionalGeneration

FIXTURES = Path(__file__).parent / "fixtures"
SOURCE = FIXTURES / "clip-llama"
QUESTION = "What is on the table?"
CONTENT = (
    "{% for part in messages[0]['content'] %}{% if part['type'] == 'image' %}<image>\n"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
)
TEMPLATES = {
    "begins with the token": "{{ bos_token + '[INST] ' }}" + CONTENT + "{{ ' [/INST]' }}",
    "has it in the middle": "{{ '[INST] ' + bos_token }}" + CONTENT + "{{ ' [/INST]' }}",
    "has none": "{{ '[INST] ' }}" + CONTENT + "{{ ' [/INST]' }}",
    "begins with it twice": "{{ bos_token + bos_token }}" + CONTENT,
}
HARMLESS = {
    "unsloth_fixed": True, "unsloth_version": "2025.1.1", "auto_map": {"AutoConfig": "configuration_x.X"},
    "transformers.js_config": {"dtype": "q4"}, "max_sequence_length": 4096, "_flash_attn_2_enabled": True,
}  # fmt: skip
HARMLESS_TEXT = {
    "residual_multiplier": 1.0, "embedding_multiplier": 1.0, "logits_scaling": 1.0, "partial_rotary_factor": 1.0,
    "resid_pdrop": 0.1, "num_experts": 0, "tokenizer_padding_side": "right",
}  # fmt: skip


def copy_of(change: Callable[[Path], None]) -> Path:
    folder = Path(tempfile.mkdtemp()) / "model"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("expected*", "adapter"))
    change(folder)
    return folder


def config(change: Callable[[dict], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / "config.json"
        fields = json.loads(path.read_text())
        change(fields)
        path.write_text(json.dumps(fields))

    return apply


def logits(folder: Path, batch: dict[str, torch.Tensor], pad: int = 3) -> torch.Tensor:
    model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    mask = batch["sequence.attention_mask"]
    ids = batch["sequence.input_ids"].masked_fill(mask == 0, pad)
    with torch.no_grad():
        result = model.eval()(
            input_ids=ids, attention_mask=mask, position_ids=batch["sequence.position_ids"], pixel_values=batch["pixel_values"]
        ).logits
    return result[mask.bool()]


def tied(fields: dict) -> None:
    fields["tie_word_embeddings"] = fields["text_config"]["tie_word_embeddings"] = True


def without_head(folder: Path) -> None:
    config(tied)(folder)
    path = folder / "model.safetensors"
    tensors = {name: tensor for name, tensor in load_file(path).items() if "lm_head" not in name}
    save_file(tensors, path, metadata={"format": "pt"})


def harmless(fields: dict) -> None:
    fields.update(HARMLESS)
    fields["text_config"].update(HARMLESS_TEXT)


def prompt_ids(template: str) -> list[int]:
    """Of one image and one question, the image's token repeated for each of its rows."""

    def change(folder: Path) -> None:
        (folder / "chat_template.jinja").write_text(template)

    processor = AutoProcessor.from_pretrained(copy_of(change))
    image = {"type": "image", "path": str(FIXTURES / "images" / "tall.png")}
    messages = [{"role": "user", "content": [image, {"type": "text", "text": QUESTION}]}]
    ids = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=True)["input_ids"]
    return ids[0] if isinstance(ids[0], list) else ids.flatten().tolist()


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())


def main() -> None:
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    batch = load_file(SOURCE / "expected.safetensors")
    plain = logits(SOURCE, batch)
    expected = {
        "made_by": {"torch": torch.__version__, "transformers": transformers.__version__},
        "logits": {
            "another head beside a flag that ties it": distance(logits(copy_of(config(tied)), batch), plain),
            "fields that change nothing": distance(logits(copy_of(config(harmless)), batch), plain),
            "another padding token": distance(logits(SOURCE, batch, pad=7), plain),
        },
        "table_logits": distance(logits(copy_of(without_head), batch), plain),
        "harmless": {"": HARMLESS, "text_config": HARMLESS_TEXT},
        "question": QUESTION,
        "prompts": [
            {"what": what, "chat_template": template, "input_ids": prompt_ids(template)}
            for what, template in TEMPLATES.items()
        ],
    }
    folder = FIXTURES / "folder-facts"
    folder.mkdir(exist_ok=True)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
