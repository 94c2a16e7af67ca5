"""Builds each tiny VLM (config, random weights, tokenizer, processor) and saves it as a Hugging Face folder."""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    GenerationConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
)

from parity_kit import vocabularies

NAMING_V4 = [
    (r"^model\.language_model\.", "language_model.model."),
    (r"^lm_head\.", "language_model.lm_head."),
    (r"^model\.vision_tower\.", "vision_tower.vision_model."),
    (r"^model\.multi_modal_projector\.", "multi_modal_projector."),
    (r"^model\.image_newline$", "image_newline"),
]
NAMING_V5 = [*NAMING_V4[:2], (r"^model\.vision_tower\.", "vision_tower."), *NAMING_V4[3:]]
NAMING_MODULE = [(r"^model\.vision_tower\.", "model.vision_tower.vision_model.")]
NAMINGS = {"v4": NAMING_V4, "v5": NAMING_V5, "module": NAMING_MODULE}


@dataclass
class Recipe:
    """What one fixture folder is made of."""

    name: str
    seed: int
    vision: CLIPVisionConfig | SiglipVisionConfig
    text: LlamaConfig | MistralConfig | Qwen2Config
    tokenizer: PreTrainedTokenizerFast
    image_processor: CLIPImageProcessorPil | SiglipImageProcessorPil
    feature_layer: int
    strategy: str
    naming: str
    chat_template: str | None = None
    dtype: torch.dtype = torch.float32
    shard_size: str = "1GB"
    questions: tuple[str, str] = ("What is on the table?", "Describe the image in detail.")
    responses: tuple[str, str] = ("A red cup and a book stand on the table.", "The image shows a dog.")
    eos_step: int = 7
    extra_eos: list[str] = field(default_factory=list)
    trained: bool = True
    omit: dict[str, list[str]] = field(default_factory=dict)
    # What transformers calls the language model among the model's modules.
    text_module: str = "language_model"

    def processor(self):
        return LlavaProcessor(
            image_processor=self.image_processor, tokenizer=self.tokenizer, patch_size=self.vision.patch_size,
            vision_feature_select_strategy=self.strategy, chat_template=self.chat_template,
            num_additional_image_tokens=1 if isinstance(self.vision, CLIPVisionConfig) else 0,
        )


def clip_processor(edge: int, crop: int) -> CLIPImageProcessorPil:
    return CLIPImageProcessorPil(size={"shortest_edge": edge}, crop_size={"height": crop, "width": crop})


def clip_vision() -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=32, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4, image_size=42, patch_size=14,
        projection_dim=24,
    )


def llama_text(vocab_size: int, **more) -> LlamaConfig:
    sizes = dict(
        hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=vocab_size - 7,
    )
    return LlamaConfig(vocab_size=vocab_size, **{**sizes, **more})


def recipes() -> dict[str, Recipe]:
    """The five VLM folders by name. Vocabularies are padded to a multiple of 8, so some ids have no token."""
    llama, metaspace, qwen = (
        vocabularies.llama_tokenizer(True), vocabularies.llama_tokenizer(False), vocabularies.qwen_tokenizer()
    )
    pad, vocab = llama.pad_token_id, 408
    small = dict(hidden_size=32, intermediate_size=40, pad_token_id=pad)
    made = [
        Recipe(
            "clip-llama", 101, clip_vision(), llama_text(vocab, pad_token_id=pad), llama, clip_processor(42, 42), -2,
            "default", "v4", omit={"vision": ["hidden_act", "layer_norm_eps", "num_channels"], "text": ["head_dim"]},
        ),
        Recipe(
            "siglip-qwen2", 202,
            SiglipVisionConfig(
                hidden_size=40, intermediate_size=52, num_hidden_layers=2, num_attention_heads=5, image_size=56,
                patch_size=14, vision_use_head=False,
            ),
            Qwen2Config(
                vocab_size=vocab, hidden_size=48, intermediate_size=72, num_hidden_layers=2, num_attention_heads=6,
                num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-6, tie_word_embeddings=True,
                rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}, max_window_layers=2,
                eos_token_id=qwen.eos_token_id, pad_token_id=qwen.pad_token_id,
            ),
            qwen, SiglipImageProcessorPil(size={"height": 56, "width": 56}), -1, "full", "v5",
            chat_template=vocabularies.CHATML, extra_eos=["<|endoftext|>"],
        ),
        Recipe(
            "clip-mistral", 303, clip_vision(),
            MistralConfig(
                vocab_size=vocab, hidden_size=40, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=1, head_dim=12, sliding_window=11, max_position_embeddings=256, rms_norm_eps=1e-5,
                pad_token_id=pad, rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            ),
            metaspace, clip_processor(50, 42), -2, "default", "module", chat_template=vocabularies.MISTRAL_INST,
            shard_size="150KB",
        ),
        Recipe(
            "clip-llama-bf16", 404, clip_vision(),
            llama_text(
                vocab, **small, head_dim=12, tie_word_embeddings=False,
                rope_parameters={
                    "rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0,
                    "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
                },
            ),
            llama, clip_processor(42, 42), -2, "default", "v4", dtype=torch.bfloat16, trained=False,
        ),
        Recipe(
            "clip-llama-linear", 505, clip_vision(),
            llama_text(vocab, **small, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.5}),
            llama, clip_processor(42, 42), -2, "default", "v4", trained=False,
        ),
    ]
    return {recipe.name: recipe for recipe in made}


@torch.no_grad()
def randomise(model: torch.nn.Module, seed: int) -> None:
    """Gives every parameter a value that shows mistakes: norms away from 1, biases away from 0, logits that differ."""
    generator = torch.Generator().manual_seed(seed)
    tied = getattr(model.config, "tie_word_embeddings", False)
    for name, parameter in sorted(model.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name and name.endswith("weight"):
            # Gemma's norms multiply by 1 + weight.
            value = (0 if "Gemma" in type(owner(model, name)).__name__ else 1) + 0.2 * noise
        elif parameter.dim() <= 1:
            value = 0.1 * noise
        elif "embed" in name and "patch" not in name:
            value = (0.2 if tied and "embed_tokens" in name else 0.6) * noise
        else:
            value = noise * parameter[0].numel() ** -0.5 * (2.5 if "q_proj" in name or "k_proj" in name else 1.2)
        parameter.copy_(value)


def owner(model: torch.nn.Module, name: str) -> torch.nn.Module:
    """The module that a parameter belongs to."""
    return model.get_submodule(name.rpartition(".")[0])


def build(recipe: Recipe) -> LlavaForConditionalGeneration:
    """The model in float32, attention computed eagerly, weights already rounded to the recipe's dtype."""
    config = LlavaConfig(
        vision_config=recipe.vision, text_config=recipe.text,
        image_token_index=recipe.tokenizer.convert_tokens_to_ids("<image>"), vision_feature_layer=recipe.feature_layer,
        vision_feature_select_strategy=recipe.strategy, image_seq_length=(recipe.vision.image_size // recipe.vision.patch_size) ** 2,
        tie_word_embeddings=recipe.text.tie_word_embeddings,
    )
    model = LlavaForConditionalGeneration._from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    randomise(model, recipe.seed)
    with torch.no_grad():
        model.lm_head.weight[len(recipe.tokenizer):] = 0
        for parameter in model.parameters():
            parameter.copy_(parameter.to(recipe.dtype).to(torch.float32))
    model.generation_config = generation_config(recipe)
    return model


def generation_config(recipe: Recipe) -> GenerationConfig:
    tokenizer = recipe.tokenizer
    eos = [tokenizer.eos_token_id, *tokenizer.convert_tokens_to_ids(recipe.extra_eos)]
    return GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=eos if len(eos) > 1 else eos[0],
        pad_token_id=tokenizer.pad_token_id,
    )


def save(recipe: Recipe, model: LlavaForConditionalGeneration, folder: Path) -> None:
    """Writes the folder as a hub checkpoint looks: v4 layout of config.json and preprocessor_config.json included."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    saved = LlavaForConditionalGeneration(model.config)
    saved.load_state_dict(model.state_dict())
    saved.generation_config = model.generation_config
    saved.to(recipe.dtype).save_pretrained(folder, max_shard_size=recipe.shard_size)
    rename_tensors(folder, model.state_dict().keys(), NAMINGS[recipe.naming], recipe.text.tie_word_embeddings)
    recipe.processor().save_pretrained(folder)
    write_preprocessor(recipe.image_processor, folder)
    if recipe.naming == "v4":
        write_v4_config(recipe, folder)
    classes = {"qwen2": "Qwen2Tokenizer", "qwen3": "Qwen2Tokenizer", "gemma2": "GemmaTokenizer"}
    tokenizer_class = classes.get(recipe.text.model_type, "LlamaTokenizer")
    set_tokenizer_class(folder, tokenizer_class, recipe.chat_template)
    reloaded, report = LlavaForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    problems = {kind: names for kind, names in report.items() if names}
    if problems:
        raise ValueError(f"{recipe.name} does not load cleanly: {problems}")
    for name, value in model.state_dict().items():
        if not torch.equal(value, reloaded.state_dict()[name]):
            raise ValueError(f"{recipe.name}: {name} changed on the way to disk and back")


def rename_tensors(folder: Path, module_names, naming: list[tuple[str, str]], tied: bool) -> None:
    """Renames the tensors in every shard from transformers' own naming to the one wanted, index included."""
    wanted = {}
    for name in module_names:
        if tied and name == "lm_head.weight":
            continue
        current, target = name, name
        for pattern, replacement in NAMING_V5:
            current = re.sub(pattern, replacement, current)
        for pattern, replacement in naming:
            target = re.sub(pattern, replacement, target)
        wanted[current] = target
    for shard in sorted(folder.glob("*.safetensors")):
        tensors = {wanted[name]: tensor for name, tensor in load_file(shard).items()}
        save_file(tensors, shard, metadata={"format": "pt"})
    index_path = folder / "model.safetensors.index.json"
    if index_path.exists():
        index = json.loads(index_path.read_text())
        index["weight_map"] = {wanted[name]: shard for name, shard in index["weight_map"].items()}
        index_path.write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


def write_v4_config(recipe: Recipe, folder: Path) -> None:
    """config.json as transformers 4 wrote it: rope_theta and rope_scaling in place of rope_parameters, torch_dtype."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    text, vision = config["text_config"], config["vision_config"]
    config["torch_dtype"] = config.pop("dtype")
    config["ignore_index"] = -100
    config["transformers_version"] = "4.57.3"
    rope = text.pop("rope_parameters")
    if rope["rope_theta"] != 10000.0:
        text["rope_theta"] = rope["rope_theta"]
    if rope["rope_type"] != "default":
        text["rope_scaling"] = {key: value for key, value in rope.items() if key != "rope_theta"}
    if rope["rope_type"] == "linear":
        text["rope_scaling"] = {"type": "linear", "factor": rope["factor"]}
    for section, names in recipe.omit.items():
        for name in names:
            {"text": text, "vision": vision}[section].pop(name)
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def write_preprocessor(image_processor, folder: Path) -> None:
    """preprocessor_config.json beside processor_config.json: transformers 4 wrote it, and hub folders hold it."""
    values = image_processor.to_dict()
    class_name = values["image_processor_type"].removesuffix("Pil")
    kept = ("crop_size", "do_center_crop", "do_convert_rgb", "do_normalize", "do_rescale", "do_resize", "image_mean",
            "image_std", "resample", "rescale_factor", "size")  # fmt: skip
    written = {key: values[key] for key in kept if values.get(key) is not None}
    written["image_processor_type"] = class_name
    for key in ("size", "crop_size"):
        if key in written:
            written[key] = {side: length for side, length in dict(written[key]).items() if length is not None}
    (folder / "preprocessor_config.json").write_text(json.dumps(written, indent=2, sort_keys=True, default=int) + "\n")


def set_tokenizer_class(folder: Path, class_name: str, chat_template: str | None) -> None:
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config["tokenizer_class"] = class_name
    if chat_template is not None:
        config["chat_template"] = chat_template
    path.write_text(json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
