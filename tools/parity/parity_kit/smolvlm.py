"""The SmolVLM (Idefics3) folders: one tile an image, and tiles with an overview."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessorPil,
    Idefics3Processor,
    LlamaConfig,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessorPil,
)
from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig
from transformers.models.smolvlm.configuration_smolvlm import SmolVLMVisionConfig

from parity_kit import vocabularies
from parity_kit.checkpoints import Recipe, generation_config, randomise
from parity_kit.record import Record

# As the folders of HuggingFaceTB name themselves.
CLASSES = {
    "idefics3": (Idefics3Config, Idefics3ForConditionalGeneration),
    "smolvlm": (SmolVLMConfig, SmolVLMForConditionalGeneration),
}


# Of a tile and of the longer side in SmolVLM-256M and -500M, SmolVLM-2.2B and Idefics3-8B.
EDGES = [(512, 2048), (384, 1536), (364, 1456)]
PICTURES = [(640, 480), (480, 640), (1, 1), (900, 1), (333, 1000), (1000, 333), (4000, 3000), (500, 501), (511, 1023),
            (97, 31), (1365, 1024), (1024, 1025), (2049, 513)]  # fmt: skip


@dataclass
class SmolVlmRecipe(Recipe):
    kind: str = "idefics3"
    scale_factor: int = 2
    text_module: str = "text_model"

    @property
    def rows_of_tile(self) -> int:
        return (self.vision.image_size // self.vision.patch_size // self.scale_factor) ** 2

    def processor(self) -> Idefics3Processor:
        return Idefics3Processor(
            self.image_processor, self.tokenizer, image_seq_len=self.rows_of_tile, chat_template=self.chat_template
        )


def recipes() -> dict[str, SmolVlmRecipe]:
    tokenizer = vocabularies.smolvlm_tokenizer()
    vocab = -(-len(tokenizer) // 8) * 8

    def text(**more) -> LlamaConfig:
        sizes = dict(
            hidden_size=36, intermediate_size=60, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=1,
            head_dim=12, max_position_embeddings=512, rms_norm_eps=1e-5, pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
        )
        return LlamaConfig(vocab_size=vocab, **{**sizes, **more})

    def tower(kind: type, side: int, patch: int, **more):
        sizes = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3)
        return kind(image_size=side, patch_size=patch, **{**sizes, **more})

    def pictures(kind: type, side: int, longest: int, splits: bool):
        return kind(
            size={"longest_edge": longest}, max_image_size={"longest_edge": side}, do_image_splitting=splits
        )

    made = [
        # Nine patches a side are three rows of the prompt a side; config and files as the hub has them.
        SmolVlmRecipe(
            "smolvlm-tile", 606, tower(Idefics3VisionConfig, 36, 4), text(), tokenizer,
            pictures(Idefics3ImageProcessorPil, 36, 72, False), -1, "full", "hub", chat_template=vocabularies.SMOLVLM, dtype=torch.bfloat16, shard_size="60KB", trained=False,
            scale_factor=3,
        ),
        # wide.png becomes two rows of three tiles, strip.png one row of three; the files as transformers 5 writes them.
        SmolVlmRecipe(
            "smolvlm-tiles", 707, tower(SmolVLMVisionConfig, 28, 7), text(tie_word_embeddings=True), tokenizer,
            pictures(SmolVLMImageProcessorPil, 28, 84, True), -1, "full", "v5", chat_template=vocabularies.SMOLVLM, kind="smolvlm",
        ),
    ]
    return {recipe.name: recipe for recipe in made}


def build(recipe: SmolVlmRecipe):
    """The model in float32, attention computed eagerly, weights already rounded to the recipe's dtype."""
    config_class, model_class = CLASSES[recipe.kind]
    config = config_class(
        vision_config=recipe.vision, text_config=recipe.text, scale_factor=recipe.scale_factor,
        image_token_id=recipe.tokenizer.convert_tokens_to_ids("<image>"),
        tie_word_embeddings=recipe.text.tie_word_embeddings,
    )
    model = model_class._from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    randomise(model, recipe.seed)
    with torch.no_grad():
        model.lm_head.weight[len(recipe.tokenizer):] = 0
        for parameter in model.parameters():
            parameter.copy_(parameter.to(recipe.dtype).to(torch.float32))
    model.generation_config = generation_config(recipe)
    return model


def save(recipe: SmolVlmRecipe, model, folder: Path) -> None:
    """Writes the folder and loads it again, without a missing, unexpected or changed tensor."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    saved = type(model)(model.config)
    saved.load_state_dict(model.state_dict())
    saved.generation_config = model.generation_config
    saved.to(recipe.dtype).save_pretrained(folder, max_shard_size=recipe.shard_size)
    recipe.processor().save_pretrained(folder)
    if recipe.naming == "hub":
        write_hub_files(recipe, folder)
    reloaded, report = type(model).from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    problems = {kind: names for kind, names in report.items() if names}
    if problems:
        raise ValueError(f"{recipe.name} does not load cleanly: {problems}")
    for name, value in model.state_dict().items():
        if not torch.equal(value, reloaded.state_dict()[name]):
            raise ValueError(f"{recipe.name}: {name} changed on the way to disk and back")


def write_hub_files(recipe: SmolVlmRecipe, folder: Path) -> None:
    """The three configs with the fields that HuggingFaceTB/SmolVLM-256M-Instruct has, its authors' notes included."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    text, vision = config["text_config"], config["vision_config"]
    config["torch_dtype"] = config.pop("dtype")
    config |= {"pad_token_id": 128002, "transformers_version": "4.46.0", "use_reentrant_checkpointing": False,
               "vocab_size": text["vocab_size"]}  # fmt: skip
    kept = ("head_dim", "hidden_size", "intermediate_size", "max_position_embeddings", "model_type",
            "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "pad_token_id", "rms_norm_eps",
            "vocab_size")  # fmt: skip
    config["text_config"] = {name: text[name] for name in kept} | {
        "_flash_attn_2_enabled": True, "architectures": ["VLlama3ForCausalLM"], "is_llama_config": True,
        "neftune_noise_alpha": 0.0, "perceiver_config": {"model_type": "vllama3", "resampler_n_latents": 64},
        "pixel_shuffle_factor": recipe.scale_factor, "qk_layer_norms": False, "rope_interleaved": False,
        "rope_scaling": None, "rope_theta": text["rope_parameters"]["rope_theta"], "torch_dtype": "bfloat16",
        "transformers.js_config": {"kv_cache_dtype": {"fp16": "float16"}}, "use_cache": True, "use_resampler": False,
    }
    kept = ("hidden_size", "image_size", "intermediate_size", "num_attention_heads", "num_hidden_layers", "patch_size")
    config["vision_config"] = {name: vision[name] for name in kept} | {
        "max_image_size": {"longest_edge": recipe.vision.image_size}, "model_type": "idefics3",
        "size": {"longest_edge": 2048}, "tie_word_embeddings": False, "use_base_siglip": False,
    }
    write_json(path, config)
    values = recipe.image_processor.to_dict()
    kept = ("do_convert_rgb", "do_image_splitting", "do_normalize", "do_pad", "do_rescale", "do_resize", "image_mean",
            "image_std", "max_image_size", "resample", "rescale_factor")  # fmt: skip
    written = {name: values[name] for name in kept} | {"size": {"longest_edge": recipe.image_processor.size.longest_edge}}
    names = {"image_processor_type": "Idefics3ImageProcessor", "processor_class": "Idefics3Processor"}
    write_json(folder / "preprocessor_config.json", written | names)
    rows = {"image_seq_len": recipe.rows_of_tile, "processor_class": "Idefics3Processor"}
    write_json(folder / "processor_config.json", rows)


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True, default=int) + "\n")


def record_images(record: Record, recipe: SmolVlmRecipe, model, photos: list[Path]) -> None:
    """Pixel values and features of each tile, those of one image after the other, and how many tiles an image has."""
    tiles = [
        recipe.image_processor(images=Image.open(path), return_tensors="pt")["pixel_values"][0] for path in photos
    ]
    outputs = model.get_image_features(pixel_values=torch.cat(tiles)[None])
    record.tensor("pixel_values", torch.cat(tiles))
    record.tensor("vision.selected", outputs.last_hidden_state)
    record.tensor("vision.projected", torch.cat(list(outputs.pooler_output)))
    record.value("images", {
        "files": [f"../images/{path.name}" for path in photos],
        "image_processor": type(recipe.image_processor).__name__ + " (PIL, the 'slow' path)",
        "tiles": [len(part) for part in tiles],
        "rows": [len(part) * recipe.rows_of_tile for part in tiles],
    })
    if recipe.image_processor.do_image_splitting:
        record.value("grids", [grid(tile, longest, *size) for tile, longest in EDGES for size in PICTURES])


def grid(tile: int, longest: int, width: int, height: int) -> dict:
    """How a picture of this size is cut: its rows and columns of tiles, 0 where it is one tile alone."""
    image_processor = Idefics3ImageProcessorPil(size={"longest_edge": longest}, max_image_size={"longest_edge": tile})
    found = image_processor(
        images=Image.new("RGB", (width, height)), do_normalize=False, resample=0, return_row_col_info=True
    )
    return {"tile": tile, "longest": longest, "width": width, "height": height, "rows": found["rows"][0][0],
            "columns": found["cols"][0][0]}  # fmt: skip
