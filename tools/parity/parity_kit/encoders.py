"""The companion encoders: a full CLIP and a full SigLIP around the same vision towers as the VLM folders."""

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    LlavaForConditionalGeneration,
    SiglipConfig,
    SiglipModel,
    SiglipTextConfig,
    SiglipVisionConfig,
)

from parity_kit import vocabularies
from parity_kit.checkpoints import Recipe, randomise, set_tokenizer_class, write_preprocessor
from parity_kit.record import Record

WORDS = ["a photo of a dog.", "a photo of a cat.", "bottle", "A wooden Table", "umbrella"]
TEXT_POSITIONS = 16


def plain(config) -> dict:
    """A config's values without the dtype that an earlier save may have noted in it."""
    return {key: value for key, value in config.to_dict().items() if key != "dtype"}


def clip_model(vision) -> tuple[CLIPModel, object]:
    tokenizer = vocabularies.clip_tokenizer(TEXT_POSITIONS)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=28, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=TEXT_POSITIONS, bos_token_id=tokenizer.bos_token_id, projection_dim=24,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=plain(vision), projection_dim=24)), tokenizer


def siglip_model(vision) -> tuple[SiglipModel, object]:
    tokenizer = vocabularies.siglip_tokenizer(TEXT_POSITIONS)
    text = SiglipTextConfig(
        vocab_size=96, hidden_size=40, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=TEXT_POSITIONS, pad_token_id=1, bos_token_id=0, eos_token_id=1,
    )
    with_head = SiglipVisionConfig(**{**plain(vision), "vision_use_head": True})
    return SiglipModel(SiglipConfig(text_config=text.to_dict(), vision_config=with_head.to_dict())), tokenizer


def make_encoder(name: str, recipe: Recipe, fixtures: Path) -> None:
    """Builds one companion, gives it the vision tower of the recipe's folder, and records what it says of the photos."""
    folder, record = fixtures / name, Record()
    is_clip = recipe.vision.model_type == "clip_vision_model"
    model, tokenizer = (clip_model if is_clip else siglip_model)(recipe.vision)
    model.set_attn_implementation("eager")
    randomise(model.eval(), recipe.seed + 7)
    vlm = LlavaForConditionalGeneration.from_pretrained(fixtures / recipe.name, dtype=torch.float32)
    missing, unexpected = model.vision_model.load_state_dict(vlm.model.vision_tower.state_dict(), strict=False)
    if unexpected or any(not key.startswith("head.") for key in missing):
        raise ValueError(f"{name}: towers do not match: {missing}, {unexpected}")
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    set_tokenizer_class(folder, "CLIPTokenizer" if is_clip else "SiglipTokenizer", None)
    write_preprocessor(recipe.image_processor, folder)
    pixels = load_file(fixtures / recipe.name / "expected.safetensors")["pixel_values"]
    encoded = tokenizer(
        WORDS, padding=True if is_clip else "max_length", truncation=True, max_length=TEXT_POSITIONS, return_tensors="pt"
    )
    keys = ("input_ids", "attention_mask") if is_clip else ("input_ids",)
    with torch.no_grad():
        outputs = model(pixel_values=pixels, **{key: encoded[key] for key in keys})
    for key in keys:
        record.tensor(f"text.{key}", encoded[key])
    record.tensor("pixel_values", pixels)
    record.tensor("image_embeds", outputs.image_embeds)
    record.tensor("text_embeds", outputs.text_embeds)
    record.tensor("cosine", outputs.image_embeds @ outputs.text_embeds.T)
    record.tensor("logits_per_image", outputs.logits_per_image)
    record.value("words", WORDS)
    record.value("same_tower_as", f"../{recipe.name}")
    record.value("changed_tower_recipe", {
        "file": "model.safetensors",
        "tensor": "vision_model.encoder.layers.1.mlp.fc1.weight",
        "change": "flip the lowest bit of the first byte of this tensor's data; nothing else differs",
    })
    record.value("tokenizer_cases", [
        {"text": text, "input_ids": case["input_ids"], "offsets_code_points": case["offset_mapping"]}
        for text in vocabularies.TOKENIZER_TEXTS for case in [tokenizer(text, return_offsets_mapping=True)]
    ])
    record.write(folder)
